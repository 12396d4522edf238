//! Sends what an event stream says on a connection that it has taken over, in chunks of HTTP/1.1.

use std::io::{self, ErrorKind, Write as _};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::Body;
use tokio::io::AsyncWriteExt;

use super::line::Line;

/// So much of what is ready together is gathered before it is sent, in bytes.
const GATHERED: usize = 64 * 1024;
/// Ends a body.
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Returns once the stream has ended and all is sent, or the peer is gone.
pub async fn send(line: &mut Line, mut body: impl Body<Data: AsRef<[u8]>> + Unpin) -> io::Result<()> {
    loop {
        let mut chunks = Vec::new();
        let is_whole = tokio::select! {
            is_whole = std::future::poll_fn(|context| poll_gather(&mut body, context, &mut chunks)) => is_whole?,
            () = line.hung_up() => return Err(ErrorKind::ConnectionAborted.into()),
        };
        line.write_all(&chunks).await?;
        if is_whole {
            return Ok(());
        }
    }
}

/// Adds what is ready, once something is. Says whether that was all.
fn poll_gather(
    body: &mut (impl Body<Data: AsRef<[u8]>> + Unpin),
    context: &mut Context<'_>,
    chunks: &mut Vec<u8>,
) -> Poll<io::Result<bool>> {
    while chunks.len() < GATHERED {
        match Pin::new(&mut *body).poll_frame(context) {
            Poll::Pending if chunks.is_empty() => return Poll::Pending,
            Poll::Pending => break,
            Poll::Ready(None) => {
                chunks.extend_from_slice(LAST_CHUNK);
                return Poll::Ready(Ok(true));
            }
            Poll::Ready(Some(Err(_))) => return Poll::Ready(Err(ErrorKind::BrokenPipe.into())),
            Poll::Ready(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    add_chunk(data.as_ref(), chunks)?;
                }
            }
        }
    }
    Poll::Ready(Ok(false))
}

fn add_chunk(data: &[u8], chunks: &mut Vec<u8>) -> io::Result<()> {
    // One without data would be the last.
    if !data.is_empty() {
        write!(chunks, "{:x}\r\n", data.len())?;
        chunks.extend_from_slice(data);
        chunks.extend_from_slice(b"\r\n");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use axum::body::{Body as AnyBody, Bytes};
    use futures::{Stream, StreamExt, stream};

    use super::*;

    type Piece = Result<&'static str, io::Error>;

    /// What is gathered from a body of these pieces, call by call.
    fn gathered(pieces: impl Stream<Item = Piece> + Send + 'static) -> Vec<(Poll<Result<bool, ErrorKind>>, String)> {
        let mut body = AnyBody::from_stream(pieces.map(|piece| piece.map(Bytes::from)));
        let mut calls = Vec::new();
        loop {
            let mut chunks = Vec::new();
            let polled = poll_gather(&mut body, &mut Context::from_waker(Waker::noop()), &mut chunks);
            let polled = polled.map_err(|error| error.kind());
            let is_over = !matches!(polled, Poll::Ready(Ok(false)));
            calls.push((polled, String::from_utf8(chunks).expect("UTF-8")));
            if is_over {
                return calls;
            }
        }
    }

    #[test]
    fn what_is_ready_together_is_sent_together() {
        let pieces = || stream::iter([Ok("data: 1\n\n"), Ok("data: and some more\n\n")]);
        let expected = "9\r\ndata: 1\n\n\r\n15\r\ndata: and some more\n\n\r\n";
        assert_eq!(gathered(pieces()), [(Poll::Ready(Ok(true)), format!("{expected}0\r\n\r\n"))]);
        let waiting = pieces().chain(stream::pending());
        assert_eq!(gathered(waiting), [(Poll::Ready(Ok(false)), expected.to_owned()), (Poll::Pending, String::new())]);
    }

    #[test]
    fn nothing_that_is_said_does_not_end_the_stream() {
        let pieces = stream::iter([Ok(""), Ok("a"), Ok("")]);
        assert_eq!(gathered(pieces), [(Poll::Ready(Ok(true)), "1\r\na\r\n0\r\n\r\n".to_owned())]);
    }

    #[test]
    fn a_stream_that_breaks_off_is_not_ended() {
        let broken = stream::iter([Err(io::Error::other("gone"))]);
        assert_eq!(gathered(broken), [(Poll::Ready(Err(ErrorKind::BrokenPipe)), String::new())]);
    }

    #[test]
    fn much_is_sent_in_portions() {
        let piece: &'static str = "x".repeat(1000).leak();
        let calls = gathered(stream::repeat_with(move || Ok(piece)).take(200));
        assert!(calls.len() > 3, "{} portions", calls.len());
        assert!(calls.iter().all(|(_, chunks)| chunks.len() <= GATHERED + 1100));
        assert_eq!(calls.iter().map(|(_, chunks)| chunks.matches('x').count()).sum::<usize>(), 200_000);
    }
}
