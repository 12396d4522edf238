//! Whom the requests go to: the server that was named, or one of the command's own.

use api::{FetchSpec, LabStyle};
use lab::Target;

use super::super::config::LabRequests;
use crate::cli::CommandError;
use crate::lab::LoopbackServer;
use crate::platform::random::Random;
use crate::platform::transport::raise_open_files;

/// Open files that are no connections: standard streams, runtimes, and what is saved.
const OTHER_FILES: u64 = 64;

pub(super) struct Goal {
    target: Target,
    /// Serves as long as this lives.
    _own: Option<LoopbackServer>,
}

impl Goal {
    pub(super) async fn of(asked: &LabRequests, spec: &FetchSpec) -> Result<Self, CommandError> {
        let goal = match &asked.base_url {
            Some(url) => Self { target: named(url, asked.allow_remote).await?, _own: None },
            None => Self::own()?,
        };
        goal.check_open_files(spec)?;
        Ok(goal)
    }

    pub(super) fn target(&self) -> Target {
        self.target.clone()
    }

    fn own() -> Result<Self, CommandError> {
        let server = LoopbackServer::start(Random::system())
            .map_err(|error| CommandError(format!("the lab's own server did not start: {error}")))?;
        let target = Target::at(server.address());
        Ok(Self { target, _own: Some(server) })
    }

    /// Each connection is an open file, and two where both ends are ours.
    fn check_open_files(&self, spec: &FetchSpec) -> Result<(), CommandError> {
        let at_a_time = match spec.style {
            LabStyle::Sequential => 1,
            LabStyle::Threads | LabStyle::Futures => spec.workers.min(spec.count),
            LabStyle::Async => spec.count,
        };
        let ends = if self._own.is_some() { 2 } else { 1 };
        let needed = u64::from(at_a_time) * ends + OTHER_FILES;
        match raise_open_files() {
            Some(files) if files < needed => Err(CommandError(format!(
                "{at_a_time} requests at a time need {needed} open files, and the system allows {files}: raise that \
                 (ulimit -n {needed}), or ask for fewer with --count"
            ))),
            _ => Ok(()),
        }
    }
}

async fn named(url: &str, allow_remote: bool) -> Result<Target, CommandError> {
    let text = url.to_owned();
    // Names are resolved by a call that blocks.
    let parsed = tokio::task::spawn_blocking(move || text.parse::<Target>()).await;
    let parsed = parsed.map_err(|error| CommandError(error.to_string()))?;
    let target = parsed.map_err(|error| CommandError(format!("--base-url: {error}")))?;
    if !target.is_loopback() && !allow_remote {
        return Err(CommandError(format!(
            "{target} is not on this machine. Many requests at a time can be a burden: if its owner consents, add \
             --allow-remote"
        )));
    }
    Ok(target)
}
