//! Visitors compare the lab's styles.

use api::{JobState, LabRunId};
use tests::browser::{Browser, Medium, Role, Scheme, key};
use tests::eventually;

use crate::BrowserTest;
use crate::lab::{adjust, count_done, wait_for_state};
use crate::late::{HOLD, wait_for_held};

#[tokio::test]
async fn all_styles_are_compared_and_the_link_shows_it_again() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.open("/lab").await;
    page.find(Role::Heading, "Same 10 requests, four ways").await;
    adjust(page, &[("Latency", "300")]).await;
    page.click(Role::Button, "Run the comparison").await;
    let address = page.wait_for_path("the comparison has an address", |path| path.contains("?compare=")).await;
    wait_for_takeaway(page).await;
    let results = page.texts(".multiple_result").await;
    assert_eq!(results.len(), 4, "{results:?}");
    assert!(results[0].contains("baseline"), "the sequence is the measure: {results:?}");
    for faster in &results[1..] {
        assert!(faster.contains("× faster"), "{results:?}");
    }
    let widths = page.script(DRAWN_WIDTHS, vec![]).await;
    let widths: Vec<f64> = widths.as_array().into_iter().flatten().filter_map(serde_json::Value::as_f64).collect();
    assert!(widths[1..].iter().all(|width| 2.0 * width < widths[0]), "one axis for all: {widths:?}");
    let headline = page.texts(".display").await.join(" ");
    assert!(headline.starts_with("Same 10 requests: ") && headline.contains(", or "), "{headline}");
    page.assert_accessible("a comparison").await;

    page.reload().await;
    assert_eq!(page.path().await, address);
    wait_for_takeaway(page).await;
    assert_eq!(page.texts(".display").await.join(" "), headline, "a comparison stays as it was");
    // The button says whether it starts the same work again.
    page.find(Role::Button, "Run it again").await;
    adjust(page, &[("Latency", "250")]).await;
    page.find(Role::Button, "Run it with these settings").await;
    page.wait_for_text("Shown: 10 × 300 ms").await;
    page.find(Role::Heading, "Same 10 requests, four ways").await;
    page.fill("Latency", "300").await;
    page.find(Role::Button, "Run it again").await;
    page.click(Role::Button, "The same as a table").await;
    eventually("the table has a row for each style", async || {
        (page.texts(".multiples .figures_table tbody tr").await.len() == 4).then_some(())
    })
    .await;

    // The newest one is shown without its address, too.
    page.open("/lab").await;
    wait_for_takeaway(page).await;
    assert_eq!(page.texts(".display").await.join(" "), headline);
    page.click(Role::Link, "Async").await;
    page.wait_for_path("a style leads to its run", |path| path.starts_with("/lab/runs/")).await;
    page.find(Role::Heading, "10 × 300 ms, async").await;
    page.find(Role::Heading, "What this shows").await;
    page.find(Role::Heading, "The same in code").await;
    page.click(Role::Link, "Read more").await;
    page.wait_for_text("What waits, and what need not").await;
    test.finish().await;
}

#[tokio::test]
async fn a_thousand_requests_are_areas() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.open("/lab").await;
    adjust(page, &[]).await;
    page.click(Role::Button, "1,000 × 1 s").await;
    page.fill("Latency", "300").await;
    page.fill("Threads", "100").await;
    page.click(Role::Button, "Run the comparison").await;
    page.wait_for_path("the comparison has an address", |path| path.contains("?compare=")).await;
    wait_for_takeaway(page).await;
    let areas = page.script("return document.querySelectorAll('.area_plot').length", vec![]).await;
    assert_eq!(areas, 4);
    assert!(page.texts(".multiple_result").await[0].contains("not run"), "a sequence is too long");
    page.find(Role::Heading, "Same 1,000 requests: ").await;
    let headline = page.texts(".display").await.concat();
    assert!(!headline.contains("5 min"), "only what was measured: {headline}");
    page.wait_for_text("so it was skipped").await;
    page.wait_for_text("Would take 5 min 0 s").await;
    let labels = page.texts(".area_most").await;
    assert!(labels.len() == 3 && labels.iter().all(|label| label.ends_with(" at a time")), "{labels:?}");
    assert!(page.texts(".multiple_plot .step_top").await.iter().all(|top| top == "1,000"), "the areas have a scale");
    page.assert_accessible("areas").await;

    page.click(Role::Link, "Async").await;
    wait_for_state(page, JobState::Done).await;
    assert_eq!(count_done(page).await, "1,000");
    let elements = page.script("return document.querySelectorAll('.lab_run *').length", vec![]).await;
    assert!(elements.as_u64().is_some_and(|count| count < 1_000), "{elements} elements draw a thousand requests");
    // The slider shows the figures of a moment, by keyboard.
    page.script("document.querySelector('.slider_row input').focus()", vec![]).await;
    page.press(['\u{e014}', '\u{e014}']).await;
    page.wait_for_text("in flight,").await;
    page.assert_accessible("requests in flight").await;
    test.finish().await;
}

#[tokio::test]
async fn a_comparison_is_run_and_cancelled_by_keyboard() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    // A run may end in the moment in which it is cancelled.
    page.expect_on_console("409");
    page.open("/lab").await;
    page.find(Role::Button, "Run the comparison").await;
    tab_to(page, "Run the comparison").await;
    page.press([key::ENTER]).await;
    page.wait_for_path("the comparison has an address", |path| path.contains("?compare=")).await;
    page.find(Role::Button, "Cancel").await;
    page.wait_for_text(" of 4 · about ").await;
    page.wait_for_text("We will see whether this holds").await;
    page.wait_for_text("number 4 of 4").await;
    assert!(page.find_now(Role::Button, "Run it again").await.is_none(), "the same button starts and cancels");
    wait_until_it_can_be_pressed(page).await;
    tab_to(page, "Cancel").await;
    page.press([key::ENTER]).await;
    eventually("all styles are over", async || {
        let results = page.texts(".multiple_result").await;
        (results.len() == 4 && page.find_now(Role::Button, "Cancel").await.is_none()).then_some(())
    })
    .await;
    let results = page.texts(".multiple_result").await;
    assert!(results[0].contains("stopped"), "the last one never began: {results:?}");
    // What it was expected to take is still drawn.
    page.wait_for_text("Cancelled before it began").await;
    page.wait_for_text("What to expect").await;
    let expected =
        "return document.querySelector('.multiple[data-style=sequential] [data-bar=expected]').getBBox().width";
    assert!(page.script(expected, vec![]).await.as_f64() > Some(0.0));
    page.assert_accessible("a cancelled comparison").await;
    // Nobody else begins with it.
    page.click(Role::Link, "Compare").await;
    page.find(Role::Button, "Run the comparison").await;
    page.open("/lab").await;
    page.find(Role::Button, "Run the comparison").await;
    let results = page.texts(".multiple_result").await;
    assert!(results.iter().all(|result| result.contains("expected")), "{results:?}");
    test.finish().await;
}

#[tokio::test]
async fn one_press_starts_one_comparison_and_cancels_nothing() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.open("/lab").await;
    adjust(page, &[("Latency", "100")]).await;
    page.script(HOLD, vec!["/lab/runs/show".into()]).await;
    page.script(COUNT_AND_PRESS, vec![]).await;
    tab_to(page, "Run the comparison").await;
    page.press([key::ENTER]).await;
    wait_for_held(page, 1).await;
    // It is started, and the page does not know of its runs yet.
    page.press([key::ENTER]).await;
    page.script("button.click(); button.click()", vec![]).await;
    page.wait_for_text("Starting…").await;
    page.script("pressAsSoonAsItCancels(); letGo()", vec![]).await;
    wait_for_takeaway(page).await;
    let sent = page.script("return [window.pressed, sent.start, sent.cancel]", vec![]).await;
    assert_eq!(sent, serde_json::json!([true, 4, 0]), "the late press, the starts and the cancellations");
    test.finish().await;
}

/// Counts the requests that start and cancel runs. Presses the button as soon as it says that it cancels, as a second
/// press would that was meant for the start.
const COUNT_AND_PRESS: &str = "
window.button = document.querySelector('.lab_form .start_row button');
window.sent = {start: 0, cancel: 0};
const fetchOn = window.fetch;
window.fetch = (request, ...rest) => {
    const word = String(request.url ?? request).split('/').pop();
    if (word in sent) sent[word] += 1;
    return fetchOn(request, ...rest);
};
window.pressAsSoonAsItCancels = () => {
    const observer = new MutationObserver(() => {
        if (button.innerText.trim() !== 'Cancel') return;
        observer.disconnect();
        setTimeout(() => { button.click(); window.pressed = true; });
    });
    observer.observe(button, {childList: true, characterData: true, subtree: true});
};
";

#[tokio::test]
async fn an_outage_is_told_in_place_and_a_second_beginning_too() {
    let mut test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.expect_on_console("ERR_");
    page.open("/lab").await;
    page.click(Role::Button, "Run the comparison").await;
    page.wait_for_text("Running Sequential, 4 of 4").await;
    page.wait_for_text("not begun").await;
    test.server.kill().await;
    page.wait_for_text("No news from the server since").await;
    let estimate = page.texts(".start_estimate").await;
    assert!(!estimate[0].contains("left"), "nobody knows: {estimate:?}");
    let notices = "return document.querySelectorAll('main .notice').length";
    assert_eq!(page.script(notices, vec![]).await, 0, "it is told once, where the progress was");
    page.assert_accessible("a comparison without a server").await;
    test.server = test.installation.start(&[]).await;
    page.wait_for_text("began again after a restart").await;
    test.finish().await;
}

/// The button ignores presses for a moment after it has changed its purpose.
async fn wait_until_it_can_be_pressed(page: &Browser) {
    eventually("the button can be pressed", async || {
        page.attribute(".lab_form .start_row .button", "aria-disabled").await.is_none().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_comparison_that_does_not_exist_says_so() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.expect_on_console("404");
    page.open(&format!("/lab?compare={}", LabRunId::from_parts(1, 1))).await;
    page.wait_for_text("There is no such comparison").await;
    page.find(Role::Button, "Run the comparison").await;
    test.finish().await;
}

#[tokio::test]
async fn the_bars_are_visible_with_the_users_own_colours() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.open("/lab").await;
    adjust(page, &[("Latency", "100")]).await;
    page.click(Role::Button, "Run the comparison").await;
    wait_for_takeaway(page).await;
    page.emulate(Medium::ForcedColours).await;
    for bar in [".bar_plot path[data-bar=work]", ".bar_plot path[data-bar=wait]"] {
        let script = "const style = getComputedStyle(document.querySelector(arguments[0]));
            return [style.stroke, getComputedStyle(document.body).backgroundColor]";
        let colors = page.script(script, vec![bar.into()]).await;
        assert_ne!(colors[0], colors[1], "{bar}");
        assert_ne!(colors[0], "none", "{bar}");
    }
    page.emulate(Medium::Screen(Scheme::Light)).await;
    test.finish().await;
}

/// Where the last bar of each drawing ends, in the drawings' own units.
const DRAWN_WIDTHS: &str = "return Array.from(document.querySelectorAll('.bar_plot path[data-bar=work]'), path => {
        const box = path.getBBox();
        return box.x + box.width;
    })";

/// Presses the tab key until this button has the focus.
async fn tab_to(page: &Browser, name: &str) {
    eventually(&format!("the tab key leads to {name:?}"), async || {
        let focused = page.script("return document.activeElement.innerText", vec![]).await;
        if focused.as_str().is_some_and(|focused| focused.trim() == name) {
            return Some(());
        }
        page.press([key::TAB]).await;
        None
    })
    .await;
}

/// Waits until all styles have ended and a conclusion is drawn.
pub(crate) async fn wait_for_takeaway(page: &Browser) {
    page.wait_for_path("a comparison is shown", |path| path.starts_with("/lab")).await;
    eventually("all styles have ended", async || {
        let phases = page.script(OPEN_LANES, vec![]).await;
        let is_concluded = page.texts(".takeaway .text_button").await.len() == 1;
        (phases == 0 && is_concluded).then_some(())
    })
    .await;
}

/// The number of styles that are running.
const OPEN_LANES: &str = "return document.querySelectorAll('.multiple[data-phase=running]').length";
