//! The server function `search`, and receipts: the state of a search's log record for the holder of its receipt.

use std::sync::Arc;
use std::time::Duration;

use api::{ApiError, PublicLedger, Receipt, ReceiptState, SearchAnswer, SearchApi, SearchId};
use async_trait::async_trait;
use axum::Json;
use axum::extract::State;
use axum::response::sse::Event;
use store::Topic;

use super::SearchService;
use super::progress::not_known_here;
use crate::platform::error::Result;
use crate::platform::extract::{InPath, PathParameter};
use crate::platform::server_functions::{ApiResult, Call};
use crate::platform::sse::{EventStream, Source, Step, StreamPermit, Then};

/// Throttles a stream: other jobs wake it too, and five events a second are enough for a reader.
const PAUSE: Duration = Duration::from_millis(200);
/// The same while only another process may have the record: it comes once, and made-up receipts cost little.
const PAUSE_WITHOUT_RECORD: Duration = Duration::from_secs(2);

#[async_trait]
impl SearchApi for Call<SearchService> {
    async fn search(&self, phrase: String, letters: Option<String>, id: Option<SearchId>) -> ApiResult<SearchAnswer> {
        let typed = |text: String| match self.caller.accepts_page {
            // A form sends each line break of its fields as CRLF. What was typed has LF.
            true => text.replace("\r\n", "\n"),
            false => text,
        };
        Ok(self.service.search(&self.caller, typed(phrase), letters.map(typed), id).await?)
    }

    async fn public_ledger(&self) -> ApiResult<Option<PublicLedger>> {
        Ok(self.service.ledger.read().await)
    }
}

impl PathParameter for Receipt {
    const NAME: &'static str = "receipt";

    fn parse(text: String) -> Option<Self> {
        Some(Self(text))
    }
}

pub async fn show(
    State(searches): State<Arc<SearchService>>,
    InPath(receipt): InPath<Receipt>,
) -> Result<Json<ReceiptState>> {
    Ok(Json(searches.receipt_state(&receipt).await?.ok_or_else(not_known_here)?))
}

/// Sends the state now and whenever it changes, until it is settled.
pub async fn events(
    State(searches): State<Arc<SearchService>>,
    InPath(receipt): InPath<Receipt>,
    permit: StreamPermit,
) -> Result<EventStream> {
    let store = searches.store.clone();
    let source = ReceiptSource { searches, receipt, sent: None };
    let events = permit.try_watch(&*store, &[Topic::Jobs], source).await?;
    Ok(permit.send(events))
}

struct ReceiptSource {
    searches: Arc<SearchService>,
    receipt: Receipt,
    /// What the stream has sent last: a state, or that there is none here yet.
    sent: Option<Option<ReceiptState>>,
}

#[async_trait]
impl Source for ReceiptSource {
    async fn read(&mut self, _: Option<Topic>) -> Result<Step> {
        let state = self.searches.receipt_state(&self.receipt).await?;
        let then = match &state {
            Some(state) if state.is_settled() => Then::End,
            Some(_) => Then::Wait(PAUSE),
            None => Then::Wait(PAUSE_WITHOUT_RECORD),
        };
        if self.sent.as_ref() == Some(&state) {
            return Ok(Step { events: Vec::new(), then });
        }
        let event = match (&state, &self.sent) {
            (Some(state), _) => Event::default().json_data(state).expect("a state has a JSON form"),
            // It was here, so no other spool has it.
            (None, Some(_)) => return Err(ApiError::not_found("receipt").into()),
            // An event without data would not be delivered.
            (None, None) => Event::default().event(ReceiptState::UNKNOWN_EVENT).data("{}"),
        };
        self.sent = Some(state);
        Ok(Step { events: vec![event], then })
    }
}
