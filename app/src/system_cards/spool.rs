//! The spool: what it holds for a database that does not answer, and what became of the rest.

use api::SpoolState;

use super::{Card, Fact, Remark, Weight};
use crate::gauge::{Gauge, Level};
use crate::wording::{bytes, number};

pub(super) fn card(spool: &SpoolState) -> Card {
    let used = format!("{} of {}", bytes(spool.used_bytes), bytes(spool.capacity_bytes));
    let facts = vec![
        Fact::new("Used", used).with(Gauge::of_spool(spool)),
        Fact::new("Records", number(spool.records)),
        Fact::age("Oldest", spool.oldest_at),
        Fact::new("Replayed since the start", number(spool.replayed)),
        Fact::new("Set aside", number(spool.quarantined)),
        Fact::new("Not recorded", number(spool.not_recorded)),
    ];
    Card { id: "spool-title", title: "Spool", facts, remarks: remarks(spool) }
}

fn remarks(spool: &SpoolState) -> Vec<Remark> {
    let mut remarks = Vec::new();
    if let Some(why) = &spool.fault {
        remarks.push(Remark::new(Weight::Error, format!("The spool cannot be written to: {why}")));
    }
    if spool.not_recorded > 0 {
        let text = "of the searches since the start could be written nowhere. Their results were shown all the same.";
        remarks.push(Remark::new(Weight::Error, format!("{} {text}", number(spool.not_recorded))));
    }
    match Gauge::of_spool(spool).level {
        Level::Calm => {}
        Level::Warning => {
            let text = "The spool fills up: see that the database answers again before it is full.";
            remarks.push(Remark::new(Weight::Warning, text));
        }
        Level::Error => {
            let text = "The spool is full, or nearly: what does not fit is answered but not recorded.";
            remarks.push(Remark::new(Weight::Error, text));
        }
    }
    if spool.quarantined > 0 {
        let file = spool.quarantine_file.as_deref().unwrap_or("a file beside the spool");
        let text = format!("What could not be used was set aside in {file}: look into it, then move it away.");
        remarks.push(Remark::new(Weight::Warning, text));
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: SpoolState = SpoolState {
        records: 0,
        used_bytes: 0,
        capacity_bytes: 64 << 20,
        oldest_at: None,
        replayed: 0,
        quarantined: 0,
        quarantine_file: None,
        not_recorded: 0,
        fault: None,
    };

    #[test]
    fn an_empty_spool_needs_no_remark() {
        let card = card(&QUIET);
        assert_eq!(card.remarks, []);
        assert_eq!(card.facts[0], Fact::new("Used", "0 B of 64 MiB").with(Gauge::of_spool(&QUIET)));
    }

    #[test]
    fn each_trouble_is_told_with_its_weight() {
        let quarantine_file = Some("data/spool.set-aside".to_owned());
        let fault = Some("No space left on device".to_owned());
        let worst =
            SpoolState { used_bytes: 64 << 20, quarantined: 2, quarantine_file, not_recorded: 3, fault, ..QUIET };
        let remarks = card(&worst).remarks;
        let weights: Vec<Weight> = remarks.iter().map(|remark| remark.weight).collect();
        assert_eq!(weights, [Weight::Error, Weight::Error, Weight::Error, Weight::Warning]);
        for (remark, part) in remarks.iter().zip(["No space left", "3 of the searches", "full", "data/spool.set-aside"])
        {
            assert!(remark.text.contains(part), "{part}: {}", remark.text);
        }
    }
}
