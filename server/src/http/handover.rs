//! Event streams take their connection over.
//!
//! hyper keeps 16 KiB of buffers for a connection, and the request's machinery, however little is sent. An event stream
//! sends next to nothing for hours. So hyper sends its head and is then put away; what the stream says
//! is sent as it comes (see `stream_writer.rs`), and once it has ended hyper is taken on again for what is asked next.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::header::{CONNECTION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, Version};
use hyper::body::{Frame, SizeHint};

use super::activity::BeingSent;

/// Where a stream waits until its head is sent.
#[derive(Default)]
pub struct Handover(Mutex<Stage>);

#[derive(Default)]
enum Stage {
    #[default]
    Nothing,
    /// hyper has the head, and has not yet asked for what follows.
    Answered(TakenOver),
    /// The head is among what hyper is writing.
    HeadIsBeingWritten(TakenOver),
    HeadIsWritten(TakenOver),
}

/// A stream whose connection is its own.
pub struct TakenOver {
    pub body: BeingSent<Body>,
    /// Whether the peer wants the connection closed after it.
    pub is_last: bool,
}

/// What of a request decides whether its answer may take the connection over.
#[derive(Clone, Copy)]
pub struct Asked {
    may_take_over: bool,
    is_last: bool,
}

impl Asked {
    pub fn by<B>(request: &Request<B>) -> Self {
        Self {
            // Of other versions, the connection is shared, or its end is the stream's.
            may_take_over: request.version() == Version::HTTP_11 && request.method() == Method::GET,
            is_last: wants_close(request.headers()),
        }
    }
}

fn wants_close(headers: &HeaderMap) -> bool {
    let options = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    options.flat_map(|value| value.split(',')).any(|option| option.trim().eq_ignore_ascii_case("close"))
}

impl Handover {
    /// The answer for hyper: without what follows the head, where that will take the connection over.
    pub fn split(self: &Arc<Self>, asked: Asked, response: Response<BeingSent<Body>>) -> Response<Answer> {
        let content_type = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        if !asked.may_take_over || content_type != Some(b"text/event-stream") {
            return response.map(Answer::Whole);
        }
        let (head, body) = response.into_parts();
        self.change(|_| Stage::Answered(TakenOver { body, is_last: asked.is_last }));
        Response::from_parts(head, Answer::HeadOnly(self.clone()))
    }

    /// All that hyper had to write is on its way.
    pub fn all_is_written(&self) {
        self.change(|stage| match stage {
            Stage::HeadIsBeingWritten(taken_over) => Stage::HeadIsWritten(taken_over),
            other => other,
        });
    }

    /// The stream, once its head is sent.
    pub fn take(&self) -> Option<TakenOver> {
        let mut taken = None;
        self.change(|stage| match stage {
            Stage::HeadIsWritten(taken_over) => {
                taken = Some(taken_over);
                Stage::Nothing
            }
            other => other,
        });
        taken
    }

    fn what_follows_is_wanted(&self) {
        self.change(|stage| match stage {
            Stage::Answered(taken_over) => Stage::HeadIsBeingWritten(taken_over),
            other => other,
        });
    }

    fn change(&self, to: impl FnOnce(Stage) -> Stage) {
        let mut stage = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *stage = to(std::mem::take(&mut *stage));
    }
}

/// An answer's body, as hyper sees it.
pub enum Answer {
    Whole(BeingSent<Body>),
    /// hyper waits for what follows, and is put away meanwhile.
    HeadOnly(Arc<Handover>),
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body).poll_frame(context),
            Self::HeadOnly(handover) => {
                handover.what_follows_is_wanted();
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::HeadOnly(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::HeadOnly(_) => SizeHint::default(),
        }
    }
}
