//! The server function `search` without a store: the same codec, framework and response.

use api::{ApiError, DEFAULT_LETTERS, ErrorCode, Form, Receipt, Recorded, SearchAnswer, SearchId};
use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::post;
use leptos::prelude::{provide_context, server, use_context};
use leptos_axum::handle_server_fns_with_context;
use server_fn::axum::register_explicit;
use server_fn::codec::Post;
use std::pin::Pin;
use std::sync::Arc;

/// Stores a search before it is answered, and returns how far its record has come.
pub type Keep = dyn Fn(Search) -> Pin<Box<dyn Future<Output = Result<Recorded, String>> + Send>> + Send + Sync;

/// A received search.
pub struct Search {
    pub id: SearchId,
    pub phrase: String,
    pub letters: String,
    pub results: String,
}

/// As long as a real receipt.
const RECEIPT: &str = "00000000000000000000000000000000";

#[derive(Clone)]
struct KeepSearch(Arc<Keep>);

#[server(name = SearchAlone, prefix = "/api", endpoint = "search", input = Post<Form>)]
async fn search(phrase: String, letters: Option<String>, id: Option<SearchId>) -> Result<SearchAnswer, ApiError> {
    let letters = letters.unwrap_or_else(|| DEFAULT_LETTERS.to_owned());
    let found = api::search4letters(&phrase, &letters);
    let text = api::set_text(&found);
    let id = id.unwrap_or(SearchId(0));
    let recorded = match use_context::<KeepSearch>() {
        None => Recorded::NotRecorded,
        Some(KeepSearch(keep)) => {
            let search = Search { id, phrase: phrase.clone(), letters: letters.clone(), results: text.clone() };
            keep(search).await.map_err(|error| ApiError::new(ErrorCode::Internal, error))?
        }
    };
    let results = found.into_iter().map(String::from).collect();
    Ok(SearchAnswer {
        id,
        phrase,
        letters,
        results,
        text,
        receipt: Receipt(RECEIPT.to_owned()),
        recorded,
        accepted_in_ms: Some(0),
    })
}

/// Serves `POST /api/search`. Passes each search to `keep` first, if there is one.
pub fn router(keep: Option<Arc<Keep>>) -> Router {
    register_explicit::<SearchAlone>();
    let answer = move |request: Request| {
        let keep = keep.clone();
        async move {
            let provide = move || {
                if let Some(keep) = keep.clone() {
                    provide_context(KeepSearch(keep));
                }
            };
            handle_server_fns_with_context(provide, request).await.into_response()
        }
    };
    Router::new().route("/api/search", post(answer))
}
