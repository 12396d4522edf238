//! One file as a browser asks for it.

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::client::conn::http1::handshake;
use hyper::header::{ACCEPT_ENCODING, HOST};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// The body as it is sent. `encodings` is what the asker understands, for instance `br`.
pub(crate) async fn fetch(address: SocketAddr, path: &str, encodings: &str) -> anyhow::Result<Bytes> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::get(path).header(HOST, address.to_string()).header(ACCEPT_ENCODING, encodings);
    let answer = sender.send_request(request.body(Empty::<Bytes>::new())?).await?;
    ensure!(answer.status() == 200, "{path} is answered with {}", answer.status());
    let body = answer.into_body().collect().await.with_context(|| format!("{path} ends early"))?.to_bytes();
    connection.abort();
    Ok(body)
}
