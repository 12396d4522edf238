//! What a server of ours that runs already says of itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Far more than a healthy server takes.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
const ANSWER_LIMIT_BYTES: u64 = 64 * 1024;

/// The lines of `/readyz` at `listen`: `ready`, or the error, and then each fault. `None` if no server of ours answers.
pub(super) async fn readiness(listen: SocketAddr) -> Option<Vec<String>> {
    let ip = match listen.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let address = SocketAddr::new(ip, listen.port());
    let alive = timeout(ANSWER_TIMEOUT, get(address, "/healthz")).await.ok()??;
    let answer = timeout(ANSWER_TIMEOUT, get(address, "/readyz")).await.ok()??;
    let lines: Vec<_> = answer.lines().map(ToOwned::to_owned).collect();
    (alive == "ok\n" && is_ours(lines.first()?)).then_some(lines)
}

fn is_ours(first: &str) -> bool {
    let is_fault = |kind: &api::FaultKind| first.starts_with(kind.as_str());
    matches!(first, "ready" | "stopping") || api::FaultKind::ALL.iter().any(is_fault)
}

/// The body of the answer.
async fn get(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    // HTTP/1.0: the body is not in chunks, and ends with the connection.
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.take(ANSWER_LIMIT_BYTES).read_to_string(&mut answer).await.ok()?;
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
}
