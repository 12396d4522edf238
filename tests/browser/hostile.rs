//! Visitors search for strings designed to break pages, and an administrator reads them.

use serde_json::Value;
use tests::browser::{Browser, Role};
use tests::corpus::{Hostile, corpus, hostile};
use tests::eventually;
use tests::http_client::HttpClient;

use crate::{BrowserTest, job_about};

/// The elements that show visitors' texts. Each must clip its overflow.
const CELLS: &str = ".log_body .log_line > *, .drawer_facts dd, .job_about > span, .job_head_about, .payload, \
                     .letter_tiles, .results_letters, .results_phrase";

#[tokio::test]
async fn hostile_strings_are_inert_in_the_results() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.resize(360, 740).await;
    page.open("/").await;
    page.find(Role::Link, "Log in").await;
    let mut cells = 0;
    for hostile in corpus() {
        page.script(SUBMIT, vec![hostile.text.as_str().into(), hostile.letters().into()]).await;
        page.wait_for_text("Accepted").await;
        cells += assert_inert(page, &format!("the results of {}", hostile.name), "Welcome to search4letters").await;
    }
    assert!(cells >= 2 * corpus().len(), "phrases are shown twice, letters once: {cells} were checked");
    page.wait_for_text("In the log: row").await;
    for name in ["script", "override", "zalgo", "c0", "phrase_limit"] {
        let Hostile { text, .. } = hostile(name);
        page.script(SUBMIT, vec![text.as_str().into(), "aeiou".into()]).await;
        page.find(Role::Heading, "Here are your results:").await;
        page.assert_accessible(&format!("the results of {name}")).await;
    }
    test.finish().await;
}

#[tokio::test]
async fn hostile_strings_are_inert_for_administrators() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    let client = test.client();
    for hostile in corpus() {
        search(&client, hostile).await;
    }
    page.open("/viewlog").await;
    page.wait_for_text(&format!("through row {}", corpus().len())).await;
    for width in [1280, 360] {
        page.resize(width, 740).await;
        check_all_rows(page, width).await;
        page.assert_accessible(&format!("the log at {width}")).await;
    }
    // Still at 360: the drawer of every row and the page of every job.
    for (number, hostile) in (1..).zip(corpus()) {
        page.script(GO, vec![format!("/viewlog?row={number}").into()]).await;
        page.wait_for_text(&format!("Row {number}")).await;
        let cells = assert_inert(page, &format!("the drawer of {}", hostile.name), "Log").await;
        assert!(cells >= 8, "{cells} cells of the drawer were checked");
        let job = page.attribute(".drawer_foot a", "href").await.expect("a row has a job");
        page.script(GO, vec![job.as_str().into()]).await;
        eventually("the job's payload is shown", async || {
            page.texts(".payload").await.concat().contains("\"phrase\"").then_some(())
        })
        .await;
        let cells = assert_inert(page, &format!("the job of {}", hostile.name), &job.replace("/jobs/", "Job #")).await;
        assert_eq!(cells, 2, "the job's subject and its payload");
    }
    page.assert_accessible("a job").await;
    for before in ["", "?before=71", "?before=21"] {
        page.open(&format!("/jobs{before}")).await;
        page.wait_for_text("log_request").await;
        let cells = assert_inert(page, &format!("the list of jobs {before}"), "Jobs").await;
        assert!(cells >= 15, "{cells} jobs were checked");
    }
    page.assert_accessible("the list of jobs").await;
    test.finish().await;
}

#[tokio::test]
async fn invisible_characters_are_made_visible() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    let pictured = [
        ("override", "invoice\\u{202e}gnp.exe"),
        ("nul", "before␀after"),
        ("osc_title", "␛]0;taken over␇title"),
        ("zero_width", "pass\\u{200b}word"),
        ("isolate_closing", "\\u{2069}\\u{2069}\\u{202c}\\u{202c} after"),
        ("script", "<script data-hostile>window.hostile = 'script'</script>"),
    ];
    for (number, (name, shown)) in (1..).zip(pictured) {
        search(&test.client(), hostile(name)).await;
        page.open("/viewlog").await;
        page.wait_for_text(&format!("through row {number}")).await;
        page.open(&format!("/viewlog?row={number}")).await;
        page.wait_for_text(&format!("Row {number}")).await;
        eventually(&format!("row and drawer show {shown}"), async || {
            let drawn = page.texts(".log_phrase, .drawer_facts dd:first-of-type").await;
            (drawn.iter().filter(|text| text.contains(shown)).count() == 2).then_some(())
        })
        .await;
    }
    page.open("/jobs").await;
    let job = job_about(page, "gnp.exe").await;
    page.open(&format!("/jobs/{job}")).await;
    page.wait_for_text("invoice\\u{202e}gnp.exe").await;
    test.finish().await;
}

/// Sends the string as phrase and letters, and as User-Agent if a header can hold it.
async fn search(client: &HttpClient, hostile: &Hostile) {
    let client = match hostile.header().as_ref().and_then(|header| header.to_str().ok()) {
        Some(header) => client.clone().with_user_agent(header),
        None => client.clone(),
    };
    let answer = client.post_encoded("/api/search", hostile.form()).await.expect("the server answers");
    assert_eq!(answer.status, 200, "{}: {}", hostile.name, answer.body);
}

/// Scrolls from the first row to the last and checks everything that is drawn on the way.
async fn check_all_rows(page: &Browser, width: u32) {
    let mut at = 0;
    loop {
        let end = page
            .script(
                "const e = document.querySelector('[role=grid]'); e.scrollTop = arguments[0]; \
                               return e.scrollHeight - e.clientHeight",
                vec![at.into()],
            )
            .await;
        eventually("the rows in sight are drawn", async || {
            page.script(FILLS_THE_GRID, vec![]).await.as_bool().filter(|is_filled| *is_filled)
        })
        .await;
        let cells = assert_inert(page, &format!("the log at {width}, {at} px down"), "Log").await;
        assert!(cells >= 60, "{cells} cells of the log were checked");
        if end.as_i64().is_none_or(|end| at >= end) {
            break;
        }
        at += 400;
    }
}

/// Panics if a visitor's text affects the page in its current state. Returns the number of cells that were checked.
async fn assert_inert(page: &Browser, what: &str, title: &str) -> usize {
    let found: Value = page.script(INSPECT, vec![CELLS.into()]).await;
    assert_eq!(found["ran"], Value::Null, "{what}: a script ran");
    assert_eq!(found["elements"], 0, "{what}: a text has become an element");
    assert_eq!(found["acting"], Value::Null, "{what}: a text changes the text beside it");
    assert_eq!(found["uncut"], Value::Null, "{what}: a text overflows its cell");
    let seen = found["title"].as_str().unwrap_or_default();
    assert!(seen.starts_with(title) && seen.ends_with("· search4letters"), "{what}: the title is {seen:?}");
    page.assert_fits_its_width(what).await;
    usize::try_from(found["cells"].as_u64().expect("INSPECT counts them")).expect("a count")
}

/// Fills the form and submits it.
const SUBMIT: &str = r"
for (const [name, text] of [['phrase', arguments[0]], ['letters', arguments[1]]]) {
    const field = document.getElementById(name);
    field.value = text;
    field.dispatchEvent(new InputEvent('input', {bubbles: true}));
}
document.querySelector('.search_form').requestSubmit();
";

/// Follows a link within the client, without loading the document again.
const GO: &str = r"
const link = document.createElement('a');
link.href = arguments[0];
document.body.append(link);
link.click();
link.remove();
";

const FILLS_THE_GRID: &str = r"
const grid = document.querySelector('[role=grid]').getBoundingClientRect();
const lines = [...document.querySelectorAll('.log_body .log_line')].map(line => line.getBoundingClientRect());
return lines.some(line => line.bottom >= grid.bottom - 2) && lines.some(line => line.top <= grid.top + 70);
";

/// Returns what is wrong with the page, if anything.
const INSPECT: &str = r"
const acts = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
const texts = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
// The marks repeat the text of the field under them, which shows it as it is.
while (walker.nextNode()) if (!walker.currentNode.parentElement.closest('.phrase_marks')) texts.push(walker.currentNode.data);
document.querySelectorAll('[title], [aria-label]').forEach(element => texts.push(element.title, element.ariaLabel ?? ''));
const cells = [...document.querySelectorAll(arguments[0])];
const uncut = cells.find(cell => getComputedStyle(cell).overflowY === 'visible');
return {
    ran: window.hostile ?? null,
    elements: document.querySelectorAll('[data-hostile]').length,
    acting: texts.find(text => acts.test(text)) ?? null,
    uncut: uncut?.className ?? null,
    cells: cells.length,
    title: document.title,
};
";
