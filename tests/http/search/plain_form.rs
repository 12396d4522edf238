//! A search by a plain form, in a browser that does not run the client.

use http::{HeaderValue, StatusCode};
use tests::corpus::corpus;

use crate::request::{TestResponse, form};
use crate::test_server::TestServer;

/// As a browser that follows a form.
const ACCEPT: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

async fn submit(server: &TestServer, phrase: &str, letters: &str) -> TestResponse {
    server.searching(&[("phrase", phrase), ("letters", letters)]).header("accept", ACCEPT).send().await
}

#[tokio::test]
async fn leads_to_a_page_that_records_nothing_when_it_is_loaded_again() {
    let server = TestServer::start().await;
    let answer = submit(&server, "life & the universe", "aeiou").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let address = answer.headers["location"].to_str().expect("ASCII").to_owned();
    server.log_with_rows(1).await;
    for _ in 0..3 {
        let page = server.get(&address).send().await;
        assert_eq!((page.status, page.headers["cache-control"].as_bytes()), (StatusCode::OK, b"no-store".as_slice()));
        let text = page.text();
        assert!(text.contains("life &amp; the universe") && text.contains("e, i, u"), "{text}");
        assert!(text.contains("In the log: row 1."), "{text}");
    }
    let by_link = server.get("/results?phrase=hello").send().await.text();
    assert!(by_link.contains("e, o") && by_link.contains("This address has no receipt"), "{by_link}");
    assert_eq!(server.log().await.len(), 1);
}

/// The style sheets in the one that every page loads; see Trunk.toml.
const STYLES: [&str; 5] = [
    include_str!("../../../style/tokens.css"),
    include_str!("../../../style/base.css"),
    include_str!("../../../style/ui.css"),
    include_str!("../../../style/search.css"),
    include_str!("../../../style/account.css"),
];

#[tokio::test]
async fn is_answered_with_a_page_whose_style_sheet_knows_its_classes() {
    let server = TestServer::start().await;
    let answer = submit(&server, "hello", "aeiou").await;
    let address = answer.headers["location"].to_str().expect("ASCII").to_owned();
    let pages = [
        server.get(&address).send().await.text(),
        server.get("/results").send().await.text(),
        submit(&server, &"x".repeat(10_001), "aeiou").await.text(),
    ]
    .concat();
    let classes: Vec<&str> = pages
        .split("class=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .flat_map(str::split_whitespace)
        .collect();
    assert!(classes.contains(&"facts") && classes.contains(&"notice"), "{classes:?}");
    for class in classes {
        let is_known = |sheet: &&str| {
            sheet.match_indices(&format!(".{class}")).any(|(at, found)| {
                !sheet[at + found.len()..].starts_with(|next: char| next.is_ascii_alphanumeric() || "_-".contains(next))
            })
        };
        assert!(STYLES.iter().any(is_known), "{class}");
    }
}

#[tokio::test]
async fn has_its_results_at_once_if_an_address_cannot_hold_them() {
    let server = TestServer::start().await;
    let answer = submit(&server, &"日".repeat(10_000), "日x").await;
    assert_eq!(answer.status, StatusCode::OK);
    let text = answer.text();
    assert!(text.contains(">日</dd>") && text.contains("it is being written to the log."), "{text}");
    assert!(!text.contains("Reload"), "loading the answer to a form again would search again: {text}");
    server.log_with_rows(1).await;
    let (_, link) = text.split_once("href=\"/results").expect("a link to the receipt");
    let (address, _) = link.split_once('"').expect("a quoted address");
    let receipt = server.get(&format!("/results{address}")).send().await.text();
    assert!(receipt.contains("In the log: row 1.") && !receipt.contains('日'), "{receipt}");
    assert_eq!(server.log().await.len(), 1);
}

#[tokio::test]
async fn certifies_a_search_only_with_its_own_receipt() {
    let server = TestServer::builder().without_worker().start().await;
    let receipt = server.search(&[("phrase", "hello"), ("letters", "aeiou")]).await.receipt.0;
    let page = async |query: &str| server.get(&format!("/results?{query}&receipt={receipt}")).send().await.text();
    assert!(page("phrase=hello").await.contains("0 ahead of you"));
    for forged in ["phrase=goodbye", "phrase=hello&letters=xyz", "phrase="] {
        let text = page(forged).await;
        assert!(text.contains("not that of this search") && !text.contains("ahead of you"), "{forged}: {text}");
    }
}

#[tokio::test]
async fn is_refused_with_a_page() {
    let server = TestServer::start().await;
    let answer = submit(&server, &"a".repeat(10_001), "a").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
    assert!(answer.text().contains("The phrase has 10001 characters"), "{}", answer.text());
    let foreign =
        server.searching(&[("phrase", "a")]).header("accept", ACCEPT).header("origin", "https://evil.example");
    let answer = foreign.send().await;
    assert_eq!(
        (answer.status, &answer.headers["content-type"]),
        (StatusCode::FORBIDDEN, &HeaderValue::from_static("text/html; charset=utf-8"))
    );
    assert!(
        answer.text().contains("another site's page") || answer.text().contains("another site&#x27;s page"),
        "{}",
        answer.text()
    );
    let page = server.get("/results?receipt=unknown").send().await.text();
    assert!(page.contains("There is no such receipt."), "{page}");
}

#[tokio::test]
async fn line_breaks_are_recorded_as_they_were_typed() {
    let server = TestServer::start().await;
    // A form sends each line break as CRLF.
    submit(&server, "one\r\ntwo\r\n\r\nthree\rfour", "\r\na").await;
    let row = server.log_with_rows(1).await.remove(0);
    assert_eq!((row.phrase.as_str(), row.letters.as_str()), ("one\ntwo\n\nthree\rfour", "\na"));
    let longest = submit(&server, &"\r\n".repeat(10_000), "a").await;
    assert_eq!(longest.status, StatusCode::OK, "each counts once: {}", longest.text());
    let by_script = server.search(&[("phrase", "one\r\ntwo")]).await;
    assert_eq!(by_script.phrase, "one\r\ntwo", "a script sends what it means");
}

#[tokio::test]
async fn a_damaged_link_leads_to_a_page_with_a_form() {
    let server = TestServer::start().await;
    for query in ["phrase=%E6%97%A5%E6%9", "phrase=%FF", "phrase=a&phrase=b", "receipt=%E6%97"] {
        let page = server.get(&format!("/results?{query}")).send().await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(page.headers["content-type"], "text/html; charset=utf-8", "{query}");
        let text = page.text();
        assert!(text.contains("cut or changed") && text.contains("action=\"/api/search\""), "{query}: {text}");
        for path in ["/", "/viewlog", "/jobs", "/jobs/1", "/system", "/lab", "/login"] {
            let page = server.get(&format!("{path}?{query}")).send().await;
            assert_ne!(page.headers["content-type"], "application/json", "{path}?{query}");
        }
    }
    assert!(server.log().await.is_empty());
}

#[tokio::test]
async fn shows_hostile_strings_as_text() {
    let server = TestServer::start().await;
    for hostile in corpus() {
        let query = form(&[("phrase", &hostile.text), ("letters", &hostile.letters())]);
        // A longer one has no address.
        let page = match query.len() {
            ..30_000 => server.get(&format!("/results?{query}")).send().await,
            _ => submit(&server, &hostile.text, &hostile.letters()).await,
        };
        assert_eq!(page.status, StatusCode::OK, "{}", hostile.name);
        let text = page.text();
        assert_eq!(text.matches('<').count(), text.matches('>').count(), "{}: {text}", hostile.name);
        let elements = text.matches("<dd").count() + text.matches("<script").count() + text.matches("<img").count();
        assert_eq!(elements, 3, "{}: only the three facts are elements: {text}", hostile.name);
        assert!(text.chars().all(api::is_inert), "{}: {text:?}", hostile.name);
    }
}
