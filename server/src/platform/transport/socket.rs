//! A connection's socket: tells its activity what arrives, and aborts the connection if it ends within a response.

use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::activity::{Activity, Received};
use super::long_address::LongAddress;

pub struct Socket {
    stream: TcpStream,
    activity: Arc<Activity>,
    address: LongAddress,
    /// Whether closing the socket resets the connection, as the kernel knows it. It holds even if this process is killed.
    aborts: bool,
}

impl Socket {
    pub fn new(stream: TcpStream, activity: Arc<Activity>) -> Self {
        Self { stream, activity, address: LongAddress::default(), aborts: false }
    }

    /// A response without a length that ends early must not end like a whole one.
    fn abort_if_unfinished(&mut self) {
        let aborts = self.activity.is_unfinished();
        if aborts != self.aborts {
            self.aborts = aborts;
            // Fails only if the peer has left.
            let _ = set_socket_linger(&self.stream, aborts.then_some(Duration::ZERO));
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let before = buffer.filled().len();
        loop {
            ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
            let received = &mut buffer.filled_mut()[before..];
            if received.is_empty() {
                return Poll::Ready(Ok(()));
            }
            match self.activity.received() {
                Received::FirstOfHead => self.address = LongAddress::default(),
                Received::AfterUnreadBody => self.address = LongAddress::unchanged(),
                Received::More => {}
            }
            let kept = self.address.shorten(received);
            buffer.set_filled(before + kept);
            // Nothing at all would mean the end.
            if kept > 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        self.abort_if_unfinished();
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        self.abort_if_unfinished();
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        self.abort_if_unfinished();
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        self.abort_if_unfinished();
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
