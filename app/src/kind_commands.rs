//! What an administrator can decide for a kind of job.

use api::{ApiError, JobKind};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::context;
use crate::session::Session;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KindCommand {
    Pause,
    Resume,
    Limit(Option<u32>),
}

/// Sends commands, and remembers how the last one failed.
#[derive(Clone, Copy)]
pub struct KindCommands {
    pub error: RwSignal<Option<ApiError>>,
    kinds: RwSignal<Option<Vec<JobKind>>>,
    session: Session,
}

impl KindCommands {
    /// Keeps `kinds` up to date after each command.
    #[must_use]
    pub fn new(kinds: RwSignal<Option<Vec<JobKind>>>) -> Self {
        Self { error: RwSignal::new(None), kinds, session: context::session() }
    }

    pub fn run(self, command: KindCommand, kind: String) {
        spawn_local(async move {
            let outcome = match command {
                KindCommand::Pause => api::pause_kind(kind).await,
                KindCommand::Resume => api::resume_kind(kind).await,
                KindCommand::Limit(limit) => api::limit_kind(kind, limit).await,
            };
            if let Err(error) = &outcome {
                self.session.notice(error);
            }
            self.error.try_set(outcome.err());
            // The stream tells it too, but may be lost just now; and after a failure the page shows what is not so.
            if let Ok(kinds) = api::job_kinds().await {
                self.kinds.try_set(Some(kinds));
            }
        });
    }
}

/// The limit that somebody has typed: none where the field is empty. What is no limit is an error that says so.
pub fn limit_of(text: &str) -> Result<Option<u32>, &'static str> {
    match text.trim() {
        "" => Ok(None),
        digits => match digits.parse() {
            Ok(0) => Err("At least 1. To let none begin, pause the kind."),
            Ok(limit) => Ok(Some(limit)),
            Err(_) => Err("A whole number, or nothing for no limit."),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_whole_number_or_none() {
        for (text, limit) in
            [("", None), ("  ", None), ("1", Some(1)), (" 12 ", Some(12)), ("4294967295", Some(u32::MAX))]
        {
            assert_eq!(limit_of(text), Ok(limit), "{text:?}");
        }
        for text in ["0", "00", "-1", "1.5", "1,000", "4294967296", "many", "1 2"] {
            assert!(limit_of(text).is_err(), "{text:?}");
        }
    }
}
