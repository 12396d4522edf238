//! One connection, from its first byte to its last, and for how long it may do nothing.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tower_service::Service;

use super::activity::{Activity, BeingSent};
use super::handover::{Answer, Asked, Handover, TakenOver};
use super::line::{Line, Protocol};
use super::stream_writer;
use crate::environment::Environment;

/// The largest head of a request, and what is gathered of an answer before it is sent, in bytes.
/// The longest address that can be parsed has 64 KiB, and the headers get as much again.
const BUFFER: usize = 128 * 1024;
/// A peer that acknowledges nothing, or leaves no room for what it is sent, is cut off after
/// this long. The kernel sees both: a process sees neither while what it writes fits the buffers.
#[cfg(target_os = "linux")]
const SEND_LIMIT_MS: u32 = 60_000;

/// Each may hold a body and an answer, so this is what a connection may cost more than one of
/// HTTP/1. Browsers, which want a hundred, speak HTTP/2 to proxies only, and proxies open more connections.
const HTTP2_STREAMS: u32 = 16;
/// The largest body fits, so that nobody has to ask for room; see body.rs.
const HTTP2_STREAM_WINDOW: u32 = 64 * 1024;
/// For all streams of a connection together: four of the largest bodies.
const HTTP2_CONNECTION_WINDOW: u32 = 256 * 1024;
/// What a peer may leave untaken of each answer.
const HTTP2_SEND_BUFFER: usize = 64 * 1024;
/// As often as event streams send something, and as long for an answer: in HTTP/2 a connection
/// whose peer has vanished can look idle.
const HTTP2_PING: Duration = Duration::from_secs(20);

/// How each of the two is spoken.
pub struct Protocols {
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
}

impl Protocols {
    #[must_use]
    pub fn with_our_limits() -> Self {
        let mut http1 = http1::Builder::new();
        // hyper's limit on the time for a head leaves the first bytes out, which tell the protocols
        // apart, and is the limit on idleness too; both have their own in activity.rs.
        http1.header_read_timeout(None).max_buf_size(BUFFER);
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            .keep_alive_interval(HTTP2_PING)
            .keep_alive_timeout(HTTP2_PING)
            .max_concurrent_streams(HTTP2_STREAMS)
            .initial_stream_window_size(HTTP2_STREAM_WINDOW)
            .initial_connection_window_size(HTTP2_CONNECTION_WINDOW)
            .max_send_buf_size(HTTP2_SEND_BUFFER)
            .max_header_list_size(u32::try_from(BUFFER).unwrap_or(u32::MAX));
        Self { http1, http2 }
    }
}

pub struct Connection<'a> {
    pub env: &'a Environment,
    pub router: &'a Router,
    pub protocols: &'a Protocols,
    pub peer: SocketAddr,
    activity: Arc<Activity>,
    handover: Arc<Handover>,
}

impl<'a> Connection<'a> {
    #[must_use]
    pub fn with(peer: SocketAddr, env: &'a Environment, router: &'a Router, protocols: &'a Protocols) -> Self {
        let (activity, handover) = (Arc::new(Activity::begin(env.clock.clone())), Arc::default());
        Self { env, router, protocols, peer, activity, handover }
    }

    /// Answers all that is asked, until the peer leaves, does nothing for too long, or the server stops.
    pub async fn serve(self, stream: TcpStream) {
        set_options(&stream);
        let mut line = Line::new(stream, self.activity.clone(), self.handover.clone());
        let protocol = tokio::select! {
            protocol = line.protocol() => protocol,
            () = self.is_over() => return,
        };
        match protocol {
            Ok(Protocol::Http1) => self.speak_http1(line).await,
            Ok(Protocol::Http2) => self.speak_http2(line).await,
            // What goes wrong on a connection is its peer's affair, and has been told to it if it listens.
            Err(_) => {}
        }
    }

    async fn speak_http1(self, mut line: Line) {
        while let Some(TakenOver { body, is_last }) = self.speak_until_taken_over(&mut line).await {
            if stream_writer::send(&mut line, body).await.is_err() || is_last {
                return;
            }
        }
    }

    /// Returns the stream that takes the connection over, or nothing at the connection's end.
    async fn speak_until_taken_over(&self, line: &mut Line) -> Option<TakenOver> {
        let service = service_fn(|request| self.answers().answer(request));
        let mut connection = Box::pin(self.protocols.http1.serve_connection(TokioIo::new(&mut *line), service));
        let taken_over = self
            .drive(
                connection.as_mut(),
                |connection, context| match connection.poll(context) {
                    Poll::Ready(_) => Poll::Ready(None),
                    Poll::Pending => self.handover.take().map_or(Poll::Pending, |taken| Poll::Ready(Some(taken))),
                },
                http1::Connection::graceful_shutdown,
            )
            .await?;
        let unread = Pin::into_inner(connection).into_parts().read_buf;
        line.give_back(unread);
        taken_over
    }

    async fn speak_http2(self, line: Line) {
        let service = service_fn(|request| self.answers().answer(request));
        let mut connection = Box::pin(self.protocols.http2.serve_connection(TokioIo::new(line), service));
        self.drive(connection.as_mut(), Future::poll, http2::Connection::graceful_shutdown).await;
    }

    /// Polls a connection until it is done, or else until what is being answered is, if there is anything.
    async fn drive<C, T>(
        &self,
        mut connection: Pin<&mut C>,
        mut poll: impl FnMut(Pin<&mut C>, &mut Context<'_>) -> Poll<T>,
        shut_down: impl FnOnce(Pin<&mut C>),
    ) -> Option<T> {
        tokio::select! {
            done = poll_fn(|context| poll(connection.as_mut(), context)) => return Some(done),
            () = self.is_over() => {}
        }
        // A head that is not whole is not waited for.
        if self.activity.is_in_head() {
            return None;
        }
        shut_down(connection.as_mut());
        Some(poll_fn(|context| poll(connection.as_mut(), context)).await)
    }

    /// Returns once the server stops, or nothing was done for too long.
    async fn is_over(&self) {
        tokio::select! {
            () = self.env.stop.cancelled() => {}
            () = self.activity.ends() => {}
        }
    }

    fn answers(&self) -> Answers {
        Answers {
            router: self.router.clone(),
            peer: self.peer,
            activity: self.activity.clone(),
            handover: self.handover.clone(),
        }
    }
}

/// What answers one request.
struct Answers {
    router: Router,
    peer: SocketAddr,
    activity: Arc<Activity>,
    handover: Arc<Handover>,
}

impl Answers {
    async fn answer(mut self, mut request: Request<Incoming>) -> Result<Response<Answer>, Infallible> {
        let being_answered = self.activity.answers(request.version());
        let asked = Asked::by(&request);
        request.extensions_mut().insert(ConnectInfo(self.peer));
        let response = self.router.call(request).await?;
        let response = response.map(|body| BeingSent { body, _being_answered: being_answered });
        Ok(self.handover.split(asked, response))
    }
}

/// What fails here fails because the peer has left, which its connection will tell.
fn set_options(stream: &TcpStream) {
    // An event is sent when it happens, not when there is more to send.
    let _ = stream.set_nodelay(true);
    #[cfg(target_os = "linux")]
    let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, SEND_LIMIT_MS);
}
