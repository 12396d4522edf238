//! A search's response and log row, and the idempotency of its id.

use api::{ErrorCode, Recorded, SearchAnswer, SearchId, TimeMs};
use serde_json::{Value, json};
use tests::eventually;

use crate::test_server::{TestServer, untimed};

#[tokio::test]
async fn a_response_has_exactly_these_members() {
    let server = TestServer::start().await;
    let answer = server.post_form("/api/search", "phrase=life, the universe&letters=aeiou").send().await;
    let Value::Object(mut answer) = answer.ok() else { panic!("an object") };
    let id = answer.remove("id").expect("an id");
    id.as_str().and_then(|id| id.parse::<SearchId>().ok()).expect("the id is a ULID");
    let receipt = answer.remove("receipt").expect("a receipt");
    assert!(receipt.as_str().is_some_and(|receipt| receipt.len() >= 22), "{receipt}: 128 bits cannot be guessed");
    let took = answer.remove("accepted_in_ms").expect("a time");
    assert!(took.is_u64(), "{took}");
    let rest = json!({
        "phrase": "life, the universe",
        "letters": "aeiou",
        "results": ["e", "i", "u"],
        "text": "{'e', 'i', 'u'}",
        "recorded": "accepted",
    });
    assert_eq!(Value::Object(answer), rest);
}

#[tokio::test]
async fn absent_letters_are_the_vowels_and_empty_ones_are_none() {
    let server = TestServer::start().await;
    let absent = server.search(&[("phrase", "education")]).await;
    assert_eq!((absent.letters.as_str(), absent.text.as_str()), ("aeiou", "{'a', 'e', 'i', 'o', 'u'}"));
    let empty = server.search(&[("phrase", "education"), ("letters", "")]).await;
    assert_eq!((empty.letters.as_str(), empty.text.as_str()), ("", "set()"));
    assert_eq!(empty.results, [""; 0]);
    let without_equals: SearchAnswer = server.post_form("/api/search", "phrase=a&letters").send().await.ok();
    assert_eq!(without_equals.letters, "");
}

#[tokio::test]
async fn an_empty_phrase_is_searched_like_any_other() {
    let server = TestServer::start().await;
    let answer = server.search(&[("phrase", "")]).await;
    assert_eq!((answer.text.as_str(), answer.recorded), ("set()", Recorded::Accepted));
    assert_eq!(server.log_with_rows(1).await[0].phrase, "");
}

#[tokio::test]
async fn plus_is_a_space_and_percent_is_any_byte() {
    let server = TestServer::start().await;
    let answer: SearchAnswer = server.post_form("/api/search", "phrase=a+b%2Bc%26d&letters=%2B%20").send().await.ok();
    assert_eq!((answer.phrase.as_str(), answer.letters.as_str()), ("a b+c&d", "+ "));
    assert_eq!(answer.text, "{' ', '+'}");
}

#[tokio::test]
async fn unknown_fields_change_nothing() {
    let server = TestServer::start().await;
    let answer =
        server.search(&[("submit", "Do it!"), ("phrase", "aha"), ("results", "forged"), ("ip", "1.1.1.1")]).await;
    assert_eq!(answer.text, "{'a'}");
    let row = &server.log_with_rows(1).await[0];
    assert_eq!((row.results.as_str(), row.ip.as_str()), ("{'a'}", "127.0.0.1"));
}

#[tokio::test]
async fn the_log_row_holds_the_response_and_the_client() {
    let server = TestServer::start().await;
    let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    let answer: SearchAnswer = server
        .searching(&[("phrase", "hitch-hiker"), ("letters", "xyzhk")])
        .header("user-agent", firefox)
        .peer("192.0.2.7")
        .send()
        .await
        .ok();
    let rows = server.log_with_rows(1).await;
    let [row] = &rows[..] else { panic!("one row: {rows:?}") };
    assert_eq!((row.search_id, &row.phrase, &row.letters), (answer.id, &answer.phrase, &answer.letters));
    assert_eq!((&row.results, row.results.as_str()), (&answer.text, "{'h', 'k'}"));
    assert_eq!(
        (row.ip.as_str(), row.browser_family.as_str(), row.user_agent.as_str()),
        ("192.0.2.7", "Firefox", firefox)
    );
}

#[tokio::test]
async fn every_character_is_unchanged_in_the_response_and_in_the_log() {
    let server = TestServer::start().await;
    let phrases = [
        "a\0b",
        "\u{7f}\u{1b}[31m\r\n\t",
        "'; drop table log; --",
        "\u{feff}\u{202e}שלום 👩‍👩‍👧‍👦 e\u{301} \u{10ffff}\u{fffd}",
        "<script>alert(1)</script>&amp;%00%",
        "\"\\u0000\\",
    ];
    for phrase in phrases {
        let answer = server.search(&[("phrase", phrase), ("letters", phrase)]).await;
        assert_eq!((answer.phrase.as_str(), answer.letters.as_str()), (phrase, phrase));
    }
    let rows = server.log_with_rows(phrases.len()).await;
    for phrase in phrases {
        assert!(rows.iter().any(|row| row.phrase == phrase && row.letters == phrase), "{phrase:?} in {rows:#?}");
    }
}

#[tokio::test]
async fn an_unusual_user_agent_is_logged() {
    let server = TestServer::start().await;
    let cases: [(&[u8], &str); 3] =
        [(b"\xff\xfe curl", "\u{fffd}\u{fffd} curl"), (b"", ""), (&[b'x'; 5000], &"x".repeat(1000))];
    for (header, _) in cases {
        let answer = server.searching(&[("phrase", "a")]).header("user-agent", header).send().await;
        let _: SearchAnswer = answer.ok();
    }
    let rows = server.log_with_rows(cases.len()).await;
    for (_, logged) in cases {
        assert!(rows.iter().any(|row| row.user_agent == logged), "{logged:?}");
    }
}

const ID: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

#[tokio::test]
async fn the_same_search_again_gives_the_same_answer_and_one_row() {
    let server = TestServer::start().await;
    let fields = [("phrase", "hello"), ("id", ID)];
    let first = untimed(server.search(&fields).await);
    assert_eq!(first.id.to_string(), ID);
    assert_eq!(untimed(server.search(&fields).await), first);
    server.log_with_rows(1).await;
    assert_eq!(untimed(server.search(&fields).await), first, "also once it is recorded");
    let in_small_letters = server.search(&[("phrase", "hello"), ("id", &ID.to_lowercase())]).await;
    assert_eq!(untimed(in_small_letters), first, "however it is spelled");
    // Rows are recorded in order, so a second row of the first search would precede this one.
    server.search(&[("phrase", "later")]).await;
    let rows = server.log_with_rows(2).await;
    assert_eq!(rows.iter().map(|row| row.phrase.as_str()).collect::<Vec<_>>(), ["hello", "later"]);
}

#[tokio::test]
async fn a_hundred_concurrent_requests_with_one_id_are_one_search() {
    let server = TestServer::start().await;
    let answers = futures::future::join_all((0..100).map(|_| server.search(&[("phrase", "hello"), ("id", ID)]))).await;
    let answers: Vec<_> = answers.into_iter().map(untimed).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    server.search(&[("phrase", "later")]).await;
    assert_eq!(server.log_with_rows(2).await.len(), 2);
}

#[tokio::test]
async fn another_search_with_the_same_id_is_a_conflict() {
    let server = TestServer::builder().without_worker().start().await;
    server.search(&[("phrase", "hello"), ("letters", "aeiou"), ("id", ID)]).await;
    is_a_conflict(&server).await;
    let implied: SearchAnswer = server.search(&[("phrase", "hello"), ("id", ID)]).await;
    assert_eq!(implied.letters, "aeiou", "the letters that are meant when none are given are the same search");
}

#[tokio::test]
async fn a_conflict_is_detected_when_only_the_log_row_is_left() {
    let server = TestServer::start().await;
    let fields = [("phrase", "hello"), ("letters", "aeiou"), ("id", ID)];
    let first = untimed(server.search(&fields).await);
    eventually("the job is done and pruned", async || {
        let pruned = server.store().prune_jobs(TimeMs(i64::MAX), 100).await.expect("the store answers");
        (pruned == 1).then_some(())
    })
    .await;
    is_a_conflict(&server).await;
    assert_eq!(untimed(server.search(&fields).await), first);
    assert_eq!(server.log().await.len(), 1);
    assert_eq!(server.store().job_counts().await.expect("counted").of(api::JobState::Waiting), 0, "no second job");
}

async fn is_a_conflict(server: &TestServer) {
    for other in [
        [("phrase", "Hello"), ("letters", "aeiou"), ("id", ID)],
        [("phrase", "hello"), ("letters", "uoiea"), ("id", ID)],
        [("phrase", "hello"), ("letters", ""), ("id", ID)],
        [("phrase", ""), ("letters", "aeiou"), ("id", ID)],
    ] {
        server.searching(&other).send().await.refused(409, ErrorCode::Conflict, Some("id"));
    }
}
