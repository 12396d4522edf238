//! Runs the measurements: `cargo xtask bench` builds and installs what they need, and starts this.

mod arguments;
mod book;
mod disk;
mod drain_peer;
mod goals;
mod log_table;
mod peer;
mod processes;
mod report;
mod scenarios;
mod site;
mod summary;
mod waiting;
mod workshop;

use std::process::ExitCode;

use crate::arguments::Arguments;
use crate::book::Book;
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
    let before = Book::read(&workshop)?;
    let mut book = before.clone();
    for scenario in scenarios::wanted(&arguments)? {
        book.begin(scenario.name, &workshop);
        eprintln!("{}", scenario.name);
        (scenario.measure)(&workshop, &mut book).await?;
        // After each: hours of measuring should not be lost with the last of them.
        book.write(&workshop)?;
    }
    report::write(&workshop, &book, &before)
}
