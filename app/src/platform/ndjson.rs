//! Reads a stream of JSON lines, chunk by chunk, as the server sends it.

use api::{ApiError, ErrorCode};
use js_sys::{Reflect, Uint8Array};
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, ReadableStreamDefaultReader, RequestInit, Response};

/// Fetches `url` and delivers the complete lines of each chunk, never an empty batch. A chunk may end within a line,
/// which then waits for the next chunk.
pub async fn read(url: &str, abort: &AbortSignal, mut deliver: impl FnMut(Vec<Vec<u8>>)) -> Result<(), ApiError> {
    let options = RequestInit::new();
    options.set_signal(Some(abort));
    let response: Response =
        JsFuture::from(window().fetch_with_str_and_init(url, &options)).await.map_err(unreachable)?.unchecked_into();
    if !response.ok() {
        return Err(refusal(&response).await);
    }
    let Some(body) = response.body() else { return Ok(()) };
    let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
    let mut lines = Lines::default();
    while let Some(chunk) = next_chunk(&reader).await? {
        let complete = lines.push(&chunk);
        if !complete.is_empty() {
            deliver(complete);
        }
    }
    let rest = lines.finish();
    if !rest.is_empty() {
        deliver(rest);
    }
    Ok(())
}

async fn next_chunk(reader: &ReadableStreamDefaultReader) -> Result<Option<Vec<u8>>, ApiError> {
    let part = JsFuture::from(reader.read()).await.map_err(unreachable)?;
    let value = Reflect::get(&part, &JsValue::from_str("value")).map_err(unreachable)?;
    Ok(value.dyn_into::<Uint8Array>().ok().map(|bytes| bytes.to_vec()))
}

async fn refusal(response: &Response) -> ApiError {
    let body = match response.text() {
        Ok(text) => JsFuture::from(text).await.ok().and_then(|text| text.as_string()),
        Err(_) => None,
    };
    body.and_then(|body| serde_json::from_str(&body).ok()).unwrap_or_else(|| {
        let message = format!("The server answered with status {}. Try again in a moment.", response.status());
        ApiError::new(ErrorCode::Unavailable, message)
    })
}

fn unreachable(_: JsValue) -> ApiError {
    ApiError::new(ErrorCode::Offline, "The server cannot be reached. Check the connection and try again.")
}

/// Assembles lines from chunks.
#[derive(Debug, Default)]
struct Lines {
    unfinished: Vec<u8>,
}

impl Lines {
    /// The lines that `chunk` completes, without their line breaks.
    fn push(&mut self, chunk: &[u8]) -> Vec<Vec<u8>> {
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
        complete.retain(|line| !line.is_empty());
        complete
    }

    /// The last line, if the stream ends without a line break.
    fn finish(self) -> Vec<Vec<u8>> {
        if self.unfinished.is_empty() { Vec::new() } else { vec![self.unfinished] }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_do_not_depend_on_where_chunks_end() {
        let stream = "{\"a\":1}\n\n{\"b\":\"é\"}\nlast".as_bytes();
        let expected: Vec<Vec<u8>> = vec![b"{\"a\":1}".to_vec(), "{\"b\":\"é\"}".as_bytes().to_vec(), b"last".to_vec()];
        for size in 1..=stream.len() {
            let mut lines = Lines::default();
            let mut out: Vec<Vec<u8>> = stream.chunks(size).flat_map(|chunk| lines.push(chunk)).collect();
            out.extend(lines.finish());
            assert_eq!(out, expected, "chunks of {size}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_chunks_give_their_lines(chunks in vec(vec(prop_oneof![any::<u8>(), Just(b'\n')], 0..20), 0..20)) {
            let stream = chunks.concat();
            let expected = stream.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec);
            let mut lines = Lines::default();
            let mut out: Vec<Vec<u8>> = chunks.iter().flat_map(|chunk| lines.push(chunk)).collect();
            out.extend(lines.finish());
            prop_assert_eq!(out, expected.collect::<Vec<_>>());
        }
    }
}
