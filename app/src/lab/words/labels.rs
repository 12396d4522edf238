//! Titles and labels of runs, and what their state means.

use api::{DatabaseSpec, ErrorCode, FetchSpec, LabOrder, LabRun, LabSpec, LabStyle, LabWork};

use crate::ui::format::{configured, number};

/// The title of a run: `10 × 2 s on 10 threads`.
pub fn title(spec: &LabSpec) -> String {
    match spec {
        LabSpec::Fetch(spec) => fetch_title(spec),
        LabSpec::Database(spec) => {
            let tasks = u64::from(spec.batches) * u64::from(spec.tasks_per_batch);
            let batches = if spec.batches == 1 { "batch" } else { "batches" };
            format!(
                "{} tasks in {} {batches} on {} connections",
                number(tasks),
                number(spec.batches.into()),
                DatabaseSpec::CONNECTIONS
            )
        }
        LabSpec::Request(spec) => format!("The trap, with a write of {}", configured(spec.delay_ms.into())),
    }
}

/// What is done in any style: `10 × 2 s`.
pub fn requests(spec: &FetchSpec) -> String {
    let count = number(spec.count.into());
    match spec.work {
        LabWork::Second => format!("{count} × {}", configured(spec.latency_ms.into())),
        LabWork::Flags if spec.count == 1 => "1 flag".to_owned(),
        LabWork::Flags => format!("{count} flags"),
    }
}

fn fetch_title(spec: &FetchSpec) -> String {
    let FetchSpec { style, workers, order, .. } = spec;
    let what = requests(spec);
    let threads = if *workers == 1 { "1 thread".to_owned() } else { format!("{} threads", number((*workers).into())) };
    match (style, order) {
        (LabStyle::Sequential, _) => format!("{what} in sequence"),
        (LabStyle::Threads, _) => format!("{what} on {threads}"),
        (LabStyle::Futures, LabOrder::Input) => format!("{what} as futures on {threads}"),
        (LabStyle::Futures, LabOrder::Completion) => format!("{what} as futures on {threads}, as they come"),
        (LabStyle::Async, _) => format!("{what}, async"),
    }
}

/// The label of a style, and a sentence about it.
pub fn style(style: LabStyle) -> (&'static str, &'static str) {
    match style {
        LabStyle::Sequential => ("Sequential", "One after the other, on one waiting thread."),
        LabStyle::Threads => ("Threads", "A pool of threads, each blocked while it waits."),
        LabStyle::Futures => ("Futures", "The same pool, with a future for each request."),
        LabStyle::Async => ("Async", "A task for each request, on one thread that never blocks."),
    }
}

/// The label of a kind of work, and a sentence about it.
pub fn work(work: LabWork) -> (&'static str, &'static str) {
    match work {
        LabWork::Second => ("Numbers", "Each answer is a number from 1 to 100."),
        LabWork::Flags => ("Flags", "Flags of the twenty most populous countries."),
    }
}

/// The label of an order, and a sentence about it.
pub fn order(order: LabOrder) -> (&'static str, &'static str) {
    match order {
        LabOrder::Input => ("As asked", "In the order of the requests, like map()."),
        LabOrder::Completion => ("As they come", "In the order in which they end, like as_completed()."),
    }
}

/// About how long a run takes.
fn expected_ms(spec: &LabSpec) -> u64 {
    match spec {
        LabSpec::Fetch(spec) => spec.min_duration_ms(),
        LabSpec::Database(spec) => {
            // Each batch waits for the previous one.
            let turns = spec.tasks_per_batch.div_ceil(DatabaseSpec::CONNECTIONS);
            u64::from(spec.batches) * u64::from(turns) * u64::from(spec.hold_ms)
        }
        // The kill, the write of the next process, and the time after which a missing row counts as lost.
        LabSpec::Request(spec) => {
            let delay_ms = u64::from(spec.delay_ms);
            delay_ms + (delay_ms / 3).min(1_000) + 1_000
        }
    }
}

/// The same as a sentence.
pub fn estimate(spec: &LabSpec) -> String {
    format!("Takes about {}.", configured(expected_ms(spec)))
}

/// The title of an error that prevents a run.
pub fn refusal(code: ErrorCode) -> Option<&'static str> {
    match code {
        ErrorCode::TooMany => Some("Too many runs for now"),
        ErrorCode::Unavailable => Some("Database not responding"),
        ErrorCode::Forbidden => Some("Not allowed"),
        ErrorCode::Offline => Some("We can't reach the server"),
        _ => None,
    }
}

/// A sentence about the run's state; `None` if its picture already shows it.
pub fn status(run: &LabRun) -> Option<String> {
    use api::JobState::{Cancelled, Dead, Done, Retrying, Running, Scheduled, Waiting};
    match run.state {
        Scheduled | Waiting if run.ahead == 0 => Some("Waiting for a worker. This run is next.".to_owned()),
        Scheduled | Waiting => Some(format!("Waiting for a worker, {} ahead.", number(run.ahead))),
        Retrying => Some("The worker stopped. The run starts again shortly.".to_owned()),
        Cancelled => Some("This run was cancelled. What had begun by then is shown.".to_owned()),
        Dead => Some(run.error.clone().unwrap_or_else(|| "This run failed. The server's log says why.".to_owned())),
        Running | Done => None,
    }
}

#[cfg(test)]
mod tests {
    use api::RequestSpec;

    use super::*;
    use crate::ui::format::plain;

    fn fetch(style: LabStyle) -> FetchSpec {
        FetchSpec { style, workers: 4, order: LabOrder::Completion, ..FetchSpec::FIRST }
    }

    #[test]
    fn titles_name_work_style_and_workers() {
        assert_eq!(
            LabStyle::ALL.map(|style| plain(title(&LabSpec::Fetch(fetch(style))))),
            [
                "10 × 2 s in sequence",
                "10 × 2 s on 4 threads",
                "10 × 2 s as futures on 4 threads, as they come",
                "10 × 2 s, async"
            ]
        );
        let flags = FetchSpec { work: LabWork::Flags, count: 1, workers: 1, ..fetch(LabStyle::Threads) };
        assert_eq!(title(&LabSpec::Fetch(flags)), "1 flag on 1 thread");
        let trap = LabSpec::Request(RequestSpec { delay_ms: 15_000 });
        assert_eq!(
            (plain(title(&trap)), plain(estimate(&trap))),
            ("The trap, with a write of 15 s".to_owned(), "Takes about 17 s.".to_owned())
        );
    }

    #[test]
    fn batches_run_one_after_the_other() {
        let spec =
            DatabaseSpec { batches: 10, tasks_per_batch: 100, hold_ms: 20, failing: 0, panicking: 0, aborted: 0 };
        assert_eq!(title(&LabSpec::Database(spec.clone())), "1,000 tasks in 10 batches on 8 connections");
        assert_eq!(
            plain(estimate(&LabSpec::Database(spec.clone()))),
            "Takes about 2.6 s.",
            "13 turns of 20 ms, 10 times"
        );
        let one = DatabaseSpec { batches: 1, ..spec };
        assert_eq!(title(&LabSpec::Database(one)), "100 tasks in 1 batch on 8 connections");
    }
}
