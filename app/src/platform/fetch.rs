//! Responses that are read while they arrive.

use api::{ApiError, ErrorCode};
use js_sys::{Reflect, Uint8Array};
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, ReadableStreamDefaultReader, RequestInit, Response};

/// The body of a response.
pub struct Body(ReadableStreamDefaultReader);

/// Fetches `url`. `None` if the response has no body: there is nothing more to read.
pub async fn open(url: &str, abort: &AbortSignal) -> Result<Option<Body>, ApiError> {
    let options = RequestInit::new();
    options.set_signal(Some(abort));
    let response: Response =
        JsFuture::from(window().fetch_with_str_and_init(url, &options)).await.map_err(unreachable)?.unchecked_into();
    if !response.ok() {
        return Err(refusal(&response).await);
    }
    let media_type = response.headers().get("content-type").ok().flatten().unwrap_or_default();
    if media_type.starts_with("text/html") {
        // For instance the login page of a network, with status 200.
        return Err(ApiError::answered_by_another());
    }
    Ok(response.body().map(|body| Body(body.get_reader().unchecked_into())))
}

impl Body {
    /// The next part of the body; `None` at its end.
    pub async fn next(&self) -> Result<Option<Vec<u8>>, ApiError> {
        let part = JsFuture::from(self.0.read()).await.map_err(unreachable)?;
        let value = Reflect::get(&part, &JsValue::from_str("value")).map_err(unreachable)?;
        Ok(value.dyn_into::<Uint8Array>().ok().map(|bytes| bytes.to_vec()))
    }
}

async fn refusal(response: &Response) -> ApiError {
    let body = match response.text() {
        Ok(text) => JsFuture::from(text).await.ok().and_then(|text| text.as_string()),
        Err(_) => None,
    };
    body.and_then(|body| api::from_json(&body).ok()).unwrap_or_else(|| {
        let message = format!("The server answered with status {}. Try again in a moment.", response.status());
        ApiError::new(ErrorCode::Unavailable, message)
    })
}

fn unreachable(_: JsValue) -> ApiError {
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
