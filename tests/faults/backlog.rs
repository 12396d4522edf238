//! A backlog that a server finds when it starts.

use std::time::Duration;

use serde_json::json;
use tests::server_process::Installation;

use crate::extent::by_extent;
use crate::journal::Journal;
use crate::table::Tables;
use crate::yardstick::Yardstick;

/// So many jobs go into the database with one statement.
const CHUNK: usize = 10_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_huge_backlog_is_worked_off_while_searches_are_answered_at_once() {
    let (jobs, patience_s) = by_extent((100_000, 120), (1_000_000, 1_200));
    let installation = Installation::new();
    let journal = Journal::default();
    installation.start(&[]).await.kill().await;
    let mut tables = Tables::open(&installation.database()).await;
    for chunk in journal.promise(jobs).chunks(CHUNK) {
        let jobs: Vec<_> =
            chunk.iter().map(|(id, phrase)| (id.to_string(), log_request(&id.to_string(), phrase))).collect();
        tables.add_jobs("log_request", &jobs).await;
    }

    let server = installation.start(&[]).await;
    let yardstick = Yardstick::hold_to(&installation);
    for _ in 0..100 {
        assert!(journal.search(&server.client()).await.is_some());
    }
    yardstick.assert_nobody_waited(&journal);
    tables.settled(&journal, Duration::from_secs(patience_s)).await;
    tables.assert_logged(&journal).await;
}

fn log_request(id: &str, phrase: &str) -> String {
    json!({
        "v": 1, "id": id, "phrase": phrase, "letters": "aeiou", "results": "{'e', 'i', 'u'}", "ip": "127.0.0.1",
        "browser_string": "Firefox", "user_agent": "Firefox", "searched_at": 1_700_000_000_000_i64,
    })
    .to_string()
}
