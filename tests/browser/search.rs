//! A visitor searches.

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection as _, Executor as _};
use tests::browser::{Role, key};
use tests::eventually;

use crate::{BrowserTest, search};

#[tokio::test]
async fn by_keyboard_alone() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.open("/").await;
    // Appears when the wasm has replaced the static form and its fields.
    page.find(Role::Link, "Log in").await;
    page.wait_for_text("Welcome to search4letters on the web!").await;
    // Presses Tab until the phrase has the focus.
    while page.script("return document.activeElement?.id", vec![]).await != "phrase" {
        page.press([key::TAB]).await;
    }
    page.type_text("life, the universe").await;
    page.press([key::TAB]).await;
    assert_eq!(page.value("Letters").await, "aeiou", "the letters are there already");
    page.press([key::ENTER]).await;

    page.find(Role::Heading, "Here are your results:").await;
    assert_eq!(page.texts(".results_letters").await, ["e, i, u"]);
    assert_eq!(page.texts(".results_sentence").await, ["3 of 5 letters are in your phrase."]);
    test.finish().await;
}

#[tokio::test]
async fn by_mouse_until_the_record_is_written() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.open("/entry").await;
    // Appears when the wasm has replaced the static form and its fields.
    page.find(Role::Link, "Log in").await;
    page.fill("Phrase", "hitch-hiker").await;
    page.fill("Letters", "xyz").await;
    page.click(Role::Button, "Do it!").await;

    page.find(Role::Heading, "Here are your results:").await;
    assert_eq!(page.texts(".results_letters").await, ["No letters found"]);
    page.wait_for_text("In the log: row 1").await;
    eventually("the public ledger has the search", async || {
        let figures = page.texts(".public_ledger dl > div").await;
        (figures == ["accepted\n1", "in the log\n1", "being written\n0", "lost\n0"]).then_some(())
    })
    .await;
    page.click(Role::Link, "See what happens if we kill the server").await;
    page.wait_for_path("the trap", |path| path == "/lab?scenario=trap").await;
    test.finish().await;
}

#[tokio::test]
async fn the_preview_shows_what_will_be_found() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.open("/").await;
    // Appears when the wasm has replaced the static form and its fields.
    page.find(Role::Link, "Log in").await;
    page.fill("Phrase", "galaxy 🦀").await;
    page.fill("Letters", "ax🦀").await;
    eventually("the preview shows all three", async || {
        (page.texts(".letter_tile").await == ["a\n2", "x\n1", "🦀\n1"]).then_some(())
    })
    .await;
    assert_eq!(page.texts(".phrase_marks mark").await, ["a", "ax", "🦀"]);
    page.wait_for_text("All 3 letters are in your phrase.").await;
    assert!(!page.text().await.contains("Here are your results"), "nothing was sent");
    test.finish().await;
}

#[tokio::test]
async fn the_receipt_shows_a_slow_record_in_progress() {
    let test = BrowserTest::start(&["--log-delay", "10s"]).await;
    let page = &test.browser;
    page.open("/").await;
    // Appears when the wasm has replaced the static form and its fields.
    page.find(Role::Link, "Log in").await;
    page.fill("Phrase", "life").await;
    page.click(Role::Button, "Do it!").await;
    page.wait_for_text("Writing").await;
    assert_eq!(page.texts(".results_letters").await, ["e, i"], "the result does not wait for the record");
    page.wait_for_text("In the log: row 1").await;
    test.finish().await;
}

#[tokio::test]
async fn results_and_the_receipts_head_are_in_sight_on_small_screens() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    for (rows, (width, height)) in [(1, (360, 720)), (2, (768, 800))] {
        page.resize(width, height).await;
        page.open("/").await;
        // Appears when the wasm has replaced the static form and its fields.
        page.find(Role::Link, "Log in").await;
        page.script("sessionStorage.clear()", vec![]).await;
        page.fill("Phrase", "Don't Panic, and always know where your towel is").await;
        page.click(Role::Button, "Do it!").await;
        page.wait_for_text(&format!("In the log: row {rows}")).await;
        assert_eq!(page.script(IS_IN_SIGHT, vec![]).await, true, "after the search at {width}");
        // The tiles give way until the form has another search.
        let has_preview =
            async || page.script("return document.querySelector('.preview').checkVisibility()", vec![]).await;
        assert_eq!(has_preview().await, false, "at {width}");
        page.fill("Phrase", "another").await;
        eventually("the preview is back", async || (has_preview().await == true).then_some(())).await;
        page.fill("Phrase", "Don't Panic, and always know where your towel is").await;
        page.reload().await;
        page.wait_for_text(&format!("In the log: row {rows}")).await;
        assert_eq!(page.script(IS_IN_SIGHT, vec![]).await, true, "after loading again at {width}");
    }
    test.finish().await;
}

/// Whether the window shows the results from their heading to the receipt's times, below the bar.
const IS_IN_SIGHT: &str = "const rect = selector => document.querySelector(selector).getBoundingClientRect();
    return rect('.results h2').top >= rect('.topbar').bottom && rect('.receipt_totals').bottom <= innerHeight";

#[tokio::test]
async fn the_address_of_a_search_can_be_shared() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.open("/").await;
    // Appears when the wasm has replaced the static form and its fields.
    page.find(Role::Link, "Log in").await;
    page.fill("Phrase", "a&b=c+d #שלום").await;
    page.fill("Letters", "&+ש").await;
    page.click(Role::Button, "Do it!").await;
    page.find(Role::Heading, "Here are your results:").await;
    page.wait_for_text("In the log: row 1").await;
    let found = page.texts(".results_letters").await;
    let address = page.path().await;
    assert!(address.starts_with("/?phrase="), "{address}");

    page.new_tab().await;
    page.open(&address).await;
    page.find(Role::Heading, "A shared search:").await;
    assert_eq!(page.value("Phrase").await, "a&b=c+d #שלום");
    assert_eq!(page.texts(".results_letters").await, found);
    // Nothing is recorded in the name of somebody who has only followed a link.
    page.wait_for_text("You opened a shared search. Nothing was logged.").await;
    search(&test.client(), 1, "somebody else's").await;
    page.click(Role::Button, "Log this search").await;
    page.wait_for_text("In the log: row 3").await;
    assert_eq!(page.path().await, address);
    test.finish().await;
}

#[tokio::test]
async fn loading_the_results_again_shows_the_same_search_and_records_nothing() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    // Of a long search the address says nothing. It is kept all the same.
    for (rows, phrase) in [(1, "short".to_owned()), (3, "日本語 ".repeat(1_000))] {
        page.open("/").await;
        // Appears when the wasm has replaced the static form and its fields.
        page.find(Role::Link, "Log in").await;
        page.script("sessionStorage.clear()", vec![]).await;
        let paste = "const field = document.getElementById('phrase'); field.value = arguments[0];
                     field.dispatchEvent(new InputEvent('input', {bubbles: true}));";
        page.script(paste, vec![phrase.as_str().into()]).await;
        page.click(Role::Button, "Do it!").await;
        page.wait_for_text(&format!("In the log: row {rows}")).await;
        let receipt = page.texts(".receipt_id code").await;
        assert_eq!(receipt[0].len(), 32, "{receipt:?}");
        for _ in 0..2 {
            page.reload().await;
            page.wait_for_text(&format!("In the log: row {rows}")).await;
            assert_eq!(page.texts(".receipt_id code").await, receipt);
            assert_eq!(page.value("Phrase").await, phrase);
        }
        let path = page.path().await;
        assert_eq!(path, if rows == 1 { "/?phrase=short&letters=aeiou" } else { "/" });
        assert_eq!(page.text().await.contains("Too long for a link"), rows == 3);
        // If loading the page again had searched again, the next row would have a greater number.
        search(&test.client(), rows, "somebody else's").await;
    }
    page.open("/?phrase=last").await;
    page.click(Role::Button, "Log this search").await;
    page.wait_for_text("In the log: row 5").await;
    test.finish().await;
}

#[tokio::test]
async fn going_back_shows_the_search_before_and_sends_nothing() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.open("/").await;
    // Appears when the wasm has replaced the static form and its fields.
    page.find(Role::Link, "Log in").await;
    for (row, phrase) in ["first", "second"].into_iter().enumerate() {
        page.fill("Phrase", phrase).await;
        page.click(Role::Button, "Do it!").await;
        page.wait_for_text(&format!("In the log: row {}", row + 1)).await;
    }
    page.back().await;
    page.wait_for_text("In the log: row 1").await;
    assert_eq!(page.value("Phrase").await, "first");
    // If going back had searched again, this would be the fourth row and the next the fifth.
    search(&test.client(), 1, "third").await;
    page.open("/?phrase=fourth").await;
    page.click(Role::Button, "Log this search").await;
    page.wait_for_text("In the log: row 4").await;
    test.finish().await;
}

#[tokio::test]
async fn another_place_on_the_page_is_the_same_search() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.open("/").await;
    page.find(Role::Link, "Log in").await;
    page.fill("Phrase", "stays").await;
    page.click(Role::Button, "Do it!").await;
    page.wait_for_text("In the log: row 1").await;
    page.script("document.querySelector('.skip_link').click()", vec![]).await;
    assert_eq!(page.script("return document.activeElement.id", vec![]).await, "main");
    assert_eq!(page.path().await, "/?phrase=stays&letters=aeiou");
    // As when somebody edits the address.
    let go = "addEventListener('hashchange', () => arguments[0](), {once: true}); location.hash = 'elsewhere'";
    page.script_async(go, vec![]).await;
    page.find(Role::Heading, "Here are your results:").await;
    assert!(!page.text().await.contains("shared search"));
    page.reload().await;
    page.wait_for_text("In the log: row 1").await;
    assert!(!page.text().await.contains("shared search"));
    test.finish().await;
}

/// The lab and the search are two documents. After a return, the browser may have kept the search's document or load it
/// again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LeftPage {
    MayBeKept,
    IsLoadedAgain,
}

#[tokio::test]
async fn going_to_the_lab_and_back_shows_the_search_and_sends_nothing() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    let mut rows = 0;
    for left in [LeftPage::MayBeKept, LeftPage::IsLoadedAgain] {
        page.open("/").await;
        page.find(Role::Link, "Log in").await;
        page.fill("Phrase", "there and back").await;
        page.click(Role::Button, "Do it!").await;
        rows += 1;
        page.wait_for_text(&format!("In the log: row {rows}")).await;
        page.fill("Phrase", "not sent yet").await;
        if left == LeftPage::IsLoadedAgain {
            // Browsers do not keep a page with an `unload` handler.
            page.script("addEventListener('unload', () => {}); window.isKept = true", vec![]).await;
        }
        page.click(Role::Link, "Lab").await;
        page.find(Role::Heading, "The waiting lab").await;
        page.back().await;
        page.wait_for_text(&format!("In the log: row {rows}")).await;
        assert_eq!(page.value("Phrase").await, "not sent yet");
        if left == LeftPage::IsLoadedAgain {
            assert_eq!(
                page.script("return window.isKept ?? false", vec![]).await,
                false,
                "the browser must load the page again here"
            );
        }
    }
    // If going back had searched again, the next row would have a greater number.
    page.open("/?phrase=third").await;
    page.click(Role::Button, "Log this search").await;
    page.wait_for_text("In the log: row 3").await;
    assert_eq!(page.value("Phrase").await, "third", "a search's address determines the form's content");
    test.finish().await;
}

#[tokio::test]
async fn typed_text_survives_a_visit_to_the_lab() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.open("/").await;
    page.find(Role::Link, "Log in").await;
    page.fill("Phrase", "half a thou").await;
    page.fill("Letters", "xyz").await;
    page.click(Role::Link, "Lab").await;
    page.find(Role::Heading, "The waiting lab").await;
    page.click(Role::Link, "Search").await;
    page.find(Role::Heading, "Welcome to search4letters on the web!").await;
    page.find(Role::Link, "Log in").await;
    eventually("the form has what was typed", async || (page.value("Phrase").await == "half a thou").then_some(()))
        .await;
    assert_eq!(page.value("Letters").await, "xyz");
    test.finish().await;
}

#[tokio::test]
async fn ten_thousand_characters_are_searched_and_one_more_is_refused() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.open("/").await;
    let paste = "const field = document.getElementById('phrase'); field.value = arguments[0].repeat(arguments[1]); \
                 field.dispatchEvent(new InputEvent('input', {bubbles: true}));";
    // Appears when the wasm has replaced the static form.
    page.find(Role::Link, "Log in").await;
    page.script(paste, vec!["ü".into(), 10_001.into()]).await;
    page.click(Role::Button, "Do it!").await;
    page.wait_for_text("10,001 characters; the limit is 10,000").await;
    page.script(paste, vec!["ü".into(), 10_000.into()]).await;
    page.click(Role::Button, "Do it!").await;
    page.wait_for_text("In the log: row 1").await;
    test.finish().await;
}

#[tokio::test]
async fn a_spooled_search_is_shown_as_such_until_the_database_is_back() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    page.click(Role::Link, "Search").await;
    page.find(Role::Heading, "Welcome to search4letters").await;
    // Appears when the wasm has replaced the static form and its fields.
    page.find(Role::Button, "Account of").await;
    let mut other = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(test.installation.database()))
        .await
        .expect("the database is a file that another program may open");
    // From now on the server cannot write.
    other.execute("begin immediate").await.expect("the lock is free");

    page.fill("Phrase", "life").await;
    page.click(Role::Button, "Do it!").await;
    page.wait_for_text("Safe on the server's disk, waiting for the database").await;
    assert_eq!(page.texts(".results_letters").await, ["e, i"], "the result does not wait for the database");
    let search = page.window().await;
    page.new_tab().await;
    page.open("/system").await;
    page.find(Role::Link, "1 spooled").await;
    page.wait_for_text("accounted for").await;
    page.assert_accessible("/system with a spooled search").await;

    other.execute("rollback").await.expect("the lock is released");
    page.find(Role::Link, "1 in the log").await;
    eventually("nothing is spooled any more", async || {
        let text = page.text().await.split_whitespace().collect::<Vec<_>>().join(" ");
        (!text.contains("1 spooled")).then_some(())
    })
    .await;
    page.switch(&search).await;
    page.wait_for_text("In the log: row 1").await;
    page.wait_for_text("the database has it now").await;
    assert!(!page.text().await.contains("is not answering"));
    test.finish().await;
}
