//! The sizes up to which a search is answered: counted in Unicode scalar values, and the body in bytes.

use api::ErrorCode;
use axum::body::{Body, Bytes};
use futures::stream;
use http::Method;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};

use crate::request::FORM;
use crate::site::Site;

#[tokio::test]
async fn a_phrase_at_its_limit_is_searched_and_one_over_is_not() {
    let site = Site::start().await;
    // Unencoded, so that 10,000 characters of four bytes stay within the body's limit.
    for character in ["a", "ä", "€", "😀"] {
        let at_limit = site.post_form("/api/search", format!("phrase={}", character.repeat(10_000))).send().await;
        let answer: api::SearchAnswer = at_limit.ok();
        assert_eq!(answer.phrase.chars().count(), 10_000);
        let over = site.post_form("/api/search", format!("phrase={}", character.repeat(10_001))).send().await;
        let message = over.refused(422, ErrorCode::TooLong, Some("phrase"));
        assert!(message.contains("10001") && message.contains("10000"), "{message}");
    }
}

#[tokio::test]
async fn letters_at_their_limit_are_looked_for_and_one_more_are_not() {
    let site = Site::start().await;
    for character in ["a", "😀"] {
        let answer = site.search(&[("phrase", character), ("letters", &character.repeat(1_000))]).await;
        assert_eq!(answer.results, [character]);
        let over = site.searching(&[("phrase", character), ("letters", &character.repeat(1_001))]).send().await;
        over.refused(422, ErrorCode::TooLong, Some("letters"));
    }
}

#[tokio::test]
async fn the_first_field_that_is_too_long_is_named() {
    let site = Site::start().await;
    let body = format!("letters={}&phrase={}", "a".repeat(1_001), "a".repeat(10_001));
    site.post_form("/api/search", body).send().await.refused(422, ErrorCode::TooLong, Some("phrase"));
}

#[tokio::test]
async fn a_percent_encoded_phrase_can_be_too_large_for_the_body_before_it_is_too_long() {
    let site = Site::start().await;
    let refused = site.searching(&[("phrase", &"😀".repeat(10_000))]).send().await;
    refused.refused(413, ErrorCode::TooLarge, None);
}

#[tokio::test]
async fn a_body_of_64_kib_is_read_and_one_byte_more_is_not() {
    let site = Site::start().await;
    let body_of = |size: usize| format!("phrase=a&filler={}", "x".repeat(size - "phrase=a&filler=".len()));
    let at_limit = site.post_form("/api/search", body_of(64 * 1024)).send().await;
    let _: api::SearchAnswer = at_limit.ok();
    site.post_form("/api/search", body_of(64 * 1024 + 1)).send().await.refused(413, ErrorCode::TooLarge, None);
}

#[tokio::test]
async fn a_body_that_does_not_say_its_size_is_counted_as_it_comes() {
    let site = Site::start().await;
    let pieces = |count: usize| {
        let pieces = std::iter::once("phrase=a&filler=".to_owned()).chain((0..count).map(|_| "x".repeat(1024)));
        Body::from_stream(stream::iter(pieces.map(|piece| Ok::<_, std::io::Error>(Bytes::from(piece)))))
    };
    let post = |body: Body| site.ask(Method::POST, "/api/search").header(CONTENT_TYPE.as_str(), FORM).body(body).send();
    let _: api::SearchAnswer = post(pieces(63)).await.ok();
    post(pieces(64)).await.refused(413, ErrorCode::TooLarge, None);
    post(pieces(4_000)).await.refused(413, ErrorCode::TooLarge, None);
}

#[tokio::test]
async fn a_size_that_is_not_true_is_not_believed() {
    let site = Site::start().await;
    let body = format!("phrase={}", "x".repeat(70_000));
    let refused = site.post_form("/api/search", body).header(CONTENT_LENGTH.as_str(), "8").send().await;
    refused.refused(413, ErrorCode::TooLarge, None);
}
