//! Results as a page of their own, for browsers in which the client does not run.

use std::sync::Arc;

use api::{
    ADDRESS_LIMIT, ApiError, DEFAULT_LETTERS, LETTERS_LIMIT, PHRASE_LIMIT, Receipt, ReceiptState, Recorded,
    SearchAnswer, search4letters,
};
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use leptos::prelude::{AnyView, ElementChild, IntoAny, RenderHtml, view};
use leptos::prelude::{ClassAttribute, CustomAttribute, GlobalAttributes};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::progress::not_known_here;
use super::{SearchService, check_length};
use crate::platform::accept::accepts_page;
use crate::platform::assets;
use crate::platform::error::{Error, Result, status};
use crate::platform::extract::Parameters;

/// The path of the page. Its address holds the search, so that loading the page again shows it and records nothing.
pub const PATH: &str = "/results";
/// The largest answer to a search, in bytes, is far smaller.
const ANSWER_LIMIT: usize = 1024 * 1024;

/// The page's style and its form are our own, and it runs no script.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);
/// The server refuses a form whose origin is hidden, and the whole address would be too much for a header.
const REFERRER: HeaderValue = HeaderValue::from_static("strict-origin");

/// Answers a plain form with a page. Scripts get the JSON of the server function.
pub async fn for_forms(request: Request, next: Next) -> Response {
    let is_form = accepts_page(request.headers());
    let response = next.run(request).await;
    if !is_form {
        return response;
    }
    let failed = response.status();
    let body = to_bytes(response.into_body(), ANSWER_LIMIT).await.unwrap_or_default();
    match serde_json::from_slice::<SearchAnswer>(&body) {
        Ok(answer) => answered(answer),
        Err(_) => {
            let error = serde_json::from_slice::<ApiError>(&body);
            let message =
                error.map_or_else(|_| "The server has failed. Try again in a moment.".to_owned(), |e| e.message);
            page(failed, "No results", refused(&message))
        }
    }
}

fn answered(SearchAnswer { phrase, letters, receipt, recorded, .. }: SearchAnswer) -> Response {
    let receipt = (recorded != Recorded::NotRecorded).then_some(receipt);
    let mut address = format!("{PATH}?phrase={}&letters={}", encoded(&phrase), encoded(&letters));
    if let Some(Receipt(receipt)) = &receipt {
        address.push_str("&receipt=");
        address.push_str(receipt);
    }
    if address.len() <= ADDRESS_LIMIT {
        return (StatusCode::SEE_OTHER, [(LOCATION, address)]).into_response();
    }
    let record = match recorded {
        Recorded::Accepted => "Accepted: it is being written to the log.",
        Recorded::Spooled => "Safe on the server's disk, waiting for the database.",
        Recorded::NotRecorded => {
            "The result is right, but this search was not recorded: the server could not store it."
        }
    };
    page(StatusCode::OK, "Results", results(&phrase, &letters, record, receipt.as_ref()))
}

#[derive(Deserialize)]
pub struct Search {
    phrase: Option<String>,
    letters: Option<String>,
    receipt: Option<Receipt>,
}

/// Shows a search. It records nothing.
pub async fn show(
    State(searches): State<Arc<SearchService>>,
    query: std::result::Result<Parameters<Search>, Error>,
) -> Response {
    let Parameters(Search { phrase, letters, receipt }) = match query.map_err(ApiError::from) {
        Ok(query) => query,
        Err(error) => {
            let message = format!("This address was cut or changed on its way. {}", error.message);
            return page(status(error.code), "No results", refused(&message));
        }
    };
    if let (None, None, Some(receipt)) = (&phrase, &letters, &receipt) {
        return page(StatusCode::OK, "Receipt", standing(&told(searches.receipt_state(receipt).await), receipt));
    }
    let phrase = phrase.unwrap_or_default();
    let letters = letters.unwrap_or_else(|| DEFAULT_LETTERS.to_owned());
    let checked = check_length("phrase", &phrase, PHRASE_LIMIT).and(check_length("letters", &letters, LETTERS_LIMIT));
    if let Err(error) = checked {
        return page(status(error.code), "No results", refused(&error.message));
    }
    let record = match &receipt {
        None => "This address has no receipt, so it does not say whether the search was recorded.".to_owned(),
        // Anybody can put a receipt into an address beside any phrase.
        Some(receipt) => told(searches.receipt_state_of(receipt, &phrase, &letters).await),
    };
    page(StatusCode::OK, "Results", results(&phrase, &letters, &record, receipt.as_ref()))
}

fn told(state: Result<Option<ReceiptState>>) -> String {
    match state.map_err(ApiError::from).and_then(|state| state.ok_or_else(not_known_here)) {
        Ok(state) => sentence(&state),
        Err(error) => error.message,
    }
}

fn sentence(state: &ReceiptState) -> String {
    use api::JobState::{Cancelled, Dead, Done, Retrying, Running, Scheduled, Waiting};
    match (state.state, state.row) {
        (_, Some(row)) => format!("In the log: row {}.", row.0),
        (Waiting, None) if state.spooled => "Safe on the server's disk, waiting for the database.".to_owned(),
        (Scheduled | Waiting | Retrying, None) => format!("Accepted, {} ahead of you.", state.ahead),
        (Running, None) => "It is being written to the log.".to_owned(),
        (Done | Dead | Cancelled, None) => {
            "The record was not written. An administrator sees why, and can have it written again.".to_owned()
        }
    }
}

fn results(phrase: &str, letters: &str, record: &str, receipt: Option<&Receipt>) -> AnyView {
    let found: Vec<String> =
        search4letters(phrase, letters).into_iter().map(|letter| visible(&letter.to_string())).collect();
    let found = if found.is_empty() { "No letters found".to_owned() } else { found.join(", ") };
    let fact = |name: &'static str, value: String| {
        view! { <dt>{name}</dt><dd dir="auto" translate="no">{value}</dd> }
    };
    view! {
        <section class="results card">
            <div class="page">
                <h2>"Here are your results:"</h2>
                <dl class="facts">
                    {fact("Phrase", visible(phrase))}
                    {fact("Letters", visible(letters))}
                    {fact("Results", found)}
                </dl>
                {receipt.map_or_else(|| view! { <p>{record.to_owned()}</p> }.into_any(), |receipt| standing(record, receipt))}
            </div>
        </section>
    }
    .into_any()
}

/// How far the record is, and a link that shows it again. Loading a page that answers a form would search again.
fn standing(record: &str, Receipt(receipt): &Receipt) -> AnyView {
    view! {
        <p>{record.to_owned()}</p>
        <p class="muted">"Receipt " <code translate="no">{receipt.clone()}</code></p>
        <p><a class="button" href=format!("{PATH}?receipt={}", encoded(receipt))>"See how far it is"</a></p>
    }
    .into_any()
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// The reason, and a form to try again.
fn refused(message: &str) -> AnyView {
    let message = message.to_owned();
    view! {
        <div class="notice" data-tone="error" role="alert"><p>{message}</p></div>
        <form class="search_form card" action="/api/search" method="post" autocomplete="off">
            <div class="field">
                <div class="field_head"><label for="phrase">"Phrase"</label></div>
                <textarea id="phrase" name="phrase" rows="2" dir="auto" translate="no" spellcheck="false"></textarea>
            </div>
            <div class="field">
                <div class="field_head"><label for="letters">"Letters"</label></div>
                <input id="letters" name="letters" type="text" value=DEFAULT_LETTERS dir="auto" translate="no" spellcheck="false"/>
            </div>
            <button class="button button-primary" type="submit">"Do it!"</button>
        </form>
    }
    .into_any()
}

fn page(status: StatusCode, title: &'static str, content: AnyView) -> Response {
    let style = assets::style().map(|name| format!("/{name}"));
    let html = view! {
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <title>{format!("{title} · search4letters")}</title>
                {style.map(|style| view! { <link rel="stylesheet" href=style/> })}
            </head>
            <body>
                <main class="main">
                    <div class="page page-narrow">
                        <h1>"Welcome to search4letters on the web!"</h1>
                        {content}
                        <p><a class="button" href="/">"Search again"</a></p>
                    </div>
                </main>
            </body>
        </html>
    };
    let html = format!("<!doctype html>{}", html.to_html());
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (REFERRER_POLICY, REFERRER),
    ];
    (status, headers, html).into_response()
}

/// `text` without characters that act on the text around them.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            inert if api::is_inert(inert) => shown.push(inert),
            active => shown.extend(active.escape_unicode()),
        }
    }
    shown
}
