//! The client's files, and the paths of its router.

use std::collections::BTreeSet;

use api::ErrorCode;
use http::Method;

use crate::request::TestResponse;
use crate::test_server::TestServer;

/// A page is the client's document, or explains that the build has no client.
fn is_page_or_says_why(answer: &TestResponse) {
    is_page_with_status(answer, 200);
}

fn is_page_with_status(answer: &TestResponse, status: u16) {
    if server::platform::assets::has_client() {
        assert_eq!(answer.status, status);
        assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
        assert_eq!(answer.headers["cache-control"], "no-cache");
    } else {
        assert_eq!(answer.status, 404);
        assert!(answer.text().contains("without its client"), "{}", answer.text());
    }
}

const OF_THE_SEARCH: [&str; 3] = ["/", "/entry", "/entry?phrase=x"];
const NOWHERE: [&str; 4] = ["/no/such/page", "/apis", "/API/search", "/jobs/x"];
const OF_THE_LAB: [&str; 3] = ["/lab", "/lab?compare=x", "/lab/runs/01ARZ3NDEKTSV4RRFFQ69G5FAV"];
const OF_THE_CONSOLE: [&str; 6] = ["/login?next=%2F", "/logout", "/setup#token=x", "/viewlog?q=x", "/jobs", "/jobs/17"];

#[tokio::test]
async fn the_clients_paths_have_one_document_for_each_bundle() {
    let server = TestServer::start().await;
    let mut documents = Vec::new();
    for paths in [&OF_THE_SEARCH[..], &OF_THE_LAB, &OF_THE_CONSOLE] {
        let document = server.get(paths[0]).send().await;
        for path in paths {
            let page = server.get(path).send().await;
            is_page_or_says_why(&page);
            assert_eq!(page.body, document.body, "{path}");
        }
        documents.push(document.body);
    }
    let differ = documents[0] != documents[1] && documents[1] != documents[2] && documents[2] != documents[0];
    assert_eq!(differ, server::platform::assets::has_client());
}

#[tokio::test]
async fn a_page_that_does_not_exist_says_so_with_its_status_too() {
    let server = TestServer::start().await;
    let page = server.get("/").send().await;
    for path in NOWHERE {
        let nowhere = server.get(path).header("if-none-match", "*").send().await;
        is_page_with_status(&nowhere, 404);
        assert_eq!(nowhere.body, page.body, "{path}");
        assert!(!nowhere.headers.contains_key("etag"), "{path}");
        assert_eq!(nowhere.headers["content-security-policy"], page.headers["content-security-policy"], "{path}");
    }
}

#[tokio::test]
async fn a_cached_page_is_not_sent_again() {
    let server = TestServer::start().await;
    let page = server.get("/").send().await;
    is_page_or_says_why(&page);
    let Some(tag) = page.headers.get("etag") else { return assert!(!server::platform::assets::has_client()) };
    let again = server.get("/entry").header("if-none-match", tag).send().await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
    // A browser applies the headers of a 304 to its cached page, so a stricter policy would break the page.
    for name in ["etag", "cache-control", "content-security-policy"] {
        assert_eq!(again.headers[name], page.headers[name], "{name}");
    }
    let other = server.get("/").header("if-none-match", "\"another\"").send().await;
    assert_eq!((other.status.as_u16(), &other.body), (200, &page.body));
    let other_bundle = server.get("/viewlog").header("if-none-match", tag).send().await;
    assert_eq!(other_bundle.status, 200);
    assert_ne!(other_bundle.body, page.body);
}

#[tokio::test]
async fn a_page_is_sent_in_an_encoding_that_the_browser_accepts() {
    let server = TestServer::start().await;
    let plain = server.get("/").send().await;
    is_page_or_says_why(&plain);
    if !server::platform::assets::has_client() {
        return;
    }
    assert!(plain.headers.get("content-encoding").is_none());
    assert_eq!(plain.headers["vary"], "accept-encoding");
    for (accepted, encodings) in [
        ("gzip, deflate, br", ["br", ""]),
        ("gzip", ["gzip", ""]),
        ("br;q=0, identity", ["", ""]),
        ("br;Q=0, GZIP ; Q = 0", ["", ""]),
        ("*", ["br", ""]),
    ] {
        let answer = server.get("/").header("accept-encoding", accepted).send().await;
        let encoding = answer.headers.get("content-encoding").map_or("", |value| value.to_str().expect("ASCII"));
        // A development build has no compressed files and sends plain ones.
        assert!(encodings.contains(&encoding), "{accepted}: {encoding}");
        assert_eq!(encoding.is_empty(), answer.body == plain.body, "{accepted}");
    }
    for none in ["identity;q=0", "*;q=0"] {
        assert_eq!(server.get("/").header("accept-encoding", none).send().await.status, 406, "{none}");
    }
}

/// What the files of a first visit may weigh together, in bytes as brotli packs them: what they weigh, and two percent.
const FIRST_VISIT: usize = 127_000;

#[tokio::test]
async fn a_first_visit_has_not_become_heavier() {
    let server = TestServer::start().await;
    let document = server.get("/").send().await;
    is_page_or_says_why(&document);
    let sent = async |file: &str| server.get(file).header("accept-encoding", "br").send().await;
    if sent("/").await.headers.get("content-encoding").is_none_or(|encoding| encoding != "br") {
        // A build without the client, or with the quick one of `cargo xtask run`, which no visitor gets.
        return;
    }
    let document = document.text();
    let names = document.split(['"', '\'', '=', '>', ' ']).filter(|name| {
        name.starts_with('/') && [".css", ".js", ".svg", ".wasm"].iter().any(|ending| name.ends_with(ending))
    });
    let mut files: BTreeSet<&str> = names.collect();
    files.insert("/");
    assert_eq!(files.len(), 5, "the document, its program and script, its style sheet and its icon: {files:?}");
    let mut weight = 0;
    for file in files {
        weight += sent(file).await.body.len();
    }
    assert!(weight <= FIRST_VISIT, "a first visit loads {weight} bytes: see docs/performance/profile.md");
}

#[tokio::test]
async fn the_pages_policy_lets_every_script_in_it_run_and_no_other() {
    let server = TestServer::start().await;
    for path in ["/", "/viewlog"] {
        let page = server.get(path).send().await;
        is_page_or_says_why(&page);
        let policy = page.headers["content-security-policy"].to_str().expect("ASCII");
        let inline = page.text().matches("<script").count() - page.text().matches(" src=").count();
        assert_eq!(policy.matches("'sha256-").count(), inline, "{path}: {policy}");
        assert!(
            !page.text().contains(" style=\"") && !page.text().contains(" onclick="),
            "the policy would not let them"
        );
    }
}

#[tokio::test]
async fn a_head_is_a_get_without_its_body() {
    let server = TestServer::start().await;
    for path in ["/", "/healthz", "/no-such-file.js"] {
        let (get, head) = (server.get(path).send().await, server.ask(Method::HEAD, path).send().await);
        assert_eq!((head.status, &head.headers), (get.status, &get.headers), "{path}");
        assert!(head.body.is_empty() && !get.body.is_empty(), "{path}");
    }
}

#[tokio::test]
async fn files_outside_cannot_be_reached() {
    let server = TestServer::start().await;
    for path in [
        "/../Cargo.toml",
        "/..%2fCargo.toml",
        "/%2e%2e/Cargo.toml",
        "/assets/../../Cargo.toml",
        "//etc/hosts.conf",
        "/etc/passwd.",
        "/..\\Cargo.toml",
        "/Cargo.toml%00.html",
        "/index.html.br",
        "/.",
        "/..",
    ] {
        let Ok(uri) = path.parse::<http::Uri>() else { continue };
        let answer = server.get(&uri.to_string()).send().await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.text(), "There is no such file.\n", "{path}");
    }
}

#[tokio::test]
async fn files_can_only_be_read() {
    let server = TestServer::start().await;
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let refused = server.ask(method, "/index.html").send().await;
        refused.refused(405, ErrorCode::WrongMethod, None);
        assert_eq!(refused.headers["allow"], "GET,HEAD");
    }
    server.ask(Method::POST, "/healthz").send().await.refused(405, ErrorCode::WrongMethod, None);
}
