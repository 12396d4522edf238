//! What others do to a page: translators, input methods, password managers, and whatever keeps the wasm away.

use serde_json::{Value, json};
use tests::browser::{Browser, Role, key};
use tests::eventually;

use crate::{BrowserTest, search};

/// Replaces each text as translators and extensions do.
const TRANSLATE: &str = r"
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const texts = [];
while (walk.nextNode()) texts.push(walk.currentNode);
for (const text of texts.filter(text => text.data.trim() && !text.parentElement.closest('script'))) {
    const element = document.createElement('font');
    element.textContent = text.data;
    if (arguments[0]) {
        text.replaceWith(element);
    } else {
        text.parentNode.insertBefore(element, text);
        text.parentNode.removeChild(text);
    }
}
";

#[tokio::test]
async fn texts_that_a_translator_has_replaced_stay_live() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    search(&test.client(), 1, "the first").await;
    let mut searches = 1;
    for replaces_at_once in [true, false] {
        for (path, before, after) in
            [("/viewlog", "rows", "rows"), ("/jobs", "Done", "Done"), ("/system", "All", "searches accounted for")]
        {
            searches += 1;
            search(&test.client(), searches, "before").await;
            page.open(path).await;
            let shows = async |count: u64, word: &str| {
                eventually(&format!("{path} shows {count} {word}"), async || {
                    let text = page.text().await.split_whitespace().collect::<Vec<_>>().join(" ");
                    let texts = [format!("{count} {word}"), format!("{word} {count}")];
                    texts.iter().any(|wanted| text.contains(wanted)).then_some(())
                })
                .await;
            };
            shows(searches, before).await;
            page.wait_for_text("Live").await;
            page.script(TRANSLATE, vec![replaces_at_once.into()]).await;
            searches += 1;
            search(&test.client(), searches, "after").await;
            shows(searches, after).await;
        }
    }
    test.finish().await;
}

/// The words of a receipt's step, without its time.
const STEP: &str = ".receipt_step > :first-child";

/// A search whose page was changed by `script` before its record was written, and is shown as written since.
async fn written_after(script: &str, arguments: Vec<Value>) -> BrowserTest {
    let test = BrowserTest::start(&["--log-delay", "3s"]).await;
    let page = &test.browser;
    page.open("/").await;
    page.find(Role::Link, "Log in").await;
    page.fill("Phrase", "life").await;
    page.click(Role::Button, "Do it!").await;
    page.wait_for_text("Accepted").await;
    page.script(script, arguments).await;
    page.wait_for_text("In the log: row 1").await;
    test
}

#[tokio::test]
async fn a_translated_receipt_follows_its_record() {
    let test = written_after(TRANSLATE, vec![true.into()]).await;
    let page = &test.browser;
    assert_eq!(page.texts(STEP).await, ["Accepted, safe on disk", "Waited for a worker", "Written by a worker"]);
    test.finish().await;
}

/// Splits each text of the receipt and marks its end, as extensions do that look words up.
const SPLIT: &str = "
for (const step of document.querySelectorAll('.receipt_step > :first-child')) {
    const end = step.firstChild.splitText(2);
    const mark = document.createElement('mark');
    end.replaceWith(mark);
    mark.append(end);
}
";

/// Wraps the beginning of each text, which is the node that the page's program knows.
const WRAP_BEGINNING: &str = "
for (const step of document.querySelectorAll('.receipt_step > :first-child')) {
    const beginning = step.firstChild;
    beginning.splitText(3).splitText(2);
    const mark = document.createElement('mark');
    beginning.before(mark);
    mark.append(beginning);
}
";

#[tokio::test]
async fn a_receipt_with_split_texts_follows_its_record() {
    for script in [SPLIT, WRAP_BEGINNING] {
        let test = written_after(script, vec![]).await;
        let page = &test.browser;
        assert_eq!(page.texts(STEP).await, ["Accepted, safe on disk", "Waited for a worker", "Written by a worker"]);
        test.finish().await;
    }
}

#[tokio::test]
async fn texts_that_were_joined_stay_live() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    // The page's own texts, as its program makes and changes them.
    let made = "const line = document.createElement('p');
        const [first, second, empty] = ['1 ', 'of 2', ''].map(text => document.createTextNode(text));
        line.append(first, second, empty);
        document.getElementById('main').append(line);
        window.texts = {line, first, second, empty};";
    page.script(made, vec![]).await;
    page.script("document.body.normalize(); return new Promise(done => setTimeout(done))", vec![]).await;
    assert_eq!(page.script("return texts.line.childNodes.length", vec![]).await, 1);
    for (text, value, shown) in [("second", "of 3", "1 of 3"), ("first", "2 ", "2 of 3"), ("empty", "!", "2 of 3!")] {
        let change = "texts[arguments[0]].nodeValue = arguments[1]; return texts.line.textContent";
        assert_eq!(page.script(change, vec![text.into(), value.into()]).await, shown);
    }
    test.finish().await;
}

#[tokio::test]
async fn the_enter_that_ends_a_composition_submits_nothing() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.open("/").await;
    page.find(Role::Link, "Log in").await;
    page.script(
        "window.enters = [];
         addEventListener('keydown', e => e.key === 'Enter' && enters.push([e.keyCode, e.isComposing, e.defaultPrevented]));
         document.getElementById('phrase').focus();",
        vec![],
    )
    .await;
    page.devtools("Input.imeSetComposition", json!({"text": "にほん", "selectionStart": 3, "selectionEnd": 3})).await;
    page.devtools("Input.insertText", json!({"text": "日本"})).await;
    // As Safari sends it: after the composition, and with the key code of input methods.
    let enter = json!({"type": "rawKeyDown", "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229});
    page.devtools("Input.dispatchKeyEvent", enter).await;
    eventually("the key has arrived and was left to the input method", async || {
        (page.script("return window.enters", vec![]).await == json!([[229, false, false]])).then_some(())
    })
    .await;
    page.press([key::ENTER]).await;
    page.find(Role::Heading, "Here are your results:").await;
    assert_eq!(page.value("Phrase").await, "日本");
    page.wait_for_text("In the log: row 1").await;
    test.finish().await;
}

#[tokio::test]
async fn keys_of_an_input_method_are_no_shortcuts() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    page.wait_for_text("Nothing has been searched yet").await;
    let press = "const [key, keyCode] = arguments;
                 document.body.dispatchEvent(new KeyboardEvent('keydown', {key, keyCode, bubbles: true}))";
    page.script(press, vec!["?".into(), 229.into()]).await;
    assert!(page.find_now(Role::Dialog, "Keyboard shortcuts").await.is_none());
    page.script(press, vec!["?".into(), 191.into()]).await;
    page.find(Role::Dialog, "Keyboard shortcuts").await;
    test.finish().await;
}

#[tokio::test]
async fn fields_that_are_filled_without_an_event_are_sent_as_they_are() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.open("/").await;
    page.find(Role::Link, "Log in").await;
    page.script("document.getElementById('phrase').value = 'filled silently'", vec![]).await;
    page.script("document.getElementById('letters').value = 'xyl'", vec![]).await;
    page.click(Role::Button, "Do it!").await;
    page.find(Role::Heading, "Here are your results:").await;
    assert_eq!(page.texts(".results_letters").await, ["l, y"]);
    page.script("document.querySelector('.search_form').reset()", vec![]).await;
    page.wait_for_text("Start typing.").await;
    test.finish().await;
}

#[tokio::test]
async fn without_its_program_the_page_says_so_and_still_searches() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.expect_on_console("ERR_BLOCKED_BY_CLIENT");
    page.expect_on_console("wasm");
    page.expect_on_console("Failed to fetch");
    page.devtools("Network.enable", json!({})).await;
    page.devtools("Network.setBlockedURLs", json!({"urls": ["*.wasm"]})).await;
    page.open("/viewlog").await;
    page.wait_for_text("The program of this page could not be loaded").await;
    // The lab says what it is, and promises no figures.
    page.open("/lab").await;
    page.wait_for_text("The program of this page could not be loaded").await;
    page.find(Role::Heading, "The waiting lab").await;
    let skeleton = "return document.querySelector('.lab_skeleton').checkVisibility()";
    assert_eq!(page.script(skeleton, vec![]).await, false);
    page.open("/?phrase=by%20link&letters=ln").await;
    page.wait_for_text("The search works without it.").await;
    assert_eq!(page.value("Phrase").await, "by link");
    page.assert_accessible("a page without its program").await;
    // One reload is offered.
    page.click(Role::Button, "Reload").await;
    eventually("no other reload is offered", async || {
        let is_back = page.text().await.contains("The search works without it.");
        (is_back && page.find_now(Role::Button, "Reload").await.is_none()).then_some(())
    })
    .await;

    page.fill("Phrase", "a <b>plain</b> form").await;
    page.click(Role::Button, "Do it!").await;
    page.find(Role::Heading, "Here are your results:").await;
    page.wait_for_text("a <b>plain</b> form").await;
    let text = page.text().await;
    assert!(text.contains("l, n"), "{text}");
    page.assert_accessible("the results without a program").await;
    page.resize(360, 740).await;
    page.assert_fits_its_width("the results without a program").await;
    eventually("loading the page again shows how far it is", async || {
        page.reload().await;
        page.text().await.contains("In the log: row 1").then_some(())
    })
    .await;
    // Loading the page again has recorded nothing.
    search(&test.client(), 1, "the second").await;
    page.click(Role::Link, "Search again").await;
    page.wait_for_text("The search works without it.").await;
    page.fill("Phrase", "the third").await;
    page.click(Role::Button, "Do it!").await;
    eventually("the third search is the third row", async || {
        page.reload().await;
        page.text().await.contains("In the log: row 3").then_some(())
    })
    .await;
    test.finish().await;
}

#[tokio::test]
async fn a_browser_without_webassembly_is_told_so() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.expect_on_console("WebAssembly");
    let gone = json!({"source": "delete globalThis.WebAssembly"});
    page.devtools("Page.addScriptToEvaluateOnNewDocument", gone).await;
    for path in ["/", "/lab"] {
        page.open(path).await;
        page.wait_for_text("This page needs WebAssembly").await;
    }
    test.finish().await;
}

#[tokio::test]
async fn a_program_that_fails_is_reported() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.open("/").await;
    page.find(Role::Link, "Log in").await;
    let fail = "const error = new WebAssembly.RuntimeError('unreachable');
                dispatchEvent(new ErrorEvent('error', {error, filename: location.href}))";
    page.script(fail, vec![]).await;
    page.wait_for_text("This page has stopped").await;
    page.click(Role::Button, "Reload").await;
    page.find(Role::Link, "Log in").await;
    assert!(!page.text().await.contains("This page has stopped"));
    test.finish().await;
}

/// Opens a page whose program is held back until `Fetch.disable`.
async fn open_without_program(page: &Browser, path: &str) {
    page.open("/healthz").await;
    page.devtools("Fetch.enable", json!({"patterns": [{"urlPattern": "*.wasm"}]})).await;
    page.script("setTimeout(address => location.assign(address), 0, arguments[0])", vec![path.into()]).await;
    eventually("the frame is there", async || {
        page.script("return document.querySelector('#parsed') !== null", vec![]).await.as_bool().filter(|is| *is)
    })
    .await;
}

#[tokio::test]
async fn the_lab_has_its_shape_before_the_program_is_there() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    open_without_program(page, "/lab?scenario=trap").await;
    page.find(Role::Heading, "The waiting lab").await;
    page.find(Role::Link, "Database").await;
    let skeleton = "return document.querySelector('.lab_skeleton').checkVisibility({visibilityProperty: true})";
    eventually("what is to come has a shape", async || (page.script(skeleton, vec![]).await == true).then_some(()))
        .await;
    page.assert_accessible("the lab before its program").await;
    let places =
        "return ['.page_heading', '.lab_tabs'].map(part => document.querySelector(part).getBoundingClientRect().y)";
    let before = page.script(places, vec![]).await;
    page.devtools("Fetch.disable", json!({})).await;
    page.find(Role::Heading, "Kill the server while it writes").await;
    assert_eq!(page.script(places, vec![]).await, before);
    page.assert_nothing_has_moved("the lab on a slow line").await;
    test.finish().await;
}

#[tokio::test]
async fn a_search_that_is_submitted_before_the_program_is_there_is_made_once() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    open_without_program(page, "/").await;
    let submit = "const field = document.getElementById('phrase'); field.value = 'early'; field.form.requestSubmit()";
    page.script(submit, vec![]).await;
    assert!(!page.text().await.contains("Here are your results"), "the search waits for the program");
    page.devtools("Fetch.disable", json!({})).await;
    page.find(Role::Heading, "Here are your results:").await;
    page.wait_for_text("In the log: row 1").await;
    assert!(page.path().await.starts_with("/?phrase=early"));
    test.finish().await;
}

#[tokio::test]
async fn the_caret_stays_where_it_is_when_the_program_takes_over() {
    for (field, label) in [("phrase", "Phrase"), ("letters", "Letters")] {
        let test = BrowserTest::start(&[]).await;
        let page = &test.browser;
        open_without_program(page, "/").await;
        page.script("document.getElementById(arguments[0]).select()", vec![field.into()]).await;
        page.type_text("ad").await;
        page.press([key::LEFT]).await;
        page.devtools("Fetch.disable", json!({})).await;
        page.find(Role::Link, "Log in").await;
        page.type_text("bc").await;
        assert_eq!(page.value(label).await, "abcd");
        test.finish().await;
    }
}

#[tokio::test]
async fn the_skip_link_moves_the_focus_and_stays_on_the_page() {
    let test = BrowserTest::as_administrator(&[]).await;
    let page = &test.browser;
    // A proxy has made the link lead to another page, as it were.
    let skip = "const link = document.querySelector('.skip_link');
                link.href = '/elsewhere/#main';
                link.click();
                return document.activeElement.id";
    for path in ["/", "/viewlog?q=x"] {
        open_without_program(page, path).await;
        assert_eq!(page.script(skip, vec![]).await, "main", "{path} before the program");
        page.devtools("Fetch.disable", json!({})).await;
        page.find(Role::Button, "Account of").await;
        let focused = page.script("return document.activeElement.id", vec![]).await;
        assert_eq!(focused, "main", "{path} when the program has taken over");
        page.script("document.activeElement.blur()", vec![]).await;
        assert_eq!(page.script(skip, vec![]).await, "main", "{path} with the program");
        assert_eq!(page.path().await, path);
    }
    test.finish().await;
}

#[tokio::test]
async fn an_update_of_the_server_is_offered() {
    let test = BrowserTest::start(&[]).await;
    let page = &test.browser;
    page.open("/").await;
    page.find(Role::Link, "Log in").await;
    assert!(!page.text().await.contains("A new version is here."));
    page.expect_on_console("search-0000000000000000.js");
    // The page comes from an older server, as it were, and is shown again.
    let outdate =
        "document.querySelector('link[rel=modulepreload]').setAttribute('href', '/search-0000000000000000.js');
                   dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))";
    page.script(outdate, vec![]).await;
    page.wait_for_text("A new version is here.").await;
    page.assert_accessible("a page that is outdated").await;
    page.click(Role::Button, "Reload").await;
    eventually("the new page is shown", async || (!page.text().await.contains("A new version")).then_some(())).await;
    page.find(Role::Link, "Log in").await;
    test.finish().await;
}
