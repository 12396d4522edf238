//! The server function `search`, and receipts: the state of a search's log record for the holder of its receipt.

use std::sync::Arc;
use std::time::Duration;

use api::{Receipt, ReceiptState, SearchAnswer, SearchApi, SearchId};
use async_trait::async_trait;
use axum::Json;
use axum::extract::State;
use axum::response::sse::Event;
use store::Topic;

use super::SearchService;
use crate::platform::error::Result;
use crate::platform::extract::{InPath, PathParameter};
use crate::platform::server_functions::{ApiResult, Call};
use crate::platform::sse::{EventStream, Source, Step, StreamPermit, Then};

/// Throttles a stream: other jobs wake it too, and five events a second are enough for a reader.
const PAUSE: Duration = Duration::from_millis(200);

#[async_trait]
impl SearchApi for Call<SearchService> {
    async fn search(&self, phrase: String, letters: Option<String>, id: Option<SearchId>) -> ApiResult<SearchAnswer> {
        Ok(self.service.search(&self.caller, phrase, letters, id).await?)
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
    Ok(Json(searches.receipt_state(&receipt).await?))
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
    sent: Option<ReceiptState>,
}

#[async_trait]
impl Source for ReceiptSource {
    async fn read(&mut self, _: Option<Topic>) -> Result<Step> {
        let state = self.searches.receipt_state(&self.receipt).await?;
        if self.sent.as_ref() == Some(&state) {
            return Ok(Step { events: Vec::new(), then: Then::Wait(PAUSE) });
        }
        let event = Event::default().json_data(&state).expect("a state has a JSON form");
        let then = if state.is_settled() { Then::End } else { Then::Wait(PAUSE) };
        self.sent = Some(state);
        Ok(Step { events: vec![event], then })
    }
}
