//! The main paths, each in every engine.

use api::JobState;
use serde_json::json;
use tests::browser::{Browser, Engine, Role, key};
use tests::eventually;

use crate::jobs::wait_for_count;
use crate::lab::{adjust, wait_for_state};
use crate::log::wait_for_phrases;
use crate::{BrowserTest, job_about, search};

macro_rules! paths_in {
    ($module:ident, $engine:ident: $($path:ident)+) => {
        mod $module {
            use super::Engine;

            $(
                #[tokio::test]
                async fn $path() {
                    super::$path(Engine::$engine).await;
                }
            )+
        }
    };
}

/// Makes a test of each path for each engine, for instance `firefox::search_and_receipt`.
macro_rules! in_every_engine {
    ($($path:ident)+) => {
        paths_in!(chromium, Chromium: $($path)+);
        paths_in!(firefox, Firefox: $($path)+);
        paths_in!(webkit, WebKit: $($path)+);
    };
}

in_every_engine! {
    search_and_receipt
    back_and_forward
    to_the_lab_and_back
    a_live_log
    a_filtered_log
    a_row_in_the_drawer
    an_action_on_a_job
    a_run_of_the_lab
    a_restart_of_the_server
    typing_in_the_middle
    the_enter_of_an_input_method
    focus_after_arrow_keys
    one_download_of_the_program
    the_underline_of_a_fault
    choices_that_move_nothing
}

async fn search_and_receipt(engine: Engine) {
    let test = BrowserTest::start_in(engine, &[]).await;
    let page = &test.browser;
    open_search(page).await;
    page.script("document.getElementById('phrase').focus()", vec![]).await;
    page.type_text("life, the universe").await;
    page.press([key::ENTER]).await;
    page.find(Role::Heading, "Here are your results:").await;
    assert_eq!(page.texts(".results_letters").await, ["e, i, u"]);
    page.wait_for_text("In the log: row 1").await;
    let receipt = page.texts(".receipt_id code").await;
    page.reload().await;
    page.wait_for_text("In the log: row 1").await;
    assert_eq!(page.texts(".receipt_id code").await, receipt);
    assert_eq!(page.value("Phrase").await, "life, the universe");
    page.assert_accessible("the results").await;
    test.finish().await;
}

async fn back_and_forward(engine: Engine) {
    let test = BrowserTest::start_in(engine, &[]).await;
    let page = &test.browser;
    open_search(page).await;
    for (row, phrase) in [(1, "first"), (2, "second")] {
        page.fill("Phrase", phrase).await;
        page.click(Role::Button, "Do it!").await;
        page.wait_for_text(&format!("In the log: row {row}")).await;
    }
    page.back().await;
    page.wait_for_text("In the log: row 1").await;
    assert_eq!(page.value("Phrase").await, "first");
    page.forward().await;
    page.wait_for_text("In the log: row 2").await;
    assert_eq!(page.value("Phrase").await, "second");
    // If one of these steps had searched again, this would not be the third row.
    page.fill("Phrase", "third").await;
    page.click(Role::Button, "Do it!").await;
    page.wait_for_text("In the log: row 3").await;
    test.finish().await;
}

/// WebKit keeps the page that was left, and empties its fields when it is shown again.
async fn to_the_lab_and_back(engine: Engine) {
    let test = BrowserTest::start_in(engine, &[]).await;
    let page = &test.browser;
    open_search(page).await;
    page.fill("Phrase", "there and back").await;
    page.click(Role::Button, "Do it!").await;
    page.wait_for_text("In the log: row 1").await;
    page.fill("Phrase", "not sent yet").await;
    page.fill("Letters", "stx").await;
    leave_and_come_back(page).await;
    page.wait_for_text("In the log: row 1").await;
    assert_eq!(page.value("Phrase").await, "not sent yet");
    assert_eq!(page.value("Letters").await, "stx");
    let tiles = page.texts(".letter_tile").await;
    assert!(tiles.iter().flat_map(|tile| tile.split_whitespace()).eq(["s", "1", "t", "3", "x", "0"]), "{tiles:?}");
    page.click(Role::Button, "Do it!").await;
    page.wait_for_text("In the log: row 2").await;
    assert_eq!(page.texts(".results_letters").await, ["s, t"]);
    test.finish().await;
}

async fn a_live_log(engine: Engine) {
    let test = BrowserTest::as_administrator_in(engine, &[]).await;
    let page = &test.browser;
    page.wait_for_text("Nothing has been searched yet").await;
    for (number, wanted) in [(1, &["row 1"][..]), (2, &["row 2", "row 1"])] {
        search(&test.client(), number, &format!("row {number}")).await;
        wait_for_phrases(page, wanted).await;
    }
    page.wait_for_text("Live").await;
    page.assert_accessible("the log").await;
    test.finish().await;
}

async fn a_filtered_log(engine: Engine) {
    let test = BrowserTest::as_administrator_in(engine, &[]).await;
    let page = &test.browser;
    let client = test.client();
    for (number, phrase) in [(1, "50% off"), (2, "50 of them")] {
        search(&client, number, phrase).await;
    }
    wait_for_phrases(page, &["50 of them", "50% off"]).await;
    page.press(['/']).await;
    page.type_text("50%").await;
    wait_for_phrases(page, &["50% off"]).await;
    page.wait_for_path("the filter is in the address", |path| path == "/viewlog?q=50%25").await;
    search(&client, 3, "not this one").await;
    search(&client, 4, "but 50% of this").await;
    wait_for_phrases(page, &["but 50% of this", "50% off"]).await;
    leave_and_come_back(page).await;
    wait_for_phrases(page, &["but 50% of this", "50% off"]).await;
    assert_eq!(filter(page).await, "50%");
    page.click(Role::Button, "Clear the filter").await;
    wait_for_phrases(page, &["but 50% of this", "not this one", "50 of them", "50% off"]).await;
    assert_eq!(filter(page).await, "");
    test.finish().await;
}

async fn a_row_in_the_drawer(engine: Engine) {
    let test = BrowserTest::as_administrator_in(engine, &[]).await;
    let page = &test.browser;
    for (number, phrase) in [(1, "first"), (2, "second")] {
        search(&test.client(), number, phrase).await;
    }
    wait_for_phrases(page, &["second", "first"]).await;
    page.press(['j', 'j', key::ENTER]).await;
    page.find(Role::Dialog, "Row 1").await;
    assert_eq!(page.path().await, "/viewlog?row=1");
    page.press([key::ESCAPE]).await;
    page.wait_for_path("the drawer is closed", |path| path == "/viewlog").await;
    page.press([key::ENTER]).await;
    page.find(Role::Dialog, "Row 1").await;
    page.click(Role::Link, "Job #").await;
    page.wait_for_path("the row's job", |path| path.starts_with("/jobs/")).await;
    page.back().await;
    page.find(Role::Dialog, "Row 1").await;
    test.finish().await;
}

async fn an_action_on_a_job(engine: Engine) {
    let test = BrowserTest::as_administrator_in(engine, &["--log-delay", "1h"]).await;
    let page = &test.browser;
    search(&test.client(), 1, "to be cancelled").await;
    page.open("/jobs").await;
    let job = job_about(page, "to be cancelled").await;
    wait_for_count(page, JobState::Running, "1").await;
    page.click(Role::Button, &format!("Cancel job {job}")).await;
    wait_for_count(page, JobState::Cancelled, "1").await;
    wait_for_count(page, JobState::Running, "0").await;
    page.find(Role::Button, &format!("Retry job {job}")).await;
    // A driver may count a second click at the same place as a double click, which is one action.
    page.script("document.querySelector('[data-action=Retry]').click()", vec![]).await;
    wait_for_count(page, JobState::Running, "1").await;
    page.assert_accessible("the jobs").await;
    test.finish().await;
}

async fn a_run_of_the_lab(engine: Engine) {
    let test = BrowserTest::start_in(engine, &[]).await;
    let page = &test.browser;
    page.open("/lab?scenario=trap").await;
    adjust(page, &[("Write delay", "1500")]).await;
    page.click(Role::Button, "Kill the server now").await;
    wait_for_state(page, JobState::Done).await;
    let verdicts = page.texts(".lane_verdict strong").await;
    assert!(verdicts.get(1).is_some_and(|verdict| verdict == "Row lost"), "{verdicts:?}");
    page.assert_accessible("a run of the lab").await;
    test.finish().await;
}

async fn a_restart_of_the_server(engine: Engine) {
    let mut test = BrowserTest::as_administrator_in(engine, &[]).await;
    let page = &test.browser;
    page.expect_on_console("ERR_");
    search(&test.client(), 1, "before").await;
    wait_for_phrases(page, &["before"]).await;
    page.wait_for_text("Live").await;
    test.server.kill().await;
    page.wait_for_text("Reconnecting").await;
    test.server = test.installation.start(&[]).await;
    search(&test.server.client(), 2, "after").await;
    wait_for_phrases(page, &["after", "before"]).await;
    page.wait_for_text("Live").await;
    page.wait_for_text("through row 2").await;
    test.finish().await;
}

/// What the page does with each letter must not move the caret.
async fn typing_in_the_middle(engine: Engine) {
    let test = BrowserTest::start_in(engine, &[]).await;
    let page = &test.browser;
    open_search(page).await;
    for (field, label) in [("phrase", "Phrase"), ("letters", "Letters")] {
        page.script("document.getElementById(arguments[0]).select()", vec![field.into()]).await;
        page.type_text("ad").await;
        page.press([key::LEFT]).await;
        page.type_text("bc").await;
        assert_eq!(page.value(label).await, "abcd");
    }
    page.wait_for_text("All 4 letters are in your phrase.").await;
    test.finish().await;
}

/// Safari reports it like any other Enter, but for the key code.
async fn the_enter_of_an_input_method(engine: Engine) {
    let test = BrowserTest::start_in(engine, &[]).await;
    let page = &test.browser;
    open_search(page).await;
    page.fill("Phrase", "日本").await;
    let press = "const field = document.getElementById('phrase');
        const init = {key: 'Enter', code: 'Enter', keyCode: arguments[0], bubbles: true, cancelable: true};
        return field.dispatchEvent(new KeyboardEvent('keydown', init))";
    assert_eq!(page.script(press, vec![229.into()]).await, true, "the key was left to the input method");
    assert_eq!(page.path().await, "/");
    assert_eq!(page.script(press, vec![13.into()]).await, false, "Enter does not break the line");
    page.find(Role::Heading, "Here are your results:").await;
    test.finish().await;
}

/// WebKit does not take the focus that arrow keys move among radio buttons for one that is shown.
async fn focus_after_arrow_keys(engine: Engine) {
    let test = BrowserTest::start_in(engine, &[]).await;
    let page = &test.browser;
    open_search(page).await;
    page.script("document.querySelector('.theme_option input').focus()", vec![]).await;
    page.press([key::RIGHT]).await;
    let outline = "const option = document.activeElement.closest('.theme_option');
        return [option?.querySelector('input').value, option && getComputedStyle(option).outlineStyle]";
    eventually("the next theme has the focus, and shows it", async || {
        (page.script(outline, vec![]).await == json!(["dark", "solid"])).then_some(())
    })
    .await;
    test.finish().await;
}

/// The page asks for the program early, and its script once more, which must be the same download.
async fn one_download_of_the_program(engine: Engine) {
    let test = BrowserTest::start_in(engine, &[]).await;
    let page = &test.browser;
    for path in ["/", "/lab"] {
        page.open(path).await;
        page.find(Role::Link, "Log in").await;
        let downloads = "const all = performance.getEntriesByType('resource');
            return all.filter(entry => entry.name.endsWith('.wasm') && entry.transferSize > 0).length";
        assert_eq!(page.script(downloads, vec![]).await, 1, "{path}");
    }
    test.finish().await;
}

async fn the_underline_of_a_fault(engine: Engine) {
    let test = BrowserTest::as_administrator_in(engine, &[]).await;
    let page = &test.browser;
    search(&test.client(), 1, "a row").await;
    wait_for_phrases(page, &["a row"]).await;
    page.press(['/']).await;
    page.type_text("brower:firefox").await;
    page.wait_for_text("There is no field “brower”").await;
    let line = "const style = getComputedStyle(document.querySelector('.filter_fault mark'));
        return style.textDecorationLine + ' ' + style.textDecorationStyle";
    assert_eq!(page.script(line, vec![]).await, "underline wavy");
    test.finish().await;
}

/// A choice shows another sentence, and may make other fields useless.
async fn choices_that_move_nothing(engine: Engine) {
    let test = BrowserTest::start_in(engine, &[]).await;
    let page = &test.browser;
    page.open("/lab").await;
    adjust(page, &[]).await;
    page.click(Role::Button, "Only one style").await;
    let places = async || page.script(PLACES_IN_THE_FORM, vec![]).await;
    let before = places().await.as_array().cloned().unwrap_or_default();
    assert!(before.len() >= 10, "{before:?}");
    for choice in ["Flags", "Numbers", "Sequential", "Futures", "As they come", "As asked", "Async", "Threads"] {
        page.click(Role::Radio, choice).await;
        eventually(&format!("{choice} is chosen"), async || {
            (page.script(CHOSEN, vec![choice.into()]).await == true).then_some(())
        })
        .await;
        // What one style has beside the others stands below all.
        let now = places().await.as_array().cloned().unwrap_or_default();
        assert_eq!(now[..before.len()], before, "{choice}");
    }
    test.finish().await;
}

const PLACES_IN_THE_FORM: &str = "const form = document.querySelector('.lab_form');
    return Array.from(form.querySelectorAll('.choice, .field'), element => {
        const {x, y} = element.getBoundingClientRect();
        return [x, y + scrollY].map(Math.round).join();
    })";
const CHOSEN: &str = "const labels = Array.from(document.querySelectorAll('.lab_form .choice'));
    return labels.find(label => label.innerText.trim() === arguments[0]).querySelector('input').checked";

async fn open_search(page: &Browser) {
    page.open("/").await;
    // Appears when the wasm has replaced the static form and its fields.
    page.find(Role::Link, "Log in").await;
}

/// Visits another document, and returns by the browser's history.
async fn leave_and_come_back(page: &Browser) {
    let address = page.path().await;
    page.open("/lab?scenario=trap").await;
    page.find(Role::Heading, "The waiting lab").await;
    page.back().await;
    page.wait_for_path("the page is back", |path| path == address).await;
}

/// What the log's filter says.
async fn filter(page: &Browser) -> String {
    let value = page.script("return document.querySelector('[data-filter]').value", vec![]).await;
    value.as_str().unwrap_or_default().to_owned()
}
