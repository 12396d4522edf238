//! Runs the measurements. `cargo xtask bench` builds and installs what they need, and starts this program.

mod against;
mod contestant;
mod context;
mod goals;
mod history;
mod log_table;
mod measurements;
mod processes;
mod report;
mod scenarios;

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::process::ExitCode;
use std::task::Poll;

use anyhow::{anyhow, bail};

use crate::context::{Arguments, BenchContext};
use crate::measurements::Measurements;

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
    let context = BenchContext::new(&arguments)?;
    if let Some(before) = &arguments.against {
        return against::compare(&context, before).await;
    }
    let wanted = scenarios::wanted(&arguments)?;
    eprintln!("{}", scenarios::announced(&wanted, &context));
    let before = Measurements::read(&context)?;
    let mut measurements = before.clone();
    let mut failed = Vec::new();
    for scenario in wanted {
        measurements.begin(scenario.name, &context);
        eprintln!("{}", scenario.name);
        if let Err(error) = catch_panic((scenario.measure)(&context, &mut measurements)).await {
            eprintln!("\n{} has failed: {error:#}", scenario.name);
            measurements.fail(scenario.name, &error);
            failed.push(scenario.name);
        }
        // Written after each scenario, so that a later failure does not lose hours of measurements.
        measurements.write(&context)?;
    }
    report::write(&context, &measurements, &before)?;
    if !failed.is_empty() {
        bail!("ours has failed in {}", failed.join(", "));
    }
    report::write_docs(&context, &measurements)
}

/// Awaits `work`, and turns a panic into an error with its message.
pub(crate) async fn catch_panic<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let mut work = pin!(work);
    // Unwind safe, because state that a panic leaves is not used again: the scenario is marked as failed.
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
        Ok(poll) => poll,
        Err(panic) => Poll::Ready(Err(anyhow!("{}", words(panic.as_ref())))),
    })
    .await
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error_with_its_message() {
        let fails = async |number: u32| {
            tokio::task::yield_now().await;
            assert!(number < 3, "{number} is too many");
            Ok(number)
        };
        assert_eq!(catch_panic(fails(2)).await.expect("no panic"), 2);
        assert_eq!(catch_panic(fails(3)).await.expect_err("a panic").to_string(), "3 is too many");
    }
}
