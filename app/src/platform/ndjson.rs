//! Reads a stream of JSON lines, chunk by chunk, as the server sends it.

use api::ApiError;

use crate::platform::fetch::{self, Lines};

/// Fetches `url` and delivers the complete lines of each chunk, never an empty line or batch. A chunk may end within a
/// line, which then waits for the next chunk.
pub async fn read(url: String, mut deliver: impl FnMut(Vec<Vec<u8>>)) -> Result<(), ApiError> {
    let Some(body) = fetch::open(url).await? else { return Ok(()) };
    let mut lines = Lines::default();
    let mut deliver = |mut batch: Vec<Vec<u8>>| {
        batch.retain(|line| !line.is_empty());
        if !batch.is_empty() {
            deliver(batch);
        }
    };
    while let Some(chunk) = body.next().await? {
        deliver(lines.push(&chunk));
    }
    deliver(vec![lines.finish()]);
    Ok(())
}
