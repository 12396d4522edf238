//! The input of a run, and its limits.

use serde::{Deserialize, Serialize};

use crate::{ApiError, ErrorCode, grouped};

/// The most requests of one run.
pub const REQUESTS_LIMIT: u32 = 1_000;
/// The most threads of one run.
pub const WORKERS_LIMIT: u32 = 100;
/// The longest latency of one request.
pub const LATENCY_LIMIT_MS: u32 = 10_000;
/// The longest expected duration of a run, because other runs wait for their turn.
pub const RUN_LIMIT_MS: u64 = 45_000;
/// The most database tasks of one run.
pub const TASKS_LIMIT: u32 = 10_000;
/// The most batches of database tasks.
pub const BATCHES_LIMIT: u32 = 1_000;
/// The longest time that a task holds its connection.
pub const HOLD_LIMIT_MS: u32 = 1_000;
/// How long the last task of a batch may be expected to wait for its connection: half of the pool's timeout.
const POOL_WAIT_LIMIT_MS: u64 = 2_500;
/// The longest write of the request scenario, as in the original program.
pub const WRITE_DELAY_LIMIT_MS: u32 = 15_000;

/// The twenty most populous countries by ISO 3166-1 code. Each has a flag.
pub const COUNTRIES: [&str; 20] = [
    "BD", "BR", "CD", "CN", "DE", "EG", "ET", "FR", "ID", "IN", "IR", "JP", "MX", "NG", "PH", "PK", "RU", "TR", "US",
    "VN",
];

/// The input of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scenario", rename_all = "snake_case")]
pub enum LabSpec {
    Fetch(FetchSpec),
    Database(DatabaseSpec),
    Request(RequestSpec),
}

/// Many requests to a server that delays each response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchSpec {
    pub work: LabWork,
    pub style: LabStyle,
    /// The number of requests.
    pub count: u32,
    /// The most threads. Ignored by styles without threads.
    pub workers: u32,
    /// How long the server delays each response.
    pub latency_ms: u32,
    /// The largest deviation from this delay, in either direction.
    pub jitter_ms: u32,
    /// The order in which results are taken. Only for futures.
    pub order: LabOrder,
    /// How long to wait for a result before it counts as failed. `None`: without limit.
    pub timeout_ms: Option<u32>,
}

text_enum! {
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum LabWork {
        /// `GET /lab/second`: a number after a second or two.
        Second = "second",
        /// `GET /lab/flags/{cc}.svg`: flags of countries.
        Flags = "flags",
    }
}

text_enum! {
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum LabStyle {
        /// One after the other, on one blocking thread.
        Sequential = "sequential",
        /// A pool of blocking threads.
        Threads = "threads",
        /// The same pool, with one future for each request.
        Futures = "futures",
        /// One task for each request, on one thread that never blocks.
        Async = "async",
    }
}

text_enum! {
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum LabOrder {
        /// In the order of the requests: `map`.
        Input = "input",
        /// In the order of completion: `as_completed`.
        Completion = "completion",
    }
}

/// Many tasks that share a few connections.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseSpec {
    pub batches: u32,
    /// How many tasks each batch starts at once. A batch starts when the previous one has ended.
    pub tasks_per_batch: u32,
    /// How long each task holds its connection.
    pub hold_ms: u32,
    /// The percentages of tasks that fail, panic, or are aborted while they hold a connection.
    pub failing: u32,
    pub panicking: u32,
    pub aborted: u32,
}

/// The same search three times: its write is awaited, done by a bare task, or enqueued as a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestSpec {
    /// How long the write takes.
    pub delay_ms: u32,
}

impl LabStyle {
    pub fn has_workers(self) -> bool {
        matches!(self, Self::Threads | Self::Futures)
    }
}

impl FetchSpec {
    /// The run that the lab's page suggests: ten requests of two seconds on ten threads.
    pub const FIRST: Self = Self {
        work: LabWork::Second,
        style: LabStyle::Threads,
        count: 10,
        workers: 10,
        latency_ms: 2_000,
        jitter_ms: 0,
        order: LabOrder::Input,
        timeout_ms: None,
    };

    /// The sum of the server's delays in this style: a lower bound of the run's duration.
    pub fn min_duration_ms(&self) -> u64 {
        let concurrent = match self.style {
            LabStyle::Sequential => 1,
            LabStyle::Threads | LabStyle::Futures => self.workers.max(1),
            LabStyle::Async => self.count.max(1),
        };
        u64::from(self.count.div_ceil(concurrent)) * u64::from(self.latency_ms)
    }
}

impl LabSpec {
    /// Returns an error that names the field to change if the run exceeds a limit.
    pub fn check(&self) -> Result<(), ApiError> {
        match self {
            Self::Fetch(spec) => {
                within("count", spec.count, 1, REQUESTS_LIMIT)?;
                within("workers", spec.workers, 1, WORKERS_LIMIT)?;
                within("latency_ms", spec.latency_ms, 0, LATENCY_LIMIT_MS)?;
                within("jitter_ms", spec.jitter_ms, 0, spec.latency_ms)?;
                if let Some(timeout) = spec.timeout_ms {
                    within("timeout_ms", timeout, 1, LATENCY_LIMIT_MS)?;
                }
                short_enough("count", spec.min_duration_ms())
            }
            Self::Database(spec) => {
                within("batches", spec.batches, 1, BATCHES_LIMIT)?;
                within("tasks_per_batch", spec.tasks_per_batch, 1, TASKS_LIMIT)?;
                within("hold_ms", spec.hold_ms, 0, HOLD_LIMIT_MS)?;
                let tasks = u64::from(spec.batches) * u64::from(spec.tasks_per_batch);
                within("tasks_per_batch", u32::try_from(tasks).unwrap_or(u32::MAX), 1, TASKS_LIMIT)?;
                let faulty = u64::from(spec.failing) + u64::from(spec.panicking) + u64::from(spec.aborted);
                within("failing", u32::try_from(faulty).unwrap_or(u32::MAX), 0, 100)?;
                let wait_ms = max_wait_ms(spec.tasks_per_batch.into(), spec.hold_ms);
                if wait_ms > POOL_WAIT_LIMIT_MS {
                    let message = format!(
                        "The last task of a batch would wait {wait_ms} ms for its connection; {POOL_WAIT_LIMIT_MS} ms at \
                         most. Let tasks keep theirs for a shorter time, or start fewer at once."
                    );
                    return Err(ApiError::at(ErrorCode::Invalid, "hold_ms", message));
                }
                short_enough("hold_ms", max_wait_ms(tasks, spec.hold_ms))
            }
            Self::Request(spec) => within("delay_ms", spec.delay_ms, 100, WRITE_DELAY_LIMIT_MS),
        }
    }
}

impl DatabaseSpec {
    /// How many connections the tasks share.
    pub const CONNECTIONS: u32 = 8;
}

/// How long the last of `tasks` tasks waits if each holds its connection for `hold_ms`.
fn max_wait_ms(tasks: u64, hold_ms: u32) -> u64 {
    tasks * u64::from(hold_ms) / u64::from(DatabaseSpec::CONNECTIONS)
}

fn within(field: &str, value: u32, least: u32, most: u32) -> Result<(), ApiError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    let message = format!("Enter a number from {} to {}.", grouped(least.into()), grouped(most.into()));
    Err(ApiError::at(ErrorCode::Invalid, field, message))
}

fn short_enough(field: &str, duration_ms: u64) -> Result<(), ApiError> {
    if duration_ms <= RUN_LIMIT_MS {
        return Ok(());
    }
    let message = format!(
        "This would take at least {} s, and others wait for their turn: {} s at most. Ask for fewer, or for less \
         latency.",
        duration_ms.div_ceil(1_000),
        RUN_LIMIT_MS / 1_000
    );
    Err(ApiError::at(ErrorCode::Invalid, field, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetch(style: LabStyle, count: u32) -> FetchSpec {
        FetchSpec { style, count, ..FetchSpec::FIRST }
    }

    #[test]
    fn concurrent_delays_count_once() {
        assert_eq!(fetch(LabStyle::Sequential, 10).min_duration_ms(), 20_000);
        assert_eq!(fetch(LabStyle::Threads, 25).min_duration_ms(), 6_000);
        assert_eq!(fetch(LabStyle::Async, 1_000).min_duration_ms(), 2_000);
    }

    #[test]
    fn a_run_that_takes_too_long_is_refused() {
        assert_eq!(LabSpec::Fetch(fetch(LabStyle::Sequential, 22)).check(), Ok(()));
        let error = LabSpec::Fetch(fetch(LabStyle::Sequential, 23)).check().expect_err("46 s");
        assert_eq!((error.code, error.field.as_deref()), (ErrorCode::Invalid, Some("count")));
    }

    #[test]
    fn each_number_has_its_limits() {
        let spec = FetchSpec { count: 0, ..fetch(LabStyle::Async, 1) };
        assert_eq!(LabSpec::Fetch(spec).check().expect_err("none").field.as_deref(), Some("count"));
        let spec = FetchSpec { jitter_ms: 2_001, ..fetch(LabStyle::Async, 1) };
        assert_eq!(LabSpec::Fetch(spec).check().expect_err("before now").field.as_deref(), Some("jitter_ms"));
        let spec =
            DatabaseSpec { batches: 10, tasks_per_batch: 100, hold_ms: 10, failing: 50, panicking: 50, aborted: 1 };
        assert_eq!(LabSpec::Database(spec).check().expect_err("101 of 100").field.as_deref(), Some("failing"));
        let spec = DatabaseSpec {
            batches: u32::MAX,
            tasks_per_batch: u32::MAX,
            hold_ms: 0,
            failing: 0,
            panicking: 0,
            aborted: 0,
        };
        assert!(LabSpec::Database(spec).check().is_err());
    }

    #[test]
    fn no_task_may_wait_until_the_pool_times_out() {
        let of = |tasks_per_batch| {
            let (batches, hold_ms) = (1, 20);
            DatabaseSpec { batches, tasks_per_batch, hold_ms, failing: 0, panicking: 0, aborted: 0 }
        };
        assert_eq!(LabSpec::Database(of(1_000)).check(), Ok(()));
        let error = LabSpec::Database(of(1_001)).check().expect_err("a moment longer");
        assert_eq!((error.code, error.field.as_deref()), (ErrorCode::Invalid, Some("hold_ms")));
    }
}
