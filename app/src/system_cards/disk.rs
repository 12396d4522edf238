//! The disk that the data folder lies on, and how much room is left.

use api::DiskState;

use super::{Card, Fact, Remark, Weight};
use crate::gauge::{Gauge, Level, percent};
use crate::wording::bytes;

/// `disk` is none where the operating system does not say.
pub(super) fn card(disk: Option<&DiskState>) -> Card {
    let (facts, remarks) = match disk {
        Some(disk) => known(disk),
        None => (vec![], vec![Remark::new(Weight::Note, "The operating system does not say how much room is left.")]),
    };
    Card { id: "disk-title", title: "Disk", facts, remarks }
}

fn known(disk: &DiskState) -> (Vec<Fact>, Vec<Remark>) {
    let gauge = Gauge::of_disk(disk);
    let share = percent(disk.free_bytes, disk.total_bytes);
    let low = Remark::new(Weight::Warning, "Little room is left: free some, or move the data folder to a larger disk.");
    let facts = vec![
        Fact::new("Free", format!("{} of {} ({share} %)", bytes(disk.free_bytes), bytes(disk.total_bytes))).with(gauge),
        // Not known while the database does not answer.
        Fact::new("Database", if disk.database_bytes == 0 { "–".to_owned() } else { bytes(disk.database_bytes) }),
        Fact::new("Data folder", disk.folder.as_str()),
    ];
    (facts, if gauge.level == Level::Calm { vec![] } else { vec![low] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_with_little_room_is_told_in_words_too() {
        let disk = |free_bytes| DiskState {
            folder: "data".to_owned(),
            free_bytes,
            total_bytes: 100 << 30,
            database_bytes: 3 << 20,
        };
        let roomy = card(Some(&disk(40 << 30)));
        let gauge = Gauge::of_disk(&disk(40 << 30));
        assert_eq!(roomy.facts[0], Fact::new("Free", "40 GiB of 100 GiB (40 %)").with(gauge));
        assert_eq!(roomy.remarks, []);
        let low = card(Some(&disk(9 << 30)));
        assert!(low.remarks[0].text.starts_with("Little room is left"));
    }
}
