//! The filter of the jobs: completion, cells, errors and their mends, by pointer and by keyboard.

use api::JobState;
use tests::browser::{Browser, Role, key};
use tests::eventually;

use crate::jobs::wait_for_count;
use crate::{BrowserTest, search};

const FIELD: &str = "Filter the jobs";

async fn wait_for_jobs(page: &Browser, jobs: &[&str]) {
    eventually(&format!("the list shows {jobs:?}"), async || {
        (page.texts(".job_about > span").await == jobs).then_some(())
    })
    .await;
}

/// Two jobs, of which the first is cancelled.
async fn cancelled_and_running() -> BrowserTest {
    let test = BrowserTest::as_administrator(&["--log-delay", "1h"]).await;
    let page = &test.browser;
    search(&test.client(), 1, "hello first").await;
    page.open("/jobs").await;
    wait_for_jobs(page, &["hello first"]).await;
    page.click(Role::Button, "Cancel job").await;
    wait_for_count(page, JobState::Cancelled, "1").await;
    search(&test.client(), 2, "hello second").await;
    wait_for_count(page, JobState::Running, "1").await;
    // On a job's buttons, the pointer would hold the list.
    page.click(Role::Heading, "Jobs").await;
    test
}

#[tokio::test]
async fn a_filter_is_in_the_address_and_the_list_stays_live() {
    let test = cancelled_and_running().await;
    let page = &test.browser;
    page.fill(FIELD, "phrase:~second since:1h").await;
    wait_for_jobs(page, &["hello second"]).await;
    page.wait_for_path("the filter is in the address", |path| path == "/jobs?q=phrase:~second%20since:1h").await;
    page.assert_accessible("filtered jobs").await;
    search(&test.client(), 3, "second to none").await;
    search(&test.client(), 4, "the third").await;
    wait_for_jobs(page, &["second to none", "hello second"]).await;
    page.reload().await;
    wait_for_jobs(page, &["second to none", "hello second"]).await;
    assert_eq!(page.value(FIELD).await, "phrase:~second since:1h");
    page.click(Role::Button, "Clear the filter").await;
    page.wait_for_path("no filter is left", |path| path == "/jobs").await;
    wait_for_jobs(page, &["the third", "second to none", "hello second", "hello first"]).await;
    test.finish().await;
}

#[tokio::test]
async fn fields_and_values_are_completed_by_keyboard() {
    let test = cancelled_and_running().await;
    let page = &test.browser;
    page.press(['/']).await;
    page.press("st".chars()).await;
    eventually("the field is offered", async || {
        let choices = page.texts(".filter_choice > code").await;
        (choices == ["state:"]).then_some(())
    })
    .await;
    page.assert_accessible("choices of a filter").await;
    page.press([key::DOWN, key::ENTER]).await;
    eventually("the values are offered", async || {
        let choices = page.texts(".filter_choice > code").await;
        choices.contains(&"state:cancelled".to_owned()).then_some(())
    })
    .await;
    page.press("canc".chars()).await;
    page.press([key::DOWN, key::ENTER]).await;
    wait_for_jobs(page, &["hello first"]).await;
    page.wait_for_path("the value is in the address", |path| path.starts_with("/jobs?q=state:cancelled")).await;
    // Escape closes the choices, and leaves the filter as it is.
    page.press("k".chars()).await;
    page.find(Role::Option, "kind:").await;
    page.press([key::ESCAPE]).await;
    assert_eq!(page.attribute("[data-filter]", "aria-expanded").await.as_deref(), Some("false"));
    assert_eq!(page.value(FIELD).await, "state:cancelled k");
    test.finish().await;
}

#[tokio::test]
async fn a_cell_adds_itself_to_the_filter() {
    let test = cancelled_and_running().await;
    let page = &test.browser;
    page.fill(FIELD, "hello").await;
    // The list is the same without the filter.
    page.wait_for_path("the filter is in the address", |path| path == "/jobs?q=hello").await;
    wait_for_jobs(page, &["hello second", "hello first"]).await;
    page.click(Role::Link, "Only Cancelled").await;
    wait_for_jobs(page, &["hello first"]).await;
    page.wait_for_path("the cell is in the filter", |path| path == "/jobs?q=hello%20state:cancelled").await;
    // Another state takes its place.
    page.click(Role::Link, "Running").await;
    wait_for_jobs(page, &["hello second"]).await;
    page.wait_for_path("the tab is in the filter", |path| path == "/jobs?q=hello%20state:running").await;
    page.back().await;
    wait_for_jobs(page, &["hello first"]).await;
    test.finish().await;
}

#[tokio::test]
async fn an_error_is_marked_and_mended() {
    let test = cancelled_and_running().await;
    let page = &test.browser;
    page.fill(FIELD, "state:canceled").await;
    page.wait_for_text("There is no state “canceled”.").await;
    assert_eq!(page.texts(".filter_fault mark").await, ["canceled"]);
    wait_for_jobs(page, &["hello second", "hello first"]).await;
    page.assert_accessible("jobs with an error in their filter").await;
    page.click(Role::Button, "Did you mean “cancelled”?").await;
    wait_for_jobs(page, &["hello first"]).await;
    page.fill(FIELD, "state:dead OR state:cancelled").await;
    page.wait_for_text("There is no “or”: all terms must match. Filter by one, then by the other.").await;
    page.fill(FIELD, "recorded:1h").await;
    page.wait_for_text("“recorded:” is a field of the log, not of the jobs.").await;
    // What matches nothing says how many jobs were compared, and what may be meant.
    page.fill(FIELD, "phrase:hello").await;
    page.wait_for_text("No job matches this filter.").await;
    page.wait_for_text("2 jobs scanned.").await;
    page.click(Role::Link, "phrase:~hello").await;
    wait_for_jobs(page, &["hello second", "hello first"]).await;
    test.finish().await;
}

#[tokio::test]
async fn old_links_to_a_state_or_a_type_go_on_to_work() {
    let test = cancelled_and_running().await;
    let page = &test.browser;
    page.open("/jobs?state=cancelled&kind=log_request").await;
    wait_for_jobs(page, &["hello first"]).await;
    assert_eq!(page.value(FIELD).await, "state:cancelled kind:log_request");
    page.open("/jobs?kind=nothing").await;
    page.wait_for_text("No job matches this filter.").await;
    test.finish().await;
}

#[tokio::test]
async fn a_long_scan_shows_its_progress_and_can_be_stopped() {
    let test = cancelled_and_running().await;
    let page = &test.browser;
    // Each answer says that the time was up, as on a table of millions of jobs.
    let cut = "const fetch = window.fetch;
        window.scanned = 0;
        window.fetch = async (request, options) => {
            const isList = (request.url ?? request).includes('/jobs/list');
            const body = isList ? options?.body ?? await request.clone().text() : '';
            const answer = await fetch(request, options);
            if (!isList || window.isOver) return answer;
            // While the filter is typed, a scan for half of it may begin.
            if (body.includes('\"before\":null')) window.scanned = 0;
            window.scanned += 1;
            // The third one is still scanning when the visitor stops it.
            if (window.scanned > 2) await new Promise(() => {});
            const page = {jobs: [], next: 1000000 - window.scanned, compared: 49000, is_cut: true};
            return new Response(JSON.stringify(page), {headers: {'content-type': 'application/json'}});
        }";
    page.script(cut, vec![]).await;
    page.fill(FIELD, "lonely").await;
    page.wait_for_text("98,000 jobs scanned").await;
    page.click(Role::Button, "Stop").await;
    page.find(Role::Button, "Go on").await;
    page.assert_accessible("a stopped scan of jobs").await;
    page.script("window.isOver = true", vec![]).await;
    page.click(Role::Button, "Go on").await;
    page.wait_for_text("No job matches this filter.").await;
    test.finish().await;
}
