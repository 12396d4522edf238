//! A connection's socket, as both who speak on it need it: hyper, and the event streams.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::activity::Activity;
use super::handover::Handover;

/// What every connection of HTTP/2 begins with.
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Http1,
    Http2,
}

pub struct Line {
    stream: TcpStream,
    activity: Arc<Activity>,
    handover: Arc<Handover>,
    /// Was read already, and is to be read again.
    unread: Bytes,
}

impl Line {
    #[must_use]
    pub fn new(stream: TcpStream, activity: Arc<Activity>, handover: Arc<Handover>) -> Self {
        Self { stream, activity, handover, unread: Bytes::new() }
    }

    /// What the peer speaks, as soon as it has sent enough to tell. Whoever reads next still gets all of it.
    pub async fn protocol(&mut self) -> io::Result<Protocol> {
        let mut begin = Vec::with_capacity(HTTP2_PREFACE.len());
        let protocol = loop {
            if !HTTP2_PREFACE.starts_with(&begin) {
                break Protocol::Http1;
            }
            if begin.len() == HTTP2_PREFACE.len() {
                break Protocol::Http2;
            }
            let missing = HTTP2_PREFACE.len() - begin.len();
            if (&mut self.stream).take(missing as u64).read_buf(&mut begin).await? == 0 {
                break Protocol::Http1;
            }
        };
        self.unread = begin.into();
        Ok(protocol)
    }

    /// Who has read more than it needed gives it back here.
    pub fn give_back(&mut self, unread: Bytes) {
        self.unread = unread;
    }

    /// Returns once the peer has hung up. If it sends something instead, that cannot be told any more.
    pub async fn hung_up(&self) {
        let is_over = self.unread.is_empty() && !matches!(self.stream.peek(&mut [0]).await, Ok(1..));
        if !is_over {
            std::future::pending::<()>().await;
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let line = self.get_mut();
        if !line.unread.is_empty() {
            let count = buffer.remaining().min(line.unread.len());
            let bytes = line.unread.split_to(count);
            buffer.put_slice(&bytes);
            line.activity.received(&bytes);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut line.stream).poll_read(context, buffer))?;
        line.activity.received(&buffer.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper asks for it when it has written all that it had.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.handover.all_is_written();
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
