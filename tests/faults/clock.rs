//! A wall clock that is set by hours, both ways, while jobs wait, run and are tried again.

use std::fs;
use std::path::PathBuf;

use tests::eventually;
use tests::server_process::Installation;

use crate::journal::Journal;
use crate::table::Tables;
use crate::verdict::assert_whole;

const SLOTS: i64 = 4;

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_by_hours_stalls_no_job_and_doubles_none() {
    let installation = Installation::new();
    let stamp = installation.folder().join("clock");
    let set_clock = |offset: &str| fs::write(&stamp, offset).expect("the folder is there");
    set_clock("+0");
    let installation = installation
        .with_variable("LD_PRELOAD", libfaketime())
        .with_variable("FAKETIME_TIMESTAMP_FILE", &stamp)
        .with_variable("FAKETIME_NO_CACHE", "1")
        // The machine's own count of seconds does not jump when somebody sets its clock.
        .with_variable("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let journal = Journal::default();
    let server = installation.start(&["--log-delay", "1s", "--workers", &SLOTS.to_string()]).await;
    let client = server.client();
    let mut tables = Tables::open(&installation.database()).await;
    // One in ten cannot be written at first.
    tables
        .run(
            "create trigger refused before insert on log when new.phrase like '%3'
             begin select raise(abort, 'not now'); end",
        )
        .await;
    let done = "select count(*) from job where state = 'done'";
    for offset in ["+5h", "-7h", "+48h", "+0"] {
        for _ in 0..10 {
            assert!(journal.search(&client).await.is_some());
        }
        eventually("some wait, some run, one is tried again", async || {
            let jobs = tables.jobs().await;
            ["waiting", "running", "retrying"].iter().all(|state| jobs.contains_key(*state)).then_some(())
        })
        .await;
        set_clock(offset);
        let before = tables.number(done).await;
        // More than were running when the clock was set.
        eventually("jobs go on", async || (tables.number(done).await > before + SLOTS).then_some(())).await;
    }
    tables.run("drop trigger refused").await;
    assert_whole(&installation, &journal).await;
    assert_eq!(tables.number("select count(*) from attempt where outcome not in ('done', 'failed')").await, 0);
    let span = "select (max(recorded_at_ms) - min(recorded_at_ms)) / 3600000 from log";
    assert!(tables.number(span).await >= 54, "the clock was not set by so many hours");
}

/// Debian and Ubuntu keep it in the folder of the machine's kind.
pub(crate) fn libfaketime() -> PathBuf {
    let kinds = fs::read_dir("/usr/lib").expect("every Linux has it").filter_map(Result::ok);
    let mut places = kinds.map(|kind| kind.path().join("faketime/libfaketime.so.1"));
    places.find(|file| file.is_file()).expect("libfaketime is there: cargo xtask faults installs it (package faketime)")
}
