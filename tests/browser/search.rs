//! A visitor searches.

use tests::browser::{Role, key};

use crate::stage::{Stage, search};

#[tokio::test]
async fn by_keyboard_alone() {
    let stage = Stage::open(&[]).await;
    let page = &stage.browser;
    page.open("/").await;
    page.wait_for_text("Welcome to search4letters on the web!").await;
    // The focus is where a person would have to tab to: tab until the phrase has it.
    while page.script("return document.activeElement?.id", vec![]).await != "phrase" {
        page.press([key::TAB]).await;
    }
    page.type_text("life, the universe").await;
    page.press([key::TAB]).await;
    assert_eq!(page.value("Letters").await, "aeiou", "the letters are there already");
    page.press([key::ENTER]).await;

    page.find(Role::Heading, "Here are your results:").await;
    assert_eq!(page.texts(".results code").await, ["{'e', 'i', 'u'}"]);
    assert_eq!(page.texts(".results .letter_chip").await, ["e", "i", "u"]);
    stage.finish().await;
}

#[tokio::test]
async fn by_mouse_until_the_record_is_written() {
    let stage = Stage::open(&[]).await;
    let page = &stage.browser;
    page.open("/entry").await;
    // Appears when the wasm has taken over from the painted form, whose fields go.
    page.find(Role::Link, "Log in").await;
    page.fill("Phrase", "hitch-hiker").await;
    page.fill("Letters", "xyz").await;
    page.click(Role::Button, "Do it!").await;

    page.find(Role::Heading, "Here are your results:").await;
    assert_eq!(page.texts(".results code").await, ["set()"]);
    page.wait_for_text("recorded as row 1").await;
    stage.finish().await;
}

#[tokio::test]
async fn the_preview_shows_what_will_be_found() {
    let stage = Stage::open(&[]).await;
    let page = &stage.browser;
    page.open("/").await;
    // Appears when the wasm has taken over from the painted form, whose fields go.
    page.find(Role::Link, "Log in").await;
    page.fill("Phrase", "galaxy 🦀").await;
    page.fill("Letters", "ax🦀").await;
    tests::eventually::eventually("the preview shows all three", async || {
        (page.texts(".preview .letter_chip").await == ["a", "x", "🦀"]).then_some(())
    })
    .await;
    assert_eq!(page.texts(".preview mark").await, ["a", "ax", "🦀"]);
    assert!(!page.text().await.contains("Here are your results"), "nothing was sent");
    stage.finish().await;
}

#[tokio::test]
async fn the_receipt_tells_of_a_slow_record_while_it_waits() {
    let stage = Stage::open(&["--log-delay", "3s"]).await;
    let page = &stage.browser;
    page.open("/?phrase=life&letters=aeiou").await;
    page.wait_for_text("writing (attempt 1)").await;
    assert_eq!(page.texts(".results code").await, ["{'e', 'i'}"], "the result does not wait for the record");
    page.wait_for_text("recorded as row 1").await;
    stage.finish().await;
}

#[tokio::test]
async fn its_address_can_be_shared() {
    let stage = Stage::open(&[]).await;
    let page = &stage.browser;
    page.open("/").await;
    // Appears when the wasm has taken over from the painted form, whose fields go.
    page.find(Role::Link, "Log in").await;
    page.fill("Phrase", "a&b=c+d #שלום").await;
    page.fill("Letters", "&+ש").await;
    page.click(Role::Button, "Do it!").await;
    page.find(Role::Heading, "Here are your results:").await;
    page.wait_for_text("recorded as row 1").await;
    let found = page.texts(".results code").await;
    let address = page.path().await;
    assert!(address.starts_with("/?phrase="), "{address}");

    page.new_tab().await;
    page.open(&address).await;
    page.find(Role::Heading, "Here are your results:").await;
    assert_eq!(page.value("Phrase").await, "a&b=c+d #שלום");
    assert_eq!(page.texts(".results code").await, found);
    page.wait_for_text("recorded as row 2").await;
    stage.finish().await;
}

#[tokio::test]
async fn going_back_shows_the_search_before_and_sends_nothing() {
    let stage = Stage::open(&[]).await;
    let page = &stage.browser;
    page.open("/").await;
    // Appears when the wasm has taken over from the painted form, whose fields go.
    page.find(Role::Link, "Log in").await;
    for (row, phrase) in ["first", "second"].into_iter().enumerate() {
        page.fill("Phrase", phrase).await;
        page.click(Role::Button, "Do it!").await;
        page.wait_for_text(&format!("recorded as row {}", row + 1)).await;
    }
    page.back().await;
    page.wait_for_text("recorded as row 1").await;
    assert_eq!(page.value("Phrase").await, "first");
    // Had going back searched again, the next search would be the fourth.
    search(&stage.client(), 1, "third").await;
    page.open("/?phrase=fourth").await;
    page.wait_for_text("recorded as row 4").await;
    stage.finish().await;
}

/// The lab and the search are two documents. A browser may keep one that is left for the way back, or load it anew.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LeftPage {
    MayBeKept,
    IsLoadedAgain,
}

#[tokio::test]
async fn going_to_the_lab_and_back_shows_the_search_and_sends_nothing() {
    let stage = Stage::open(&[]).await;
    let page = &stage.browser;
    let mut rows = 0;
    for left in [LeftPage::MayBeKept, LeftPage::IsLoadedAgain] {
        page.open("/").await;
        page.find(Role::Link, "Log in").await;
        page.fill("Phrase", "there and back").await;
        page.click(Role::Button, "Do it!").await;
        rows += 1;
        page.wait_for_text(&format!("recorded as row {rows}")).await;
        page.fill("Phrase", "not sent yet").await;
        if left == LeftPage::IsLoadedAgain {
            // No browser keeps a page that wants to hear of its own end.
            page.script("addEventListener('unload', () => {}); window.isKept = true", vec![]).await;
        }
        page.click(Role::Link, "Lab").await;
        page.find(Role::Heading, "The waiting lab").await;
        page.back().await;
        page.wait_for_text(&format!("recorded as row {rows}")).await;
        assert_eq!(page.value("Phrase").await, "not sent yet");
        if left == LeftPage::IsLoadedAgain {
            assert_eq!(
                page.script("return window.isKept ?? false", vec![]).await,
                false,
                "this was to be loaded again"
            );
        }
    }
    // Had going back searched again, the next search would be a later one.
    page.open("/?phrase=third").await;
    page.wait_for_text("recorded as row 3").await;
    assert_eq!(page.value("Phrase").await, "third", "an address that asks for a search says what stands in the form");
    stage.finish().await;
}

#[tokio::test]
async fn what_is_typed_is_still_there_after_a_look_at_the_lab() {
    let stage = Stage::open(&[]).await;
    let page = &stage.browser;
    page.open("/").await;
    page.find(Role::Link, "Log in").await;
    page.fill("Phrase", "half a thou").await;
    page.fill("Letters", "xyz").await;
    page.click(Role::Link, "Lab").await;
    page.find(Role::Heading, "The waiting lab").await;
    page.click(Role::Link, "Search").await;
    page.find(Role::Heading, "Welcome to search4letters on the web!").await;
    page.find(Role::Link, "Log in").await;
    tests::eventually::eventually("the form has what was typed", async || {
        (page.value("Phrase").await == "half a thou").then_some(())
    })
    .await;
    assert_eq!(page.value("Letters").await, "xyz");
    stage.finish().await;
}

#[tokio::test]
async fn ten_thousand_characters_are_searched_and_one_more_is_refused() {
    let stage = Stage::open(&[]).await;
    let page = &stage.browser;
    page.open("/").await;
    let paste = "const field = document.getElementById('phrase'); field.value = arguments[0].repeat(arguments[1]); \
                 field.dispatchEvent(new InputEvent('input', {bubbles: true}));";
    // Appears when the wasm has taken over from the painted form.
    page.find(Role::Link, "Log in").await;
    page.script(paste, vec!["ü".into(), 10_001.into()]).await;
    page.click(Role::Button, "Do it!").await;
    page.wait_for_text("10,001 characters; the limit is 10,000").await;
    page.script(paste, vec!["ü".into(), 10_000.into()]).await;
    page.click(Role::Button, "Do it!").await;
    page.wait_for_text("recorded as row 1").await;
    stage.finish().await;
}
