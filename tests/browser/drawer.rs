//! The rows of the log, and the drawer that shows one of them.

use serde_json::{Value, json};
use tests::browser::{Browser, Role, key};
use tests::eventually;

use crate::log::wait_for_phrases;
use crate::{BrowserTest, NAME, search, search_many};

/// Whether a row is within its list, below the header.
const IN_SIGHT: &str = "
const [list, head, row] = ['.log_table', '.log_head', '[role=row][aria-selected=true]']
    .map(name => document.querySelector(name)?.getBoundingClientRect());
return !!row && row.top >= head.bottom - 1 && row.bottom <= list.bottom + 1;
";

/// Without a modal dialog, the list beside the drawer can be used.
const IS_BESIDE: &str = "return !document.querySelector('.log_drawer').matches(':modal')";

async fn selected(page: &Browser) -> Option<String> {
    page.attribute("[role=row][aria-selected=true]", "id").await
}

#[tokio::test]
async fn rows_are_walked_and_read_by_keyboard() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    search_many(&test.client(), 60).await;
    page.wait_for_text("through row 60").await;
    // The list becomes lower than it was when the page was opened.
    page.resize(1280, 500).await;
    for row in (36..=60).rev() {
        page.press(['j']).await;
        let id = format!("log-row-{row}");
        eventually(&format!("{id} is selected, in sight"), async || {
            let is_there = selected(page).await? == id;
            (is_there && page.script(IN_SIGHT, vec![]).await == true).then_some(())
        })
        .await;
    }
    page.press([key::ENTER]).await;
    page.find(Role::Dialog, "Row 36").await;
    page.wait_for_text("Attempt 1: done").await;
    assert_eq!(page.script(IS_BESIDE, vec![]).await, true, "the list stays usable");
    page.assert_accessible("a log with a row beside it").await;
    page.press(['j', 'j', 'k']).await;
    page.find(Role::Dialog, "Row 35").await;
    page.wait_for_path("the row is in the address", |path| path == "/viewlog?row=35").await;
    assert_eq!(page.script(IN_SIGHT, vec![]).await, true);

    // The rows in between are no steps back.
    page.back().await;
    page.wait_for_path("back closes the drawer", |path| path == "/viewlog").await;
    eventually("the drawer is closed", async || page.find_now(Role::Dialog, "Row").await.is_none().then_some(())).await;
    test.finish().await;
}

#[tokio::test]
async fn escape_closes_what_is_on_top() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    search(&test.client(), 1, "to be read").await;
    wait_for_phrases(page, &["to be read"]).await;
    page.press(['j', key::ENTER]).await;
    page.find(Role::Dialog, "Row 1").await;
    page.click(Role::Button, &format!("Account of {NAME}")).await;
    page.find(Role::Button, "Log out").await;
    page.press([key::ESCAPE]).await;
    eventually("the menu is closed", async || page.find_now(Role::Button, "Log out").await.is_none().then_some(()))
        .await;
    page.find(Role::Dialog, "Row 1").await;
    page.press(['?']).await;
    page.find(Role::Dialog, "Keyboard shortcuts").await;
    page.press([key::ESCAPE]).await;
    eventually("the keys are closed", async || {
        page.find_now(Role::Dialog, "Keyboard shortcuts").await.is_none().then_some(())
    })
    .await;
    page.find(Role::Dialog, "Row 1").await;

    // Also while something is typed.
    page.press(['/', 'b']).await;
    page.wait_for_path("the filter has closed the row", |path| path == "/viewlog?q=b").await;
    eventually("suggestions are shown", async || are_suggested(page).await.then_some(())).await;
    page.press([key::ESCAPE]).await;
    eventually("they are closed", async || (!are_suggested(page).await).then_some(())).await;
    page.press([key::ESCAPE]).await;
    let focused = page.script("return document.activeElement.className", vec![]).await;
    assert_eq!(focused, "log_table", "the list has the focus");
    eventually("a row that matches the filter is there to be selected", async || {
        page.press(['j']).await;
        selected(page).await.map(drop)
    })
    .await;
    page.press([key::ENTER]).await;
    page.find(Role::Dialog, "Row 1").await;
    page.press(['/', key::ESCAPE]).await;
    page.wait_for_path("the row is closed", |path| path == "/viewlog?q=b").await;
    assert!(selected(page).await.is_some());
    page.script("document.activeElement.blur()", vec![]).await;
    page.press([key::ESCAPE]).await;
    eventually("no row is selected", async || selected(page).await.is_none().then_some(())).await;
    test.finish().await;
}

async fn are_suggested(page: &Browser) -> bool {
    !page.texts("[role=listbox] [role=option]").await.is_empty()
}

#[tokio::test]
async fn a_closed_row_gives_the_focus_back_to_the_list() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    search(&test.client(), 1, "to be closed").await;
    wait_for_phrases(page, &["to be closed"]).await;
    let focus = "const grid = document.activeElement.closest('[role=grid]');
                 return grid && (grid.getAttribute('aria-activedescendant') ?? '')";
    // The drawer is beside the list, then above it.
    for width in [1280, 900] {
        page.resize(width, 800).await;
        page.script("document.activeElement.blur()", vec![]).await;
        for by_key in [true, false] {
            if by_key {
                page.press(['j', key::ENTER]).await;
            } else {
                click(page, ".log_phrase", "left", 0).await;
            }
            page.find(Role::Dialog, "Row 1").await;
            page.press([key::ESCAPE]).await;
            page.wait_for_path("the row is closed", |path| path == "/viewlog").await;
            eventually("the list has the focus, and the row is selected in it", async || {
                (page.script(focus, vec![]).await == "log-row-1").then_some(())
            })
            .await;
        }
    }
    test.finish().await;
}

#[tokio::test]
async fn a_row_is_a_link_with_a_text_that_can_be_selected() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    search(&test.client(), 1, "a phrase of some length").await;
    wait_for_phrases(page, &["a phrase of some length"]).await;
    assert_eq!(page.attribute(".log_link", "href").await.as_deref(), Some("/viewlog?row=1"));

    for cell in [".log_link", ".log_ip"] {
        drag_over(page, cell).await;
        let chosen = page.script("return String(getSelection())", vec![]).await;
        assert!(chosen.as_str().is_some_and(|text| !text.is_empty()), "{cell}: {chosen}");
        assert_eq!(page.path().await, "/viewlog", "selecting the text of {cell} opens nothing");
        page.script("getSelection().removeAllRanges()", vec![]).await;
    }
    for (cell, windows) in [(".log_link", 2), (".log_ip", 3)] {
        click(page, cell, "left", 2).await;
        eventually("a tab has opened", async || (page.windows().await == windows).then_some(())).await;
        assert_eq!(page.path().await, "/viewlog", "this tab stays");
    }
    click(page, ".log_ip", "middle", 0).await;
    eventually("another tab has opened", async || (page.windows().await == 4).then_some(())).await;
    click(page, ".log_ip", "left", 0).await;
    page.wait_for_path("a press opens the row", |path| path == "/viewlog?row=1").await;
    test.finish().await;
}

#[tokio::test]
async fn the_drawer_covers_what_has_no_room_beside_it() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    search(&test.client(), 1, "to be read").await;
    wait_for_phrases(page, &["to be read"]).await;
    page.open("/viewlog?row=1").await;
    page.wait_for_text("Search id").await;
    for (width, is_beside) in [(768, false), (1280, true), (360, false)] {
        page.resize(width, 740).await;
        eventually(&format!("the drawer is beside the list at {width}: {is_beside}"), async || {
            (page.script(IS_BESIDE, vec![]).await == is_beside).then_some(())
        })
        .await;
        page.find(Role::Dialog, "Row 1").await;
        page.assert_fits_its_width(&format!("a row at {width}")).await;
        page.assert_accessible(&format!("a row at {width}")).await;
    }
    let uncovered = "return document.documentElement.clientWidth
        - document.querySelector('.log_drawer').getBoundingClientRect().width";
    assert_eq!(page.script(uncovered, vec![]).await, 0, "on a phone it covers the list");
    page.press([key::ESCAPE]).await;
    page.wait_for_path("escape closes it", |path| path == "/viewlog").await;
    test.finish().await;
}

#[tokio::test]
async fn new_searches_are_announced_together() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    page.wait_for_text("Nothing has been searched yet").await;
    let listen = "window.said = [];
        const region = document.querySelector('.announcer');
        new MutationObserver(() => region.innerText && said.push(region.innerText))
            .observe(region, {childList: true, characterData: true, subtree: true})";
    page.script(listen, vec![]).await;
    search_many(&test.client(), 12).await;
    eventually("all are announced", async || {
        let said: Vec<String> = serde_json::from_value(page.script("return window.said", vec![]).await).expect("texts");
        let counts = said.iter().filter_map(|text| text.split_once(" new search")?.0.parse::<u32>().ok());
        (counts.sum::<u32>() == 12 && said.len() < 12).then_some(())
    })
    .await;
    test.finish().await;
}

async fn centre(page: &Browser, selector: &str) -> [f64; 3] {
    let script = "const box = document.querySelector(arguments[0]).getBoundingClientRect();
                  return [box.x + 2, box.x + Math.min(box.width, 80), box.y + box.height / 2]";
    serde_json::from_value(page.script(script, vec![selector.into()]).await).expect("three numbers")
}

async fn mouse(page: &Browser, event: Value) {
    page.devtools("Input.dispatchMouseEvent", event).await;
}

async fn drag_over(page: &Browser, selector: &str) {
    let [from, to, y] = centre(page, selector).await;
    mouse(page, json!({"type": "mousePressed", "x": from, "y": y, "button": "left", "clickCount": 1})).await;
    mouse(page, json!({"type": "mouseMoved", "x": to - 9.0, "y": y, "button": "left", "buttons": 1})).await;
    mouse(page, json!({"type": "mouseMoved", "x": to, "y": y, "button": "left", "buttons": 1})).await;
    mouse(page, json!({"type": "mouseReleased", "x": to, "y": y, "button": "left", "clickCount": 1})).await;
}

/// Clicks with these modifier keys: 2 is Ctrl.
async fn click(page: &Browser, selector: &str, button: &str, modifiers: u32) {
    let [_, x, y] = centre(page, selector).await;
    for kind in ["mousePressed", "mouseReleased"] {
        let event =
            json!({"type": kind, "x": x - 4.0, "y": y, "button": button, "clickCount": 1, "modifiers": modifiers});
        mouse(page, event).await;
    }
}
