//! Several rounds in one line: the median, and how far they lie apart.

/// Of at least one round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Summary {
    /// None where nothing was measured.
    pub(crate) fn of(rounds: &[f64]) -> Option<Self> {
        let mut rounds = rounds.to_vec();
        rounds.sort_by(f64::total_cmp);
        let (least, most) = (*rounds.first()?, *rounds.last()?);
        let (below, above) = (rounds[(rounds.len() - 1) / 2], rounds[rounds.len() / 2]);
        Some(Self { median: below.midpoint(above), least, most })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let summary = |median, least, most| Some(Summary { median, least, most });
        assert_eq!(Summary::of(&[]), None);
        assert_eq!(Summary::of(&[3.0]), summary(3.0, 3.0, 3.0));
        assert_eq!(Summary::of(&[9.0, 1.0, 2.0]), summary(2.0, 1.0, 9.0));
        assert_eq!(Summary::of(&[4.0, 1.0, 9.0, 2.0]), summary(3.0, 1.0, 9.0));
    }
}
