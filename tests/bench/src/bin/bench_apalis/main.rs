//! The stock storages of apalis, as peers.
//!
//! `bench-apalis serve default|best PORT FILE` answers searches whose records are its jobs.
//! `bench-apalis drain sqlite|postgres default|best DATABASE JOBS` adds jobs, says `pushed`, runs them, says `drained`,
//! and then waits for its end.

mod accept;
mod drain;
mod log;
mod settings;
mod worker;

use anyhow::{Context, bail};

use crate::settings::Settings;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["serve", settings, port, file] => accept::serve(Settings::read(settings)?, port.parse()?, file).await,
        ["drain", "sqlite", settings, file, jobs] => {
            drain::sqlite(Settings::read(settings)?, file, jobs.parse().context("that is no number of jobs")?).await
        }
        ["drain", "postgres", settings, url, jobs] => {
            drain::postgres(Settings::read(settings)?, url, jobs.parse().context("that is no number of jobs")?).await
        }
        _ => bail!("say serve or drain"),
    }
}
