//! The public interface of the spool, on a real folder.

use tempfile::TempDir;

use super::*;

const CAPACITY: u64 = 64 * 1024;

fn options(folder: &TempDir) -> Options {
    Options { folder: folder.path().join("spool"), capacity_bytes: CAPACITY }
}

fn open(folder: &TempDir) -> Spool {
    Spool::open(options(folder)).expect("opened")
}

fn record(number: u128) -> Record {
    let payload = format!(r#"{{"v":1,"number":{number}}}"#);
    Record { search: SearchId(number), searched_at: TimeMs(1_000), payload }
}

/// Waits until the thread has released the folder.
async fn close(spool: Spool) {
    let mut state = spool.watch();
    drop(spool);
    while state.changed().await.is_ok() {}
}

/// Records, gaps and quarantined lines.
fn counts(folder: &Path) -> (u64, u64, u64) {
    let Inspection { records, gaps, quarantined, .. } = inspect(folder).expect("read").expect("there is a spool");
    (records, gaps, quarantined)
}

fn numbers(records: &[Arc<Record>]) -> Vec<u128> {
    records.iter().map(|record| record.search.0).collect()
}

#[tokio::test]
async fn the_next_process_reads_the_records_in_order() {
    let folder = TempDir::new().expect("a folder");
    let spool = open(&folder);
    for number in [3, 1, 2] {
        spool.append(record(number)).await.expect("kept");
    }
    assert_eq!(spool.find(SearchId(1)).as_deref(), Some(&record(1)));
    close(spool).await;

    let spool = open(&folder);
    assert_eq!(numbers(&spool.oldest(9)), [3, 1, 2]);
    assert_eq!(numbers(&spool.oldest(2)), [3, 1]);
    assert_eq!((spool.state().records, spool.state().oldest_at), (3, Some(TimeMs(1_000))));
}

#[tokio::test]
async fn the_file_is_emptied_once_all_records_are_removed() {
    let folder = TempDir::new().expect("a folder");
    let spool = open(&folder);
    for number in 1..=2 {
        spool.append(record(number)).await.expect("kept");
    }
    spool.remove(vec![SearchId(1)]).await;
    let state = spool.state();
    assert_eq!(state.records, 1);
    assert!(state.used_bytes > 0, "the file is emptied only as a whole");
    assert_eq!(spool.find(SearchId(1)), None);
    spool.remove(vec![SearchId(2), SearchId(77)]).await;
    let state = spool.state();
    assert_eq!((state.records, state.used_bytes, state.replayed), (0, 0, 2));
    close(spool).await;
    assert_eq!(open(&folder).oldest(9), []);
}

#[tokio::test]
async fn a_search_has_at_most_one_record() {
    let folder = TempDir::new().expect("a folder");
    let spool = open(&folder);
    let (one, other) = tokio::join!(spool.append(record(1)), spool.append(record(1)));
    assert_eq!([one.is_ok(), other.is_ok()].iter().filter(|ok| **ok).count(), 1);
    assert_eq!(spool.append(record(1)).await, Err(AppendError::Exists));
    assert_eq!(spool.state().records, 1);
}

#[tokio::test]
async fn a_full_spool_refuses_records_and_keeps_the_others() {
    let folder = TempDir::new().expect("a folder");
    let spool = open(&folder);
    let large = |number| Record { payload: "x".repeat(20_000), ..record(number) };
    for number in 1..=3 {
        spool.append(large(number)).await.expect("kept");
    }
    assert_eq!(spool.append(large(4)).await, Err(AppendError::Full { capacity_bytes: CAPACITY }));
    assert_eq!(spool.state().records, 3);
    assert!(spool.state().fault.is_some());
    spool.append(record(5)).await.expect("a small record still fits");
    assert_eq!((spool.state().records, spool.state().fault), (4, None));
}

#[tokio::test]
async fn a_payload_of_several_lines_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let spool = open(&folder);
    for payload in ["a\nb", "a\0b"] {
        let refused = spool.append(Record { payload: payload.to_owned(), ..record(1) }).await;
        assert_eq!(refused, Err(AppendError::Unfit));
    }
}

#[tokio::test]
async fn a_damaged_line_is_quarantined_and_reported_until_the_file_is_moved_away() {
    let folder = TempDir::new().expect("a folder");
    let spool = open(&folder);
    for number in 1..=3 {
        spool.append(record(number)).await.expect("kept");
    }
    close(spool).await;
    let spool_folder = folder.path().join("spool");
    let file = spool_folder.join("records");
    assert_eq!(counts(&spool_folder), (3, 0, 0));
    assert_eq!(inspect(folder.path()).expect("read"), None);
    let mut bytes = std::fs::read(&file).expect("read");
    let at = bytes.windows(10).position(|part| part == br#""number":2"#).expect("the second record");
    bytes[at + 9] = b'7';
    std::fs::write(&file, bytes).expect("written");
    assert_eq!(counts(&spool_folder), (2, 1, 0));

    for _ in 0..2 {
        // The second start must not quarantine it again.
        let spool = open(&folder);
        assert_eq!(numbers(&spool.oldest(9)), [1, 3]);
        assert_eq!(spool.state().quarantined, 1);
        close(spool).await;
    }
    let quarantine = folder.path().join("spool/set-aside");
    let text = std::fs::read_to_string(&quarantine).expect("read");
    assert!(text.contains("the line is damaged") && text.contains(r#"\"number\":7"#), "{text}");
    let spool = open(&folder);
    std::fs::remove_file(quarantine).expect("moved away");
    assert_eq!(spool.state().quarantined, 0);
    spool.quarantine(SearchId(3), "refused".to_owned()).await;
    assert_eq!((spool.state().records, spool.state().quarantined), (1, 1));
}

#[tokio::test]
async fn only_one_process_opens_the_folder() {
    let folder = TempDir::new().expect("a folder");
    let spool = open(&folder);
    assert!(matches!(Spool::open(options(&folder)), Err(OpenError::InUse { .. })));
    close(spool).await;
    open(&folder);
}

#[tokio::test]
async fn a_file_grows_and_keeps_its_records() {
    let folder = TempDir::new().expect("a folder");
    let spool = open(&folder);
    spool.append(record(1)).await.expect("kept");
    close(spool).await;
    let larger = Options { capacity_bytes: 2 * CAPACITY, ..options(&folder) };
    let spool = Spool::open(larger).expect("opened");
    assert_eq!(spool.state().capacity_bytes, 2 * CAPACITY);
    assert_eq!(numbers(&spool.oldest(9)), [1]);
}

#[tokio::test]
async fn a_moved_file_takes_no_record_until_it_is_back() {
    let folder = TempDir::new().expect("a folder");
    let spool = open(&folder);
    spool.append(record(1)).await.expect("kept");
    let (file, elsewhere) = (folder.path().join("spool/records"), folder.path().join("elsewhere"));
    std::fs::rename(&file, &elsewhere).expect("moved");
    for _ in 0..2 {
        let refused = spool.append(record(2)).await;
        assert!(matches!(&refused, Err(AppendError::Io { reason }) if reason.contains("put it back")), "{refused:?}");
        // Another file in its place is not the spool's.
        std::fs::copy(&elsewhere, &file).expect("copied");
    }
    std::fs::rename(&elsewhere, &file).expect("moved back");
    spool.append(record(2)).await.expect("kept");
    close(spool).await;
    assert_eq!(numbers(&open(&folder).oldest(9)), [1, 2]);
}

#[tokio::test]
async fn a_file_has_one_owner_whatever_its_names_are() {
    let folder = TempDir::new().expect("a folder");
    let spool = open(&folder);
    let (linked, other) = (folder.path().join("linked"), folder.path().join("other"));
    std::os::unix::fs::symlink(folder.path().join("spool"), &linked).expect("linked");
    std::fs::create_dir(&other).expect("made");
    std::fs::hard_link(folder.path().join("spool/records"), other.join("records")).expect("linked");
    for alias in [linked, other] {
        let refused = Spool::open(Options { folder: alias, ..options(&folder) });
        assert!(matches!(refused, Err(OpenError::InUse { .. })), "{refused:?}");
    }
    close(spool).await;
}
