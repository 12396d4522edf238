//! Requests to the server, and responses that are read while they arrive. A request whose server falls silent is given
//! up, in this one place.

use std::cell::Cell;
use std::pin::Pin;

use api::{ApiError, ErrorCode};
use js_sys::{Array, Function, Reflect, Uint8Array};
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, ReadableStreamDefaultReader, RequestInit, Response};

use crate::platform::reach;

/// How long a server may be silent before and within a response, in milliseconds. A connection whose other end has gone
/// says nothing; waiting for it would last for ever.
const SILENCE_LIMIT_MS: i32 = 20_000;

thread_local! {
    /// How often somebody has logged in on this page.
    static LOG_INS: Cell<u32> = const { Cell::new(0) };
}

/// Call it when somebody has logged in: earlier requests say nothing of the new session.
pub fn logged_in() {
    LOG_INS.set(LOG_INS.get().wrapping_add(1));
}

/// Sends `body`, and returns the body of the response.
pub fn post(path: &str, media_type: &str, body: &[u8]) -> api::Response {
    let options = RequestInit::new();
    options.set_method("POST");
    options.set_headers(&Array::of1(&Array::of2(&"content-type".into(), &media_type.into())));
    options.set_body(&Uint8Array::from(body));
    let sent = send(path.to_owned(), options);
    Box::pin(async move {
        let answer = match sent.await? {
            Some(body) => body.read().await?,
            None => Vec::new(),
        };
        reach::answered();
        Ok(answer)
    })
}

/// Fetches `url`. `None` if the response has no body: there is nothing more to read.
pub fn open(url: String) -> Pending<Option<Body>> {
    send(url, RequestInit::new())
}

/// Boxed, so that the code of a future exists once in the bundle, however often it is awaited.
type Pending<T> = Pin<Box<dyn Future<Output = Result<T, ApiError>>>>;

fn send(url: String, options: RequestInit) -> Pending<Option<Body>> {
    let log_ins = LOG_INS.get();
    Box::pin(async move {
        let request = Request::new()?;
        options.set_signal(Some(&request.controller.signal()));
        request.listen();
        let response = JsFuture::from(window().fetch_with_str_and_init(&url, &options)).await.map_err(unreachable)?;
        let response: Response = response.unchecked_into();
        let media_type = response.headers().get("content-type").ok().flatten().unwrap_or_default();
        let body = response.body().map(|body| Body { reader: body.get_reader().unchecked_into(), request });
        match (response.ok(), body) {
            // A page is for instance the login page of a network.
            (true, _) if media_type.starts_with("text/html") => Err(answered_by_another()),
            (true, body) => Ok(body),
            (false, Some(body)) => Err(match api::from_json(body.read().await?) {
                Ok(error) => refused(error, log_ins),
                Err(_) => answered_by_another(),
            }),
            (false, None) => Err(answered_by_another()),
        }
    })
}

/// The body of a response. Dropping it ends the request.
pub struct Body {
    reader: ReadableStreamDefaultReader,
    request: Request,
}

impl Body {
    /// The next part of the body; `None` at its end.
    pub async fn next(&self) -> Result<Option<Vec<u8>>, ApiError> {
        let part = self.part().await?;
        reach::answered();
        Ok(part)
    }

    async fn part(&self) -> Result<Option<Vec<u8>>, ApiError> {
        self.request.listen();
        let part = JsFuture::from(self.reader.read()).await.map_err(unreachable)?;
        let value = Reflect::get(&part, &"value".into()).map_err(unreachable)?;
        Ok(value.dyn_into::<Uint8Array>().ok().map(|bytes| bytes.to_vec()))
    }

    fn read(self) -> Pending<Vec<u8>> {
        Box::pin(async move {
            let mut whole = Vec::new();
            while let Some(part) = self.part().await? {
                whole.extend_from_slice(&part);
            }
            Ok(whole)
        })
    }
}

/// A request on its way. It is aborted when it is dropped, and when the server is silent for too long.
struct Request {
    controller: AbortController,
    give_up: Function,
    timer: Cell<Option<i32>>,
}

impl Request {
    fn new() -> Result<Self, ApiError> {
        let controller = AbortController::new().map_err(unreachable)?;
        let abort: Function = Reflect::get(&controller, &"abort".into()).map_err(unreachable)?.unchecked_into();
        Ok(Self { give_up: abort.bind0(&controller), controller, timer: Cell::default() })
    }

    /// Waits for the server from now on.
    fn listen(&self) {
        let timer =
            window().set_timeout_with_callback_and_timeout_and_arguments_0(&self.give_up, SILENCE_LIMIT_MS).ok();
        Self::forget(self.timer.replace(timer));
    }

    fn forget(timer: Option<i32>) {
        if let Some(timer) = timer {
            window().clear_timeout_with_handle(timer);
        }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        Self::forget(self.timer.take());
        self.controller.abort();
    }
}

/// `log_ins` is how often somebody had logged in when the request was sent.
fn refused(error: ApiError, log_ins: u32) -> ApiError {
    reach::answered();
    match error.code {
        ErrorCode::SignedOut if LOG_INS.get() != log_ins => {
            ApiError::new(ErrorCode::Conflict, "This was asked for before you logged in. Try again.")
        }
        _ => error,
    }
}

fn answered_by_another() -> ApiError {
    reach::failed();
    ApiError::answered_by_another()
}

fn unreachable(_: JsValue) -> ApiError {
    reach::failed();
    ApiError::unreachable()
}

/// Assembles lines from chunks.
#[derive(Debug, Default)]
pub struct Lines {
    unfinished: Vec<u8>,
}

impl Lines {
    /// The lines that `chunk` completes, without their line breaks.
    pub fn push(&mut self, chunk: &[u8]) -> Vec<Vec<u8>> {
        let mut complete = Vec::new();
        for piece in chunk.split_inclusive(|&byte| byte == b'\n') {
            match piece.split_last() {
                Some((b'\n', line)) => {
                    self.unfinished.extend_from_slice(line);
                    complete.push(std::mem::take(&mut self.unfinished));
                }
                _ => self.unfinished.extend_from_slice(piece),
            }
        }
        complete
    }

    /// What follows the last line break.
    pub fn finish(self) -> Vec<u8> {
        self.unfinished
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_in_any_chunks_give_their_lines(chunks in vec(vec(prop_oneof![any::<u8>(), Just(b'\n')], 0..20), 0..20)) {
            let stream = chunks.concat();
            let expected = stream.split(|&byte| byte == b'\n').map(<[u8]>::to_vec);
            let mut lines = Lines::default();
            let mut out: Vec<Vec<u8>> = chunks.iter().flat_map(|chunk| lines.push(chunk)).collect();
            out.push(lines.finish());
            prop_assert_eq!(out, expected.collect::<Vec<_>>());
        }
    }
}
