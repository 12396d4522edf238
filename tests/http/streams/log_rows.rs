//! The rows that are there, as lines of JSON.

use api::{ErrorCode, LogRow};
use futures::StreamExt;
use sqlx::{Connection, SqliteConnection};

use super::{phrases, write};
use crate::site::Site;

async fn rows(site: &Site, admin: &str, query: &str) -> Vec<LogRow> {
    site.get(&format!("/api/admin/log/rows{query}")).cookie(admin).send().await.lines()
}

#[tokio::test]
async fn rows_come_newest_first_and_page_by_page() {
    let site = Site::plan().without_worker().start().await;
    let admin = site.admin().await;
    assert_eq!(rows(&site, &admin, "").await, []);
    let seqs = write(&site, ["one", "two", "three", "four", "five"]).await;
    assert_eq!(phrases(&rows(&site, &admin, "").await), ["five", "four", "three", "two", "one"]);
    let page = rows(&site, &admin, "?limit=2").await;
    assert_eq!(phrases(&page), ["five", "four"]);
    let before = format!("?limit=2&before={}", page[1].seq.0);
    assert_eq!(phrases(&rows(&site, &admin, &before).await), ["three", "two"]);
    assert_eq!(rows(&site, &admin, &format!("?before={}", seqs[0].0)).await, []);
    assert_eq!(rows(&site, &admin, "?limit=0").await, []);
    assert_eq!(rows(&site, &admin, &format!("?before={}", i64::MIN)).await, []);
    assert_eq!(rows(&site, &admin, &format!("?before={}", i64::MAX)).await.len(), 5);
    let newer = format!("?limit=2&after={}", seqs[1].0);
    assert_eq!(phrases(&rows(&site, &admin, &newer).await), ["three", "four"], "from the nearest upwards");
    assert_eq!(rows(&site, &admin, &format!("?after={}", i64::MAX)).await, []);
}

#[tokio::test]
async fn without_a_limit_there_are_a_thousand_and_never_more_than_ten_thousand() {
    let site = Site::plan().without_worker().start().await;
    let admin = site.admin().await;
    write(&site, (0..10_001).map(|number| number.to_string())).await;
    assert_eq!(rows(&site, &admin, "").await.len(), 1_000);
    let most = rows(&site, &admin, "?limit=4294967295").await;
    assert_eq!(most.len(), 10_000);
    assert!(most.windows(2).all(|pair| pair[0].seq > pair[1].seq), "newest first, none twice");
}

#[tokio::test]
async fn the_first_rows_are_there_before_the_last_are_read() {
    let site = Site::plan().without_worker().start().await;
    let admin = site.admin().await;
    let seqs = write(&site, (0..2_000).map(|number| number.to_string())).await;
    let (_, _, body) = site.get("/api/admin/log/rows?limit=2000").cookie(&admin).open().await;
    let mut chunks = body.into_data_stream();
    let first = chunks.next().await.expect("a chunk").expect("the stream does not break");
    assert!(first.ends_with(b"\n"), "rows are not torn");
    let newest: LogRow =
        serde_json::from_slice(first.split(|&byte| byte == b'\n').next().expect("a line")).expect("a row");
    assert_eq!(newest.seq, *seqs.last().expect("2,000 rows"));

    // What was read already would still come; what is read only now is gone.
    let file = format!("sqlite:{}/search4letters.db", site.folder.path().display());
    let mut other = SqliteConnection::connect(&file).await.expect("the file opens");
    let deleted = sqlx::query("delete from log where id <= ?").bind(seqs[999].0).execute(&mut other).await;
    assert_eq!(deleted.expect("deleted").rows_affected(), 1_000);
    let mut lines = first.iter().filter(|&&byte| byte == b'\n').count();
    while let Some(chunk) = chunks.next().await {
        lines += chunk.expect("the stream does not break").iter().filter(|&&byte| byte == b'\n').count();
    }
    assert_eq!(lines, 1_000, "the rows that were deleted while the first were sent had been read before");
}

#[tokio::test]
async fn a_stream_that_breaks_says_so_in_its_last_line() {
    let site = Site::plan().without_worker().start().await;
    let admin = site.admin().await;
    write(&site, (0..2_000).map(|number| number.to_string())).await;
    let (_, _, body) = site.get("/api/admin/log/rows?limit=2000").cookie(&admin).open().await;
    let mut chunks = body.into_data_stream();
    let mut text = chunks.next().await.expect("a chunk").expect("the stream does not break").to_vec();
    site.store().close().await;
    while let Some(chunk) = chunks.next().await {
        text.extend_from_slice(&chunk.expect("the stream does not break"));
    }
    let text = String::from_utf8(text).expect("JSON is UTF-8");
    let last: api::ApiError = serde_json::from_str(text.lines().last().expect("a line")).expect("an error");
    assert_eq!(last.code, ErrorCode::Unavailable);
    assert!(text.lines().count() < 2_000);
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_refused() {
    let site = Site::plan().without_worker().start().await;
    let admin = site.admin().await;
    for query in [
        "before=abc",
        "before=",
        "before=1.5",
        "before=99999999999999999999",
        "limit=-1",
        "limit=x",
        "q=a&q=b",
        "before=1&after=1",
        "at=1&before=1",
    ] {
        let refused = site.get(&format!("/api/admin/log/rows?{query}")).cookie(&admin).send().await;
        refused.refused(400, ErrorCode::Invalid, None);
    }
    for query in ["after=abc", "after=1&after=2"] {
        let refused = site.get(&format!("/api/admin/log/events?{query}")).cookie(&admin).send().await;
        refused.refused(400, ErrorCode::Invalid, None);
    }
}

#[tokio::test]
async fn a_filter_that_is_no_text_is_refused_and_not_taken_for_another() {
    let site = Site::plan().without_worker().start().await;
    let admin = site.admin().await;
    write(&site, ["\u{fffd}"]).await;
    for query in ["q=%ff", "q=%C0%AF", "q=%ED%A0%80", "q=a&%ff=x"] {
        for path in ["rows", "events"] {
            let refused = site.get(&format!("/api/admin/log/{path}?{query}")).cookie(&admin).send().await;
            refused.refused(400, ErrorCode::Invalid, None);
        }
    }
}
