//! An administrator reads the log.

use serde_json::json;
use tests::browser::{Browser, Role, key};
use tests::eventually;

use crate::{BrowserTest, search, search_many};

#[tokio::test]
async fn rows_arrive_live_in_a_second_tab() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    page.wait_for_text("Nothing has been searched yet").await;
    let log = page.window().await;

    // Another visitor searches while the log's tab is in front.
    search(&test.client(), 1, "from elsewhere").await;
    wait_for_phrases(page, &["from elsewhere"]).await;
    assert!(!page.text().await.contains("Nothing has been searched yet"));

    // The administrator searches in another tab.
    page.new_tab().await;
    page.open("/?phrase=from+another+tab").await;
    page.click(Role::Button, "Log this search").await;
    page.wait_for_text("In the log: row 2").await;
    page.switch(&log).await;
    wait_for_phrases(page, &["from another tab", "from elsewhere"]).await;
    page.wait_for_text("through row 2").await;
    test.finish().await;
}

#[tokio::test]
async fn a_log_without_rows_says_where_the_searches_are() {
    let test = BrowserTest::as_administrator(&["--no-worker"]).await;
    let page = &test.browser;
    page.wait_for_text("Nothing has been searched yet").await;
    search(&test.client(), 1, "waits for a worker").await;
    page.wait_for_text("The log has no rows yet. Searches: 1 waiting.").await;
    assert!(!page.text().await.contains("Nothing has been searched yet"));
    page.assert_accessible("a log whose searches wait").await;
    page.click(Role::Link, "Show the jobs").await;
    page.wait_for_text("waits for a worker").await;
    test.finish().await;
}

#[tokio::test]
async fn after_a_restart_of_the_server_no_row_is_missing_or_doubled() {
    let mut test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    let client = test.client();
    for number in 1..=3 {
        search(&client, number, &format!("search {number}")).await;
    }
    wait_for_phrases(page, &["search 3", "search 2", "search 1"]).await;

    page.expect_on_console("ERR_CONNECTION_REFUSED");
    page.expect_on_console("ERR_INCOMPLETE_CHUNKED_ENCODING");
    page.expect_on_console("ERR_CONNECTION_RESET");
    page.expect_on_console("ERR_EMPTY_RESPONSE");
    test.server.kill().await;
    page.wait_for_text("Reconnecting").await;
    test.server = test.installation.start(&[]).await;
    // These rows may be written before or after the page reconnects. It must show them either way.
    let client = test.server.client();
    for number in 4..=8 {
        search(&client, number, &format!("search {number}")).await;
    }
    let all: Vec<String> = (1..=8).rev().map(|number| format!("search {number}")).collect();
    wait_for_phrases(page, &all).await;
    page.wait_for_text("Live").await;
    search(&client, 9, "search 9").await;
    page.wait_for_text("through row 9").await;
    assert_eq!(phrases(page).await.len(), 9);
    test.finish().await;
}

pub(crate) const FILTER_IS_FOCUSED: &str = "return document.activeElement.hasAttribute('data-filter')";

#[tokio::test]
async fn the_filter_is_in_the_address() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    let client = test.client();
    for (number, phrase) in (1..).zip(["50% off", "50 of them", "half off"]) {
        search(&client, number, phrase).await;
    }
    wait_for_phrases(page, &["half off", "50 of them", "50% off"]).await;
    page.press(['/']).await;
    page.type_text("50%").await;
    wait_for_phrases(page, &["50% off"]).await;
    assert_eq!(page.path().await, "/viewlog?q=50%25");

    page.reload().await;
    wait_for_phrases(page, &["50% off"]).await;
    search(&client, 4, "not this one").await;
    search(&client, 5, "but 50% of this").await;
    wait_for_phrases(page, &["but 50% of this", "50% off"]).await;
    page.click(Role::Button, "Clear the filter").await;
    eventually("all rows are back", async || (phrases(page).await.len() == 5).then_some(())).await;
    assert_eq!(page.path().await, "/viewlog");
    assert_eq!(page.script(FILTER_IS_FOCUSED, vec![]).await, true);
    test.finish().await;
}

#[tokio::test]
async fn of_many_rows_few_are_drawn_and_new_rows_do_not_move_them() {
    const ROWS: u64 = 1_500;
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    let client = test.client();
    search_many(&client, ROWS).await;
    page.wait_for_text("through row 1,500").await;
    // What was loaded is not the number of all rows.
    page.reload().await;
    page.wait_for_text("1,000 rows loaded").await;
    page.wait_for_text("through row 1,500").await;
    let top = phrases(page).await.first().cloned().expect("the first rows are drawn");
    page.script("document.querySelector('[role=grid]').scrollTop = 20000", vec![]).await;
    eventually("rows further down are drawn", async || (!phrases(page).await.contains(&top)).then_some(())).await;
    let seen = phrases(page).await;
    assert!(seen.len() < 80, "{} rows are drawn", seen.len());

    search(&client, ROWS + 1, "new").await;
    page.wait_for_text("1 new").await;
    assert_eq!(phrases(page).await, seen, "nothing jumps while the administrator reads");
    page.click(Role::Button, "1 new").await;
    eventually("the new row is on top", async || {
        phrases(page).await.first().is_some_and(|phrase| phrase == "new").then_some(())
    })
    .await;
    test.finish().await;
}

#[tokio::test]
async fn an_invalid_filter_is_marked_where_it_is_wrong() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    let client = test.client();
    for (number, phrase) in (1..).zip(["one", "two", "onerous"]) {
        search(&client, number, phrase).await;
    }
    wait_for_phrases(page, &["onerous", "two", "one"]).await;
    page.press(['/']).await;
    page.type_text("phrase:~one brower:firefox").await;
    page.wait_for_text("There is no field “brower”").await;
    assert_eq!(page.texts(".filter_fault mark").await, ["brower"]);
    assert_eq!(page.attribute("[data-filter]", "aria-invalid").await.as_deref(), Some("true"));
    page.click(Role::Button, "Clear the filter").await;
    page.type_text("phrase:~one -phrase:one since:1h").await;
    wait_for_phrases(page, &["onerous"]).await;
    search(&client, 4, "none of these").await;
    search(&client, 5, "two of these").await;
    wait_for_phrases(page, &["none of these", "onerous"]).await;
    page.click(Role::Button, "Filter syntax").await;
    page.find(Role::Dialog, "Filter syntax").await;
    test.finish().await;
}

#[tokio::test]
async fn a_time_that_was_copied_from_a_row_leads_to_it() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    search(&test.client(), 1, "to be found").await;
    wait_for_phrases(page, &["to be found"]).await;
    let time = page.texts(".log_time").await.remove(0);
    page.press(['/']).await;
    page.type_text(&time).await;
    page.wait_for_text("No row matches this filter.").await;
    page.assert_accessible("a log that no filter matches").await;
    page.click(Role::Link, &format!("searched:{time}")).await;
    wait_for_phrases(page, &["to be found"]).await;
    test.finish().await;
}

#[tokio::test]
async fn a_faulty_filter_keeps_the_rows_and_exports_nothing() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    search(&test.client(), 1, "counted").await;
    page.wait_for_text("1 row").await;
    assert_eq!(page.texts(".export_menu").await.len(), 1);
    // At once: a part of it would be a filter that matches nothing.
    let paste = "const field = document.querySelector('[data-filter]');
                 field.value = 'brower:firefox';
                 field.dispatchEvent(new InputEvent('input', {bubbles: true}))";
    page.script(paste, vec![]).await;
    page.wait_for_text("There is no field “brower”").await;
    page.wait_for_text("The rows below match the previous filter.").await;
    assert_eq!(phrases(page).await, ["counted"], "the last good rows stay");
    assert_eq!(page.attribute("[role=grid]", "aria-disabled").await.as_deref(), Some("true"), "dimmed");
    page.assert_accessible("rows of the filter before a faulty one").await;
    search(&test.client(), 2, "still live").await;
    wait_for_phrases(page, &["still live", "counted"]).await;
    page.wait_for_text("2 rows").await;
    assert_eq!(page.texts(".export_menu").await.len(), 0);
    assert!(!page.text().await.contains("Up to date"), "nothing says that all is well");
    let export = "const button = document.querySelector('.export_off'); return [button.disabled, button.title]";
    let why = "Fix the filter to export the rows that match it.";
    assert_eq!(page.script(export, vec![]).await, json!([true, why]), "it stays, and says why it is off");
    page.click(Role::Link, "Clear filter").await;
    page.wait_for_text("Up to date").await;
    assert_eq!(page.script(FILTER_IS_FOCUSED, vec![]).await, true, "the link has gone");
    test.finish().await;
}

#[tokio::test]
async fn go_to_a_row_and_back_to_the_newest() {
    const ROWS: u64 = 1_300;
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    let client = test.client();
    search_many(&client, ROWS).await;
    page.wait_for_text("through row 1,300").await;
    page.press(['g', 'r']).await;
    page.type_text("100").await;
    page.press([key::ENTER]).await;
    page.wait_for_path("the position is in the address", |path| path == "/viewlog?at=100").await;
    page.wait_for_text("newer").await;
    let selected = async || page.attribute("[role=row][aria-selected=true]", "id").await;
    eventually("the row is selected", async || (selected().await? == "log-row-100").then_some(())).await;

    // Scrolling up loads the newer rows.
    page.script("document.querySelector('[role=grid]').scrollTop = 0", vec![]).await;
    eventually("the gap is loaded", async || {
        page.script("document.querySelector('[role=grid]').scrollTop = 0", vec![]).await;
        (!page.text().await.contains("newer")).then_some(())
    })
    .await;
    search(&client, ROWS + 1, "new").await;
    page.wait_for_text("1 new").await;
    page.click(Role::Button, "1 new").await;
    page.wait_for_path("the newest rows have no position in the address", |path| path == "/viewlog").await;
    eventually("the new row is on top", async || (phrases(page).await.first()? == "new").then_some(())).await;
    test.finish().await;
}

#[tokio::test]
async fn a_second_jump_is_not_scrolled_to_the_position_of_the_first() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    search_many(&test.client(), 1_300).await;
    page.wait_for_text("through row 1,300").await;
    // No frame is drawn while the rows above row 100 are loaded and another jump begins.
    let top = page.script_async(
        "const done = arguments[0];
         const go = row => {
             history.pushState(null, '', '/viewlog?at=' + row);
             dispatchEvent(new PopStateEvent('popstate'));
         };
         const drawn = row => new Promise(drawn => {
             const look = () => document.getElementById('log-row-' + row) ? drawn() : setTimeout(look, 5);
             look();
         });
         const [frame, held] = [window.requestAnimationFrame, []];
         window.requestAnimationFrame = callback => held.push(callback);
         (async () => {
             go(100);
             await drawn(105);
             go(1290);
             await drawn(1290);
             window.requestAnimationFrame = frame;
             held.forEach(callback => requestAnimationFrame(callback));
             // Rows that arrive above it move it until the next frame.
             const until = performance.now() + 5000;
             const look = () => {
                 const [row, grid] = ['#log-row-1290', '[role=grid]'].map(name => document.querySelector(name));
                 const top = row && row.getBoundingClientRect().top - grid.getBoundingClientRect().top;
                 const isThere = top !== null && top >= 0 && top < 200;
                 isThere || performance.now() > until ? done(top) : requestAnimationFrame(look);
             };
             requestAnimationFrame(() => requestAnimationFrame(look));
         })();",
        vec![],
    );
    let top = top.await.as_f64().expect("the row is drawn");
    assert!((0.0..200.0).contains(&top), "row 1,290 is {top} pixels below the grid's upper edge");
    test.finish().await;
}

#[tokio::test]
async fn a_burst_of_rows_is_drawn_a_few_times_a_second() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    search(&test.client(), 2_000, "the first").await;
    page.wait_for_text("through row 1").await;
    page.script(
        "const drawn = window.__drawn = [];
         new MutationObserver(() => drawn.push(performance.now()))
             .observe(document.querySelector('.log_window'), { childList: true });",
        vec![],
    )
    .await;
    search_many(&test.client(), 1_500).await;
    page.wait_for_text("through row 1,501").await;
    // Checks the intervals instead of the number of updates, because the machine may be slow.
    let drawn = page.script("return window.__drawn", vec![]).await;
    let drawn: Vec<f64> = serde_json::from_value(drawn).expect("numbers");
    let apart: Vec<f64> = drawn.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // The browser's two clocks and the time of drawing blur the interval of a tenth of a second.
    let early = apart.iter().filter(|apart| **apart < 80.0).count();
    assert!(drawn.len() > 1 && early * 4 <= apart.len(), "{early} too early of {apart:?}");
    test.finish().await;
}

#[tokio::test]
async fn a_filtered_read_shows_its_progress_and_can_be_stopped() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    search(&test.client(), 1, "hay").await;
    page.wait_for_text("through row 1").await;
    // Simulates a long log. The server's part has its own tests.
    page.script(
        "const real = window.fetch;
         window.fetch = (url, options) => {
             const query = new URL(url, location).searchParams;
             if (!query.get('q')) return real(url, options);
             const from = Number(query.get('before') ?? 10000001) - 1;
             const scan = { from, to: Math.max(from - 99999, 1), end: 1, last: 10000000, is_done: from <= 100000 };
             const answer = new Response(JSON.stringify({ looked: scan }) + '\\n');
             return new Promise(resolve => setTimeout(() => resolve(answer), 40));
         };",
        vec![],
    )
    .await;
    page.press(['/']).await;
    page.type_text("needle").await;
    page.wait_for_text("to 10,000,000").await;
    page.click(Role::Button, "Stop").await;
    page.find(Role::Button, "Go on").await;
    let far = page.texts("#log-progress-text").await;
    assert!(far[0].starts_with("Looked through rows ") && !far[0].starts_with("Looked through rows 1 to"), "{far:?}");
    page.assert_accessible("a filtered read that was stopped").await;
    page.click(Role::Button, "Go on").await;
    page.wait_for_text("No row matches this filter").await;
    page.wait_for_text("Looked through rows 1 to 10,000,000").await;
    test.finish().await;
}

#[tokio::test]
async fn a_row_opens_by_keyboard_and_leads_to_its_job() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    let client = test.client();
    search(&client, 1, "first").await;
    search(&client, 2, "second").await;
    wait_for_phrases(page, &["second", "first"]).await;
    page.press(['j', 'j', key::ENTER]).await;
    page.find(Role::Dialog, "Row 1").await;
    assert_eq!(page.path().await, "/viewlog?row=1");
    page.press([key::ESCAPE]).await;
    page.wait_for_path("the drawer has left the address", |path| path == "/viewlog").await;

    for (row, why) in [("99", "There is no row 99. It may have been deleted."), ("x", "“x” is no row's number.")] {
        page.open(&format!("/viewlog?row={row}")).await;
        page.wait_for_text(why).await;
        page.click(Role::Button, "Close").await;
        page.wait_for_path("the row has left the address", |path| path == "/viewlog").await;
    }
    page.open("/viewlog?row=1").await;
    page.click(Role::Link, "Job #").await;
    page.wait_for_path("the row's job", |path| path.starts_with("/jobs/")).await;
    page.wait_for_text("first").await;
    test.finish().await;
}

#[tokio::test]
async fn the_log_can_be_exported() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    let client = test.client();
    search(&client, 1, "first").await;
    search(&client, 2, "second").await;
    wait_for_phrases(page, &["second", "first"]).await;
    for (link, media_type, lines) in [("CSV", "text/csv", 4), ("NDJSON", "application/x-ndjson", 3)] {
        page.click(Role::Button, "Export").await;
        page.find(Role::Link, link).await;
        page.press([key::ESCAPE]).await;
        // Fetches the file: a real download would leave the page.
        let load = "const link = [...document.querySelectorAll('a[download]')].find(a => a.textContent.startsWith(arguments[0]));
                    fetch(link.href).then(async answer => arguments[1]([
                        answer.headers.get('content-type'), (await answer.text()).trim().split('\\n').length
                    ]));";
        let loaded = page.script_async(load, vec![link.into()]).await;
        assert!(loaded[0].as_str().is_some_and(|found| found.starts_with(media_type)), "{loaded}");
        assert_eq!(loaded[1], lines);
    }
    test.finish().await;
}

/// The phrases of the rows that are drawn, from the top.
async fn phrases(page: &Browser) -> Vec<String> {
    page.texts("[role=row] [role=gridcell]:first-child").await
}

pub(crate) async fn wait_for_phrases(page: &Browser, wanted: &[impl AsRef<str>]) {
    let wanted: Vec<&str> = wanted.iter().map(AsRef::as_ref).collect();
    eventually(&format!("the log shows {wanted:?}"), async || (phrases(page).await == wanted).then_some(())).await;
}
