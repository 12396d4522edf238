//! What a visitor's first page load transfers.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use ::tests::browser::{Browser, Engine};
use anyhow::{Context, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::client::conn::http1::handshake;
use hyper::header::{ACCEPT_ENCODING, HOST};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::contestant::{Contestant, RunningContestant};
use crate::context::BenchContext;
use crate::measurements::{Kind, Measurements};
use crate::scenarios::Scenario;

const NAME: &str = "visit";

pub(crate) const SCENARIO: Scenario = Scenario {
    name: NAME,
    title: "First visit",
    method: "What Chromium loads when it visits `/` for the first time, each file as the server sends it to a browser that \
             knows brotli; answers of the API are not among them. Files that index.html does not name can only be asked for \
             once another file is there.",
    promises: &[],
    plots: &[],
    lasts: |_| Duration::from_secs(15),
    measure: |context, measurements| Box::pin(measure(context, measurements)),
};

const SIZE: Kind = ("size", "KB");
const COUNT: Kind = ("files", "");

pub(crate) const ALL: &str = "all";
/// Files that index.html does not name.
pub(crate) const LATE: &str = "not named by index.html";
/// The client's other files, which only other pages load.
const OTHERS: &str = "not loaded by this page";

const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// The number of polls without a new file that end the wait.
const LOOKS_WITHOUT_CHANGE: u32 = 4;

/// Sizes do not vary between rounds, so there is only one round.
async fn measure(context: &BenchContext, measurements: &mut Measurements) -> anyhow::Result<()> {
    let running = Contestant::OursSqlite.start(context, &[]).await?;
    let loaded = loaded_by_a_browser(&format!("http://{}", running.address)).await?;
    let html = fetch(running.address, "/", "identity").await?;
    let html = String::from_utf8_lossy(&html).into_owned();
    let sizes = sizes(&running, &loaded).await?;
    running.stop().await?;

    let total: u64 = sizes.iter().map(|(_, bytes)| bytes).sum();
    for (path, bytes) in &sizes {
        measurements.add(NAME, &kind(path), SIZE, *bytes as f64 / 1000.0);
    }
    let late = loaded.iter().filter(|path| *path != "/" && !html.contains(path.as_str())).count();
    let (others, other_bytes) = others(&context.root.join("dist"), &loaded)?;
    for (who, files, bytes) in
        [(ALL, sizes.len(), Some(total)), (LATE, late, None), (OTHERS, others, Some(other_bytes))]
    {
        measurements.add(NAME, who, COUNT, files as f64);
        if let Some(bytes) = bytes {
            measurements.add(NAME, who, SIZE, bytes as f64 / 1000.0);
        }
    }
    eprintln!("  {:.1} KB in {} files, {late} of them late", total as f64 / 1000.0, sizes.len());
    Ok(())
}

/// The paths of all files that a browser loads, including the page itself.
async fn loaded_by_a_browser(base: &str) -> anyhow::Result<Vec<String>> {
    const LOADED: &str = "return performance.getEntriesByType('resource').map(entry => entry.name)";
    let browser = Browser::start(Engine::Chromium, base).await;
    browser.open("/").await;
    let (mut looks_left, mut known) = (LOOKS_WITHOUT_CHANGE, Vec::new());
    while looks_left > 0 {
        sleep(POLL_INTERVAL).await;
        let urls: Vec<String> = serde_json::from_value(browser.script(LOADED, vec![]).await)?;
        looks_left = if urls == known { looks_left - 1 } else { LOOKS_WITHOUT_CHANGE };
        known = urls;
    }
    browser.finish().await;
    let files = files(base, &known);
    ensure!(files.iter().any(|path| path.ends_with(".wasm")), "the page has not loaded its client: {files:?}");
    Ok(files)
}

/// The page's path, followed by the distinct paths of files among these addresses.
fn files(base: &str, urls: &[String]) -> Vec<String> {
    let paths = urls.iter().filter_map(|url| url.strip_prefix(base)).filter(|path| !path.starts_with("/api/"));
    let paths: BTreeSet<&str> = paths.filter(|path| *path != "/").collect();
    std::iter::once("/").chain(paths).map(ToOwned::to_owned).collect()
}

/// The files' sizes, largest first.
async fn sizes(running: &RunningContestant, paths: &[String]) -> anyhow::Result<Vec<(String, u64)>> {
    let mut sizes = Vec::new();
    for path in paths {
        sizes.push((path.clone(), fetch(running.address, path, "br").await?.len() as u64));
    }
    sizes.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    Ok(sizes)
}

/// How many of the client's files were not loaded, and their size as sent.
fn others(dist: &Path, loaded: &[String]) -> anyhow::Result<(usize, u64)> {
    let (mut files, mut bytes) = (0, 0);
    for entry in std::fs::read_dir(dist).with_context(|| format!("{} cannot be read", dist.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_packed = name.ends_with(".br") || name.ends_with(".gz");
        if is_packed || name == "index.html" || loaded.contains(&format!("/{name}")) {
            continue;
        }
        let packed = std::fs::metadata(dist.join(format!("{name}.br"))).or_else(|_| entry.metadata())?;
        (files, bytes) = (files + 1, bytes + packed.len());
    }
    Ok((files, bytes))
}

/// The file's name without its hash.
fn kind(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    if name.is_empty() {
        return "index.html".to_owned();
    }
    let (stem, ending) = name.split_once('.').unwrap_or((name, ""));
    let is_hash = |part: &str| part.len() >= 8 && part.split('_').next().is_some_and(is_hexadecimal);
    let words: Vec<&str> = stem.split('-').filter(|part| !is_hash(part)).collect();
    format!("{}.{ending}", words.join("-"))
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The body as sent. `encodings` are the accepted ones, for instance `br`.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_keeps_its_name_when_its_contents_change() {
        let kinds = ["/app-857faa313e8d1917_bg.wasm", "/log-page-857faa313e8d1917.js", "/"].map(kind);
        assert_eq!(kinds, ["app.wasm", "log-page.js", "index.html"]);
    }

    #[test]
    fn loaded_files_are_counted_once_and_api_responses_are_not() {
        let urls = ["/a.js", "/a.js", "/api/session", "/"].map(|path| format!("http://here{path}"));
        let elsewhere = ["http://elsewhere/b.js".to_owned()];
        assert_eq!(files("http://here", &[&urls[..], &elsewhere].concat()), ["/", "/a.js"]);
    }

    #[test]
    fn files_of_other_pages_are_those_not_loaded() {
        let dist = tempfile::tempdir().expect("a folder");
        for (name, size) in [("index.html", 9), ("a.js", 9), ("a.js.br", 3), ("b.js", 9), ("b.js.br", 4), ("c.svg", 5)]
        {
            std::fs::write(dist.path().join(name), vec![b'x'; size]).expect("written");
        }
        assert_eq!(others(dist.path(), &["/".to_owned(), "/a.js".to_owned()]).expect("read"), (2, 9));
    }
}
