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
    let alive = get(listen, "/healthz").await?;
    let answer = get(listen, "/readyz").await?;
    let lines: Vec<_> = answer.lines().map(ToOwned::to_owned).collect();
    (alive == "ok\n" && is_ours(lines.first()?)).then_some(lines)
}

/// Whose setup link this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkOwner {
    /// The server at the address.
    ServerThere,
    /// Another one: the server at the address does not know the link.
    AnotherServer,
    /// No server of ours answers at the address.
    NobodyThere,
}

pub(super) async fn owner_of_link(listen: SocketAddr, token: &str) -> LinkOwner {
    if readiness(listen).await.is_none() {
        return LinkOwner::NobodyThere;
    }
    let body = format!(r#"{{"token":"{token}"}}"#);
    let head =
        format!("POST /api/setup/check HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {}", body.len());
    match ask(listen, &head, &body).await {
        Some(answer) if answer.split(' ').nth(1) == Some("200") => LinkOwner::ServerThere,
        _ => LinkOwner::AnotherServer,
    }
}

fn is_ours(first: &str) -> bool {
    let is_fault = |kind: &api::FaultKind| first.starts_with(kind.as_str());
    matches!(first, "ready" | "stopping") || api::FaultKind::ALL.iter().any(is_fault)
}

/// The body of the answer.
async fn get(listen: SocketAddr, path: &str) -> Option<String> {
    let answer = ask(listen, &format!("GET {path} HTTP/1.0"), "").await?;
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
}

/// The whole answer to a request. `head` has no Host. With HTTP/1.0 the body is not in chunks, and ends with the connection.
async fn ask(listen: SocketAddr, head: &str, body: &str) -> Option<String> {
    let ip = match listen.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let address = SocketAddr::new(ip, listen.port());
    let answered = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        let request = format!("{head}\r\nHost: {address}\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.take(ANSWER_LIMIT_BYTES).read_to_string(&mut answer).await.ok()?;
        Some(answer)
    };
    timeout(ANSWER_TIMEOUT, answered).await.ok()?
}
