//! The interface between client and server: requests, responses and their types.
//!
//! Every other package may depend on this one. It knows nothing of SQL, axum or pages.

/// Declares an enum whose variants each have a text, with `ALL`, `as_str` and `parse`.
macro_rules! text_enum {
    (
        $(#[$attribute:meta])*
        pub enum $name:ident {
            $($(#[$variant_attribute:meta])* $variant:ident = $text:literal,)+
        }
    ) => {
        $(#[$attribute])*
        pub enum $name {
            $($(#[$variant_attribute])* $variant,)+
        }

        impl $name {
            pub const ALL: [Self; [$($text),+].len()] = [$(Self::$variant),+];

            /// The text on the wire, in the database, on the command line and on pages.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// The inverse of [`Self::as_str`].
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|variant| variant.as_str() == text)
            }
        }
    };
}

mod account;
mod audit;
mod calendar;
mod call;
mod error;
mod filter;
mod form;
mod grouped;
mod jobs;
mod json;
mod lab;
mod log;
mod log_time;
mod route;
mod search;
mod server_functions;
mod stream;
mod system;
mod time;

pub use account::{Account, Login, Logout, Role, SessionInfo, SetUp, check_setup_link, login, logout, session, set_up};
pub use audit::{AuditAction, AuditEntry, AuditId, AuditPage, audit};
pub use call::{Response, Transport, send_with};
pub use error::{ApiError, ErrorCode};
pub use filter::{
    FilterError, FilterKey, FilterList, JobBounds, JobFacts, JobFilter, LogBounds, LogFilter, LogPosition, Meant,
    SearchTexts, meant_filter, with_absolute_times,
};
pub use form::Form;
pub use grouped::grouped;
pub use jobs::{
    Attempt, AttemptOutcome, CancelJob, FindJob, JOBS_PAGE, JobCounts, JobDetail, JobId, JobKind, JobProgress,
    JobState, JobSummary, JobsPage, RetryJob, cancel_job, find_job, job, job_counts, job_kinds, jobs, limit_kind,
    pause_kind, resume_kind, retry_job,
};
pub use json::from_json;
pub use lab::{
    BATCHES_LIMIT, COUNTRIES, DatabaseSpec, FetchSpec, HOLD_LIMIT_MS, ItemError, ItemErrorKind, ItemState, ItemTrace,
    LAB_GUIDE, LATENCY_LIMIT_MS, LabEvent, LabFact, LabOrder, LabRun, LabRunId, LabSpec, LabState, LabStyle,
    LabSummary, LabTrace, LabWork, Lane, LaneStep, LaneTrace, PoolStep, PoolSummary, REQUESTS_LIMIT, RUN_LIMIT_MS,
    RequestSpec, TASKS_LIMIT, WORKERS_LIMIT, WRITE_DELAY_LIMIT_MS, cancel_lab_run, lab, lab_run, start_lab_run,
};
pub use log::{LogRow, LogSeq, ScanProgress, is_inert};
pub use log_time::{LogPeriod, LogTime, TimeZone, Utc};
pub use route::{Bundle, Route};
pub use search::{
    ADDRESS_LIMIT, DEFAULT_LETTERS, LETTERS_LIMIT, PHRASE_LIMIT, PublicLedger, Receipt, ReceiptState, Recorded,
    SearchAnswer, SearchId, letters_of_set, public_ledger, search, search4letters, set_text,
};
pub use stream::{Heartbeat, StreamEnd};
pub use system::{
    DiskState, FaultKind, Health, HealthCause, HealthStatus, Ledger, MissingSearch, PoolState, Probe, ProcessState,
    QueueState, SpoolState, StoreFault, System, SystemState, WorkerState, system,
};
pub use time::TimeMs;

#[cfg(feature = "ssr")]
pub use {
    account::AccountApi, audit::AuditApi, jobs::JobsApi, lab::LabApi, search::SearchApi,
    server_functions::ServerFunction, system::SystemApi,
};
