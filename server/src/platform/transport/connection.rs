//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tower_service::Service;

use super::Transport;
use super::activity::{Activity, BeingReceived, BeingSent};
use super::socket::Socket;

/// The largest request head, and how much of a response is buffered before it is sent, in bytes. The longest URI that
/// can be parsed has 64 KiB, and the headers get the same.
const BUFFER: usize = 128 * 1024;
/// How long a peer may acknowledge nothing, or keep its receive window closed. Only the kernel sees either while writes
/// fit its buffers.
#[cfg(target_os = "linux")]
const SEND_LIMIT_MS: u32 = 60_000;

/// Bounds the memory of a connection, because each stream may hold a body and a response. Browsers want a hundred
/// streams, but they speak HTTP/2 to proxies only, and proxies open more connections.
const HTTP2_STREAMS: u32 = 16;
/// Fits the largest body (see extract.rs), so that no client waits for a window update.
const HTTP2_STREAM_WINDOW: u32 = 136 * 1024;
/// For all streams of a connection together: four of the largest bodies.
const HTTP2_CONNECTION_WINDOW: u32 = 4 * HTTP2_STREAM_WINDOW;
/// How much of each answer may wait for its peer.
const HTTP2_SEND_BUFFER: usize = 64 * 1024;
/// The interval, and the time for a reply. In HTTP/2, a connection whose peer has vanished can look idle.
const HTTP2_PING: Duration = Duration::from_secs(20);

/// HTTP/1 and HTTP/2, distinguished by the first bytes of a connection.
pub fn protocols() -> Builder<TokioExecutor> {
    let mut protocols = Builder::new(TokioExecutor::new());
    // hyper's time limit for a head begins only after the protocol is detected, and limits idleness too. activity.rs
    // has a limit for each.
    protocols.http1().header_read_timeout(None).max_buf_size(BUFFER);
    protocols
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HTTP2_PING)
        .keep_alive_timeout(HTTP2_PING)
        .max_concurrent_streams(HTTP2_STREAMS)
        .initial_stream_window_size(HTTP2_STREAM_WINDOW)
        .initial_connection_window_size(HTTP2_CONNECTION_WINDOW)
        .max_send_buf_size(HTTP2_SEND_BUFFER)
        .max_header_list_size(u32::try_from(BUFFER).unwrap_or(u32::MAX));
    protocols
}

pub struct Connection<'a> {
    pub transport: &'a Transport,
    pub router: &'a Router,
    pub protocols: &'a Builder<TokioExecutor>,
    pub peer: SocketAddr,
}

impl Connection<'_> {
    /// Answers requests until the peer leaves, is idle for too long, or the server stops.
    pub async fn serve(self, stream: TcpStream) {
        set_options(&stream);
        let activity = Arc::new(Activity::begin(self.transport.clock.clone()));
        let io = Socket::new(stream, activity.clone());
        let service = service_fn(|request| answer(self.router.clone(), self.peer, activity.clone(), request));
        let mut connection = pin!(self.protocols.serve_connection(TokioIo::new(io), service));
        tokio::select! {
            // The connection first: what it does decides when it ends.
            biased;
            // An error concerns only this peer, which notices it too.
            _ = connection.as_mut() => return,
            () = self.transport.stop.cancelled() => {}
            () = activity.ends() => {}
        }
        // Does not wait for the rest of a head.
        if activity.is_in_head() {
            return;
        }
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}

async fn answer(
    mut router: Router,
    peer: SocketAddr,
    activity: Arc<Activity>,
    request: Request<Incoming>,
) -> Result<Response<BeingSent<Body>>, Infallible> {
    let mut request = request.map(|body| BeingReceived::new(body, activity.clone()));
    let being_answered = activity.answers(request.version());
    request.extensions_mut().insert(ConnectInfo(peer));
    let response = router.call(request).await?;
    Ok(response.map(|body| BeingSent { body, being_answered }))
}

/// Fails only if the peer has left, which its connection will notice.
fn set_options(stream: &TcpStream) {
    // Sends each event at once instead of waiting for more data.
    let _ = stream.set_nodelay(true);
    #[cfg(target_os = "linux")]
    let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, SEND_LIMIT_MS);
}
