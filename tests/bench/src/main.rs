//! Runs the measurements: `cargo xtask bench` builds and installs what they need, and starts this.

mod arguments;
mod book;
mod disk;
mod drain_peer;
mod fetch;
mod goals;
mod guarded;
mod history;
mod log_table;
mod peer;
mod processes;
mod program;
mod report;
mod scenarios;
mod schedule;
mod site;
mod summary;
mod waiting;
mod workshop;

use std::process::ExitCode;

use anyhow::bail;

use crate::arguments::Arguments;
use crate::book::Book;
use crate::guarded::guarded;
use crate::workshop::Workshop;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    let arguments = Arguments::read(std::env::args().skip(1))?;
    let workshop = Workshop::new(&arguments)?;
    let wanted = scenarios::wanted(&arguments)?;
    eprintln!("{}", schedule::announced(&wanted, &workshop));
    let before = Book::read(&workshop)?;
    let mut book = before.clone();
    let mut failed = Vec::new();
    for scenario in wanted {
        book.begin(scenario.name, &workshop);
        eprintln!("{}", scenario.name);
        if let Err(error) = guarded((scenario.measure)(&workshop, &mut book)).await {
            eprintln!("\n{} has failed: {error:#}", scenario.name);
            book.fail(scenario.name, &error);
            failed.push(scenario.name);
        }
        // After each: hours of measuring should not be lost with the last of them.
        book.write(&workshop)?;
    }
    report::write(&workshop, &book, &before)?;
    if !failed.is_empty() {
        bail!("ours has failed in {}", failed.join(", "));
    }
    report::write_docs(&workshop, &book)
}
