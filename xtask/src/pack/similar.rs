//! Puts texts that are like each other side by side.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

/// Texts are compared by their pieces of so many bytes: as long as one or two instructions.
const PIECE: usize = 6;
/// A piece that more texts have tells little of them, and comparing them all would take long.
const COMMON: usize = 60;

/// An order in which each text follows one that is like it: the number of each text, once. Begins with the first text.
pub(super) fn order(texts: &[&[u8]]) -> Vec<usize> {
    let pieces: Vec<HashSet<&[u8]>> = texts.iter().map(|text| text.windows(PIECE).collect()).collect();
    let mut owners: HashMap<&[u8], Vec<usize>> = HashMap::new();
    for (number, pieces) in pieces.iter().enumerate() {
        pieces.iter().for_each(|piece| owners.entry(piece).or_default().push(number));
    }
    owners.retain(|_, owners| owners.len() <= COMMON);

    let mut is_left = vec![true; texts.len()];
    let mut order = Vec::with_capacity(texts.len());
    let mut next = (!texts.is_empty()).then_some(0);
    while let Some(text) = next {
        is_left[text] = false;
        order.push(text);
        let mut shared: HashMap<usize, usize> = HashMap::new();
        for owner in pieces[text].iter().filter_map(|piece| owners.get(piece)).flatten() {
            if is_left[*owner] {
                *shared.entry(*owner).or_default() += 1;
            }
        }
        // The part that two texts share of what they have together. In millionths, so that it can be compared.
        let likeness = |other: usize, shared: usize| {
            shared * 1_000_000 / (pieces[text].len() + pieces[other].len() - shared).max(1)
        };
        let nearest = shared.into_iter().max_by_key(|&(other, shared)| (likeness(other, shared), Reverse(other)));
        next = nearest.map(|(other, _)| other).or_else(|| is_left.iter().position(|is_left| *is_left));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_texts_are_neighbours() {
        let texts = ["the first of its kind", "0123456789", "the second of its kind", "0123456789a", "of its kind", ""];
        assert_eq!(order(&texts.map(str::as_bytes)), [0, 4, 2, 1, 3, 5]);
        assert_eq!(order(&[]), [] as [usize; 0]);
    }
}
