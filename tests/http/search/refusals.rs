//! Malformed searches, and the errors for them.

use api::{ErrorCode, SearchAnswer};
use http::Method;
use http::header::CONTENT_TYPE;

use crate::request::FORM;
use crate::test_server::TestServer;

/// Forms that are refused, each with its error and the field that it names.
pub(crate) const MALFORMED: [(&[u8], ErrorCode, Option<&str>); 22] = [
    (b"", ErrorCode::Missing, Some("phrase")),
    (b"letters=aeiou", ErrorCode::Missing, Some("phrase")),
    (b"Phrase=a", ErrorCode::Missing, Some("phrase")),
    (b"phrase=a&phrase=a", ErrorCode::Repeated, Some("phrase")),
    (b"phrase=a&%70hrase=a", ErrorCode::Repeated, Some("phrase")),
    (b"phrase=a&letters=a&letters=b", ErrorCode::Repeated, Some("letters")),
    (b"phrase=a&x=1&x=2", ErrorCode::Repeated, Some("x")),
    (b"phrase=%", ErrorCode::Malformed, Some("phrase")),
    (b"phrase=%4", ErrorCode::Malformed, Some("phrase")),
    (b"phrase=%zz", ErrorCode::Malformed, Some("phrase")),
    (b"phrase=%+1", ErrorCode::Malformed, Some("phrase")),
    (b"phrase=\xff", ErrorCode::Malformed, Some("phrase")),
    (b"phrase=%FF", ErrorCode::Malformed, Some("phrase")),
    (b"phrase=%C0%80", ErrorCode::Malformed, Some("phrase")),
    (b"phrase=%ED%A0%80", ErrorCode::Malformed, Some("phrase")),
    (b"phrase=%F4%90%80%80", ErrorCode::Malformed, Some("phrase")),
    (b"phrase=a&letters=%E2%82", ErrorCode::Malformed, Some("letters")),
    (b"%ff=a&phrase=a", ErrorCode::Malformed, None),
    (b"phrase=a&id=", ErrorCode::Invalid, Some("id")),
    (b"phrase=a&id=01ARZ3NDEKTSV4RRFFQ69G5FA", ErrorCode::Invalid, Some("id")),
    (b"phrase=a&id=81ARZ3NDEKTSV4RRFFQ69G5FAV", ErrorCode::Invalid, Some("id")),
    (b"phrase=a&id=01ARZ3NDEKTSV4RRFFQ69G5FA!", ErrorCode::Invalid, Some("id")),
];

#[tokio::test]
async fn a_form_error_names_its_field() {
    let server = TestServer::start().await;
    for (body, code, field) in MALFORMED {
        let answer = server.post_form("/api/search", body).send().await;
        let error = answer.refusal();
        let context = String::from_utf8_lossy(body).into_owned();
        assert_eq!((answer.status.as_u16(), error.code, error.field.as_deref()), (400, code, field), "{context}");
    }
    assert_eq!(server.log().await, [], "nothing that was refused is logged");
}

#[tokio::test]
async fn a_very_long_field_name_is_shortened_in_the_error() {
    let server = TestServer::start().await;
    // In JSON each of these characters takes six bytes.
    let name = "\u{1}".repeat(20_000);
    let part = format!("{}…", &name[..100]);
    let twice = server.post_form("/api/search", format!("{name}&{name}")).send().await;
    twice.refused(400, ErrorCode::Repeated, Some(&part));
    let cut_off = server.post_form("/api/search", format!("{name}=%")).send().await;
    cut_off.refused(400, ErrorCode::Malformed, Some(&part));
}

#[tokio::test]
async fn a_form_with_very_many_fields_is_refused() {
    let server = TestServer::start().await;
    let fields: String = (0..10_000).map(|number| format!("&{number}")).collect();
    let refused = server.post_form("/api/search", format!("phrase=a{fields}")).send().await;
    let message = refused.refused(400, ErrorCode::Malformed, None);
    assert!(message.contains("16"), "{message}");
}

pub(crate) const NO_FORMS: [&str; 6] =
    ["application/json", "text/plain", "multipart/form-data; boundary=x", "", "application/x-www-form", "*/*"];

#[tokio::test]
async fn only_forms_are_accepted() {
    let server = TestServer::start().await;
    let post = |content_type: &'static str| {
        server.ask(Method::POST, "/api/search").header(CONTENT_TYPE.as_str(), content_type).body("phrase=a").send()
    };
    for other in NO_FORMS {
        let message = post(other).await.refused(415, ErrorCode::ContentType, None);
        assert!(message.contains(FORM), "the message names the way out: {message}");
    }
    let without = server.ask(Method::POST, "/api/search").body("phrase=a").send().await;
    without.refused(415, ErrorCode::ContentType, None);
    for spelling in [
        "application/x-www-form-urlencoded; charset=UTF-8",
        "application/x-www-form-urlencoded;charset=utf-8",
        "Application/X-WWW-Form-URLencoded",
    ] {
        let _: SearchAnswer = post(spelling).await.ok();
    }
}

#[tokio::test]
async fn a_search_must_be_posted() {
    let server = TestServer::start().await;
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
        let refused = server.ask(method.clone(), "/api/search?phrase=a").send().await;
        refused.refused(405, ErrorCode::WrongMethod, None);
        assert_eq!(refused.headers["allow"], "POST", "{method}");
    }
}

#[tokio::test]
async fn a_search_in_the_address_is_ignored() {
    let server = TestServer::start().await;
    let refused = server.post_form("/api/search?phrase=a", "").send().await;
    refused.refused(400, ErrorCode::Missing, Some("phrase"));
}

#[tokio::test]
async fn unknown_paths_under_api_are_not_found() {
    let server = TestServer::start().await;
    for path in
        ["/api", "/api/", "/api/nothing", "/api/search/", "/api/search/more", "/api//search", "/api/%ff", "/api/Search"]
    {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let refused = server.ask(method, path).send().await;
            assert_eq!(refused.status, 404, "{path}");
            refused.refused(404, ErrorCode::NotFound, None);
        }
    }
}

#[tokio::test]
async fn a_programs_form_gets_json_and_no_redirect() {
    let server = TestServer::start().await;
    let answer = server
        .searching(&[("phrase", "a")])
        .header("accept", "*/*")
        .header("referer", "http://search.example/entry")
        .send()
        .await;
    let _: SearchAnswer = answer.ok();
}
