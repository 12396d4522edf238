//! The same id sent twice is one search.

use api::{ErrorCode, SearchAnswer, TimeMs};
use tests::eventually;

use crate::site::Site;

const ID: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

#[tokio::test]
async fn the_same_search_again_gives_the_same_answer_and_one_row() {
    let site = Site::start().await;
    let fields = [("phrase", "hello"), ("id", ID)];
    let first = site.search(&fields).await;
    assert_eq!(first.id.to_string(), ID);
    assert_eq!(site.search(&fields).await, first);
    site.log_of(1).await;
    assert_eq!(site.search(&fields).await, first, "also once it is recorded");
    assert_eq!(site.search(&[("phrase", "hello"), ("id", &ID.to_lowercase())]).await, first, "however it is spelled");
    // A search that comes later is recorded later: by then a second row of the first would be there.
    site.search(&[("phrase", "later")]).await;
    let rows = site.log_of(2).await;
    assert_eq!(rows.iter().map(|row| row.phrase.as_str()).collect::<Vec<_>>(), ["hello", "later"]);
}

#[tokio::test]
async fn a_hundred_at_once_with_one_id_are_one_search() {
    let site = Site::start().await;
    let answers = futures::future::join_all((0..100).map(|_| site.search(&[("phrase", "hello"), ("id", ID)]))).await;
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    site.search(&[("phrase", "later")]).await;
    assert_eq!(site.log_of(2).await.len(), 2);
}

#[tokio::test]
async fn another_search_with_the_same_id_is_a_conflict() {
    let site = Site::plan().without_worker().start().await;
    site.search(&[("phrase", "hello"), ("letters", "aeiou"), ("id", ID)]).await;
    is_a_conflict(&site).await;
    let implied: SearchAnswer = site.search(&[("phrase", "hello"), ("id", ID)]).await;
    assert_eq!(implied.letters, "aeiou", "the letters that are meant when none are given are the same search");
}

#[tokio::test]
async fn it_is_a_conflict_even_when_only_the_log_row_is_left() {
    let site = Site::start().await;
    let fields = [("phrase", "hello"), ("letters", "aeiou"), ("id", ID)];
    let first = site.search(&fields).await;
    eventually("the job is done and pruned", async || {
        let pruned = site.store().prune_jobs(TimeMs(i64::MAX), 100).await.expect("the store answers");
        (pruned == 1).then_some(())
    })
    .await;
    is_a_conflict(&site).await;
    assert_eq!(site.search(&fields).await, first);
    assert_eq!(site.log().await.len(), 1);
    assert_eq!(site.store().job_counts().await.expect("counted").of(api::JobState::Waiting), 0, "no second job");
}

async fn is_a_conflict(site: &Site) {
    for other in [
        [("phrase", "Hello"), ("letters", "aeiou"), ("id", ID)],
        [("phrase", "hello"), ("letters", "uoiea"), ("id", ID)],
        [("phrase", "hello"), ("letters", ""), ("id", ID)],
        [("phrase", ""), ("letters", "aeiou"), ("id", ID)],
    ] {
        site.searching(&other).send().await.refused(409, ErrorCode::Conflict, Some("id"));
    }
}
