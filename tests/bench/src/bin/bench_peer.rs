//! The minimal cost of a web server: `bench-peer empty PORT` sends empty responses, `bench-peer no-store PORT`
//! searches.

use anyhow::{Context, bail};
use axum::Router;
use axum::routing::post;
use bench::search_function;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, port] = &arguments[..] else { bail!("say what to be, and on which port") };
    let router = match kind.as_str() {
        "empty" => Router::new().route("/api/search", post(async || {})),
        "no-store" => search_function::router(None),
        _ => bail!("there is no {kind}; there are empty and no-store"),
    };
    let port: u16 = port.parse().context("that is no port")?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    axum::serve(listener, router).await?;
    Ok(())
}
