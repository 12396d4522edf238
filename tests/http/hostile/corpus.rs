//! Each string of the stored corpus, sent wherever a string can be sent, comes back as it was and does nothing.

use std::collections::BTreeMap;

use api::{ErrorCode, JobDetail, JobState, JobsPage, LogFilter, LogRow, ReceiptState, SearchAnswer};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use tests::corpus::{Hostile, corpus};

use crate::events::Events;
use crate::site::Site;

/// So many characters of a phrase stand in the list of jobs.
const ABOUT: usize = 80;

/// A site that has searched the whole corpus, each with the string as phrase, as letters and as User-Agent.
pub(crate) async fn searched() -> (Site, String, Vec<SearchAnswer>) {
    let site = Site::start().await;
    let admin = site.admin().await;
    let mut answers = Vec::new();
    for hostile in corpus() {
        let mut ask = site.post_form("/api/search", hostile.form());
        if let Some(header) = hostile.header() {
            ask = ask.header("user-agent", header);
        }
        let answer: SearchAnswer = ask.send().await.ok();
        assert_eq!((&answer.phrase, &answer.letters), (&hostile.text, &hostile.letters()), "{}", hostile.name);
        answers.push(answer);
    }
    site.log_of(corpus().len()).await;
    (site, admin, answers)
}

/// The row of each search, by the hostile string's name, as `rows` has it.
pub(crate) fn assert_as_sent(rows: Vec<LogRow>, answers: &[SearchAnswer]) {
    assert_eq!(rows.len(), corpus().len(), "no string has become two rows, or none");
    let by_search: BTreeMap<_, _> = rows.into_iter().map(|row| (row.search_id, row)).collect();
    for (hostile, answer) in corpus().iter().zip(answers) {
        let Hostile { name, text } = hostile;
        let row = &by_search[&answer.id];
        assert_eq!((&row.phrase, &row.letters, &row.results), (text, &hostile.letters(), &answer.text), "{name}");
        let user_agent = hostile.header().map(|_| text.chars().take(1_000).collect::<String>());
        assert_eq!(row.user_agent, user_agent.unwrap_or_default(), "{name}");
        assert!(!row.results.contains(char::is_control), "{name}: {:?}", row.results);
    }
}

#[tokio::test]
async fn it_is_logged_exported_and_streamed_as_it_was_sent() {
    let (site, admin, answers) = searched().await;
    assert_as_sent(site.log().await, &answers);

    let export = site.get("/api/admin/log/rows").cookie(&admin).send().await;
    assert_inert(&export.text());
    assert_as_sent(export.lines(), &answers);

    let (_, _, body) = site.get("/api/admin/log/events?after=0").cookie(&admin).open().await;
    let mut events = Events::of(body);
    let mut rows = Vec::new();
    while rows.len() < corpus().len() {
        let event = events.expect("row").await;
        assert_inert(&event.data);
        rows.push(event.json());
    }
    events.expect("through").await;
    assert_as_sent(rows, &answers);
}

/// Read in a terminal, a stream of rows commands nothing and stands in the order that it has.
pub(crate) fn assert_inert(text: &str) {
    let acts =
        |&c: &char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert_eq!(text.chars().find(acts), None);
}

#[tokio::test]
async fn its_receipt_and_its_job_are_like_any_other() {
    let (site, admin, answers) = searched().await;
    let mut listed = BTreeMap::new();
    let mut before = None;
    loop {
        let body = json!({"filter": {"state": null}, "before": before});
        let page: JobsPage = site.post_json("/api/admin/jobs/list", &body).cookie(&admin).send().await.ok();
        listed.extend(page.jobs.into_iter().map(|job| (job.id, job)));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    let rows: BTreeMap<_, _> = site.log().await.into_iter().map(|row| (row.search_id, row)).collect();
    for (Hostile { name, text }, answer) in corpus().iter().zip(&answers) {
        let row = &rows[&answer.id];
        let receipt = format!("/api/receipts/{}", answer.receipt.0);
        // The row is there a moment before its job is done.
        let receipt: ReceiptState = tests::eventually("the job is done", async || {
            Some(site.get(&receipt).send().await.ok::<ReceiptState>()).filter(|state| state.state.is_final())
        })
        .await;
        assert_eq!((receipt.state, receipt.row), (JobState::Done, Some(row.seq)), "{name}");

        let about = &listed[&row.job_id].about;
        let start: String = text.chars().take(ABOUT).collect();
        assert_eq!(about.strip_suffix('…').unwrap_or(about), start, "{name}");

        let body = json!({"id": row.job_id});
        let job: JobDetail = site.post_json("/api/admin/jobs/show", &body).cookie(&admin).send().await.ok();
        let payload: Value = serde_json::from_str(&job.payload).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((payload["phrase"].as_str(), job.log_row), (Some(text.as_str()), Some(row.seq)), "{name}");
    }
}

#[tokio::test]
async fn as_a_filter_it_finds_its_own_row() {
    let (site, admin, answers) = searched().await;
    // Longer ones make an address that no server reads.
    for (Hostile { name, text }, answer) in
        corpus().iter().zip(&answers).filter(|(hostile, _)| hostile.text.len() < 1_000)
    {
        // In quotes, where nothing has a meaning.
        let filter = LogFilter::anywhere(text).to_string();
        let path = format!("/api/admin/log/rows?q={}", utf8_percent_encode(&filter, NON_ALPHANUMERIC));
        let answer_text = site.get(&path).cookie(&admin).send().await.text();
        let lines = answer_text.split_terminator('\n');
        // The last line says how far it was looked for them.
        let found: Vec<LogRow> = lines.filter_map(|line| serde_json::from_str(line).ok()).collect();
        assert!(found.iter().any(|row| row.search_id == answer.id), "{name}");
        let contains = |row: &LogRow| {
            let columns = [&row.phrase, &row.letters, &row.results, &row.ip, &row.browser_string, &row.user_agent];
            columns.iter().any(|column| column.to_ascii_lowercase().contains(&text.to_ascii_lowercase()))
        };
        assert!(found.iter().all(contains), "{name} is a text and no pattern");
    }
}

#[tokio::test]
async fn where_it_has_no_business_it_is_refused() {
    let site = Site::start().await;
    let admin = site.admin().await;
    for hostile in corpus() {
        let text = &hostile.text;
        let short: String = text.chars().take(500).collect();
        let short = utf8_percent_encode(&short, NON_ALPHANUMERIC).to_string();
        let asks = [
            site.post_json("/api/login", &json!({"name": text, "password": text})),
            site.post_json("/api/setup", &json!({"token": text, "name": text, "password": text})),
            site.post_json("/api/admin/jobs/show", &json!({"id": text})).cookie(&admin),
            site.post_json("/api/admin/jobs/list", &json!({"filter": {"state": text}, "before": null})).cookie(&admin),
            site.post_form("/api/search", format!("phrase=a&id={}", tests::corpus::minimally_encoded(text))),
            site.get(&format!("/api/receipts/x{short}")),
            site.get(&format!("/api/nothing/{short}")),
            site.get(&format!("/api/admin/log/rows?before=x{short}")).cookie(&admin),
        ];
        for ask in asks {
            let path = ask.path().to_owned();
            let answer = ask.send().await;
            assert!(!answer.status.is_success(), "{} at {path}", hostile.name);
            answer.is_fit();
        }
        if let Some(header) = hostile.header() {
            let cookie = [b"search4letters=", header.as_bytes()].concat();
            let refused = site.get("/api/admin/log/rows").header("cookie", cookie).send().await;
            refused.refused(401, ErrorCode::SignedOut, None);
        }
    }
    assert_eq!(site.log().await, []);
}
