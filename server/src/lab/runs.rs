//! Runs: jobs of the kind `lab_run`, as visitors see and control them.

use std::net::IpAddr;
use std::sync::PoisonError;
use std::time::Duration;

use api::{Account, ApiError, ErrorCode, JobState, LabRun as RunView, LabRunId, LabSpec, LabState, Role};
use queue::{Payload, decode, encode};
use store::{JobSelection, NewJob, StoredJob};

use super::{Lab, LabRun};
use crate::platform::caller::Caller;
use crate::platform::error::Result;
use crate::platform::limits::{network, room_again_ms};

/// How many runs are compared.
const LATEST: u32 = 40;
/// How many runs may wait for their turn.
const MOST_WAITING: u64 = 20;
/// One at a time over all workers: a measurement must not share the machine with another.
const AT_A_TIME: u32 = 1;
/// A run whose worker died begins again.
const MAX_ATTEMPTS: u32 = 3;
/// How many runs one address may start within the window: enough for comparing all styles, or for a class behind one
/// address.
pub(super) const STARTS_PER_ADDRESS: usize = 60;
pub(super) const START_WINDOW: Duration = Duration::from_secs(5 * 60);

/// The visitor who sees a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Viewer {
    ip: Option<IpAddr>,
    is_operator: bool,
}

impl Viewer {
    fn of(caller: &Caller, account: Option<&Account>) -> Self {
        Self { ip: caller.ip, is_operator: account.is_some_and(|account| account.role >= Role::Operator) }
    }

    /// Whether the visitor's address has started the run, or the visitor is an operator.
    fn may_cancel(self, run: &LabRun) -> bool {
        self.is_operator || self.ip.is_some() && run.ip == self.ip
    }
}

impl Lab {
    /// Looks up the session, if there is one.
    pub(super) async fn viewer(&self, caller: &Caller) -> Result<Viewer> {
        let account = self.sessions.account(caller).await?;
        Ok(Viewer::of(caller, account.as_ref()))
    }

    pub(super) async fn state(&self, caller: &Caller) -> Result<LabState> {
        let viewer = self.viewer(caller).await?;
        let selection = JobSelection { kind: Some(LabRun::KIND.to_owned()), ..JobSelection::default() };
        let page = self.store.jobs(selection, None, LATEST).await?;
        let mut runs = Vec::new();
        for job in &page.jobs {
            runs.extend(self.view(job, viewer).await?);
        }
        Ok(LabState { closed: self.closed().map(str::to_owned), runs })
    }

    pub(super) async fn start(&self, caller: &Caller, id: LabRunId, spec: LabSpec) -> Result<RunView> {
        spec.check()?;
        if let Some(closed) = self.closed() {
            return Err(ApiError::new(ErrorCode::Unavailable, closed).into());
        }
        let viewer = self.viewer(caller).await?;
        if let Some(job) = self.job_of(id).await? {
            return self.same_run(&job, viewer, &spec).await;
        }
        self.has_room().await?;
        caller.ip.map_or(Ok(()), |address| self.count_start(address))?;
        let now = self.clock.steady();
        let job = NewJob {
            kind: LabRun::KIND.to_owned(),
            key: Some(id.to_string()),
            payload: encode(&LabRun { spec: spec.clone(), ip: caller.ip }),
            priority: 0,
            max_attempts: MAX_ATTEMPTS,
            created_at: self.clock.wall(),
            run_at: now,
            now,
        };
        self.store.register_kind(LabRun::KIND, Some(AT_A_TIME)).await?;
        self.store.enqueue(job).await?;
        let job = self.found_job(id).await?;
        self.same_run(&job, viewer, &spec).await
    }

    pub(super) async fn run(&self, caller: &Caller, id: LabRunId) -> Result<RunView> {
        let viewer = self.viewer(caller).await?;
        let job = self.found_job(id).await?;
        self.found_view(&job, viewer).await
    }

    pub(super) async fn cancel(&self, caller: &Caller, id: LabRunId) -> Result<()> {
        let account = self.sessions.account(caller).await?;
        let viewer = Viewer::of(caller, account.as_ref());
        let job = self.found_job(id).await?;
        let run = decode::<LabRun>(&job.payload).map_err(|_| ApiError::not_found("run"))?;
        if !viewer.may_cancel(&run) {
            let message = "A run can be cancelled from where it was started, and by operators.";
            return Err(ApiError::new(ErrorCode::Forbidden, message).into());
        }
        let now = self.clock.wall();
        let by = account.map(|account| caller.signature(&account.name, now));
        if self.store.cancel_job(job.id, now, by.as_ref()).await? {
            return Ok(());
        }
        Err(ApiError::new(ErrorCode::Conflict, "The run has ended already.").into())
    }

    async fn job_of(&self, id: LabRunId) -> Result<Option<StoredJob>> {
        Ok(self.store.job_by_key(LabRun::KIND, &id.to_string()).await?)
    }

    pub(super) async fn found_job(&self, id: LabRunId) -> Result<StoredJob> {
        Ok(self.job_of(id).await?.ok_or_else(|| ApiError::not_found("run"))?)
    }

    pub(super) async fn found_view(&self, job: &StoredJob, viewer: Viewer) -> Result<RunView> {
        Ok(self.view(job, viewer).await?.ok_or_else(|| ApiError::not_found("run"))?)
    }

    /// A run's job as `viewer` sees it. `None` if it cannot be read, because another release has made it.
    async fn view(&self, job: &StoredJob, viewer: Viewer) -> Result<Option<RunView>> {
        let key = job.key.as_deref().unwrap_or_default();
        let (Ok(run), Ok(id)) = (decode::<LabRun>(&job.payload), key.parse()) else { return Ok(None) };
        let ahead = match job.state {
            JobState::Waiting => self.store.position(LabRun::KIND, key).await?.map_or(0, |position| position.ahead),
            _ => 0,
        };
        Ok(Some(RunView {
            id,
            job: job.id,
            state: job.state,
            ahead,
            created_at: job.created_at,
            finished_at: job.finished_at,
            percent: job.progress.as_ref().map_or(0, |progress| progress.percent),
            summary: job.result.as_deref().and_then(|result| serde_json::from_str(result).ok()),
            error: job.error.clone(),
            can_cancel: job.state.can_cancel() && viewer.may_cancel(&run),
            spec: run.spec,
        }))
    }

    /// The run of this job, if it has this spec.
    async fn same_run(&self, job: &StoredJob, viewer: Viewer, spec: &LabSpec) -> Result<RunView> {
        let run = self.view(job, viewer).await?.filter(|run| run.spec == *spec);
        let other = || ApiError::new(ErrorCode::Conflict, "This id belongs to another run: make a new one.");
        Ok(run.ok_or_else(other)?)
    }

    fn closed(&self) -> Option<&'static str> {
        let no_worker = self.worker.is_none() && !self.store.is_shared();
        self.closed.or(no_worker.then_some("The lab is closed: this server was started with --no-worker."))
    }

    async fn has_room(&self) -> Result<()> {
        let kinds = self.store.kinds().await?;
        let waiting = kinds.iter().find(|kind| kind.kind == LabRun::KIND).map_or(0, |kind| kind.counts.waiting);
        if waiting < MOST_WAITING {
            return Ok(());
        }
        let message = format!("{waiting} runs wait for their turn already. Try again in a minute.");
        Err(ApiError::new(ErrorCode::TooMany, message).into())
    }

    /// Counts a start. Fails if there were too many within the window.
    fn count_start(&self, address: IpAddr) -> Result<()> {
        let (now, network) = (self.clock.steady(), network(address));
        let mut starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        let full = (!starts.has_room_for(&network, now)).then(room_again_ms);
        if let Some(wait_ms) = starts.wait_ms(&network, now).max(full) {
            let seconds = wait_ms / 1_000 + 1;
            let message = format!("You have started {STARTS_PER_ADDRESS} runs within 5 min. Try again in {seconds} s.");
            return Err(ApiError::new(ErrorCode::TooMany, message).retry_after_ms(wait_ms).into());
        }
        starts.add(network, now);
        Ok(())
    }
}
