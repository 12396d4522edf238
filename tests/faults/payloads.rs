//! Jobs whose payload nobody can read.

use tests::server_process::Installation;

use crate::journal::Journal;
use crate::table::Tables;
use crate::verdict::assert_whole;

/// Kind, payload, and what the job says when it is given up.
const UNREADABLE: [(&str, &str, &str); 6] = [
    ("log_request", "", "EOF while parsing"),
    ("log_request", "not json", "expected"),
    ("log_request", r#"{"v":99,"id":"x"}"#, "its version is 99"),
    ("log_request", r#"{"v":1}"#, "missing field"),
    ("log_request", r#"{"v":1,"id":"no ulid"}"#, "the payload cannot be read"),
    ("make_tea", r#"{"v":1}"#, "does not know jobs of kind make_tea"),
];
/// Of each, so that they would fill every slot if they did not end.
const EACH: usize = 30;

#[tokio::test(flavor = "multi_thread")]
async fn payloads_that_cannot_be_read_are_dead_with_their_reason_and_hinder_no_other() {
    let installation = Installation::new();
    let journal = Journal::default();
    let server = installation.start(&["--no-worker"]).await;
    let mut tables = Tables::open(&installation.database()).await;
    for _ in 0..EACH {
        for (kind, payload, _) in UNREADABLE {
            tables.add_job(kind, None, payload).await;
        }
        assert!(journal.search(&server.client()).await.is_some());
    }
    server.kill().await;

    let server = installation.start(&["--workers", "8"]).await;
    assert!(journal.search(&server.client()).await.is_some());
    assert_whole(&installation, &journal).await;
    for (kind, payload, reason) in UNREADABLE {
        let dead = format!(
            "select count(*) from job where kind = '{kind}' and payload = '{payload}' and state = 'dead'
             and instr(error, '{reason}') > 0 and attempt = 1"
        );
        assert_eq!(tables.number(&dead).await, EACH as i64, "{payload:?} says {reason:?}");
    }
}
