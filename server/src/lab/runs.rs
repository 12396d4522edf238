//! Runs: jobs of the kind `lab_run`, as visitors see and steer them.

use std::net::IpAddr;

use api::{ApiError, ErrorCode, JobFilter, JobState, LabRun as RunView, LabRunId, LabSpec, LabState, Role};
use queue::{Payload, decode, encode};
use store::{NewJob, StoredJob};

use super::LabRun;
use crate::accounts;
use crate::app_state::Environment;
use crate::platform::caller::Caller;
use crate::platform::error::from_store;

/// How many runs are compared.
const LATEST: u32 = 40;
/// So many runs may wait for their turn.
const MOST_WAITING: u64 = 20;
/// One at a time, on all workers together: what is measured shares the machine with nothing else that measures.
const AT_A_TIME: u32 = 1;
/// A run whose worker is lost is begun anew.
const MAX_ATTEMPTS: u32 = 3;

/// Who looks at a run.
#[derive(Clone, Copy, Debug)]
pub struct Viewer {
    ip: IpAddr,
    is_operator: bool,
}

impl Viewer {
    /// Costs a look at the session, where there is one.
    pub async fn of(env: &Environment, caller: &Caller) -> Result<Self, ApiError> {
        let account = accounts::who(env, caller).await?;
        Ok(Self { ip: caller.ip, is_operator: account.is_some_and(|account| account.role >= Role::Operator) })
    }

    /// The one who has started it, as far as the address tells, and operators.
    fn may_cancel(self, run: &LabRun) -> bool {
        self.is_operator || run.ip == self.ip
    }
}

pub async fn state(env: &Environment, caller: &Caller) -> Result<LabState, ApiError> {
    let viewer = Viewer::of(env, caller).await?;
    let filter = JobFilter { kind: Some(LabRun::KIND.to_owned()), ..JobFilter::default() };
    let page = env.store.jobs(filter, None, LATEST).await.map_err(from_store)?;
    let mut runs = Vec::new();
    for job in &page.jobs {
        runs.extend(view(env, job, viewer).await?);
    }
    Ok(LabState { closed: closed(env).map(str::to_owned), runs })
}

pub async fn start(env: &Environment, caller: &Caller, id: LabRunId, spec: LabSpec) -> Result<RunView, ApiError> {
    spec.check()?;
    if let Some(closed) = closed(env) {
        return Err(ApiError::new(ErrorCode::Unavailable, closed));
    }
    let viewer = Viewer::of(env, caller).await?;
    if let Some(job) = stored_run(env, id).await? {
        return same_run(env, &job, viewer, &spec).await;
    }
    has_room(env).await?;
    env.lab.start_limit.count(caller.ip)?;
    let now = env.clock.steady();
    let job = NewJob {
        kind: LabRun::KIND.to_owned(),
        key: Some(id.to_string()),
        payload: encode(&LabRun { spec: spec.clone(), ip: caller.ip }),
        priority: 0,
        max_attempts: MAX_ATTEMPTS,
        created_at: env.clock.wall(),
        run_at: now,
        now,
    };
    env.store.register_kind(LabRun::KIND, Some(AT_A_TIME)).await.map_err(from_store)?;
    env.store.enqueue(job).await.map_err(from_store)?;
    let job = stored_run(env, id).await?.ok_or_else(|| ApiError::not_found("run"))?;
    same_run(env, &job, viewer, &spec).await
}

pub async fn run(env: &Environment, caller: &Caller, id: LabRunId) -> Result<RunView, ApiError> {
    let viewer = Viewer::of(env, caller).await?;
    let job = stored_run(env, id).await?.ok_or_else(|| ApiError::not_found("run"))?;
    view(env, &job, viewer).await?.ok_or_else(|| ApiError::not_found("run"))
}

pub async fn cancel(env: &Environment, caller: &Caller, id: LabRunId) -> Result<(), ApiError> {
    let viewer = Viewer::of(env, caller).await?;
    let job = stored_run(env, id).await?.ok_or_else(|| ApiError::not_found("run"))?;
    let Ok(run) = decode::<LabRun>(&job.payload) else { return Err(ApiError::not_found("run")) };
    if !viewer.may_cancel(&run) {
        let message = "A run can be cancelled from where it was started, and by operators.";
        return Err(ApiError::new(ErrorCode::Forbidden, message));
    }
    if env.store.cancel_job(job.id, env.clock.wall()).await.map_err(from_store)? {
        return Ok(());
    }
    Err(ApiError::new(ErrorCode::Conflict, "The run has ended already."))
}

/// The job of a run.
pub async fn stored_run(env: &Environment, id: LabRunId) -> Result<Option<StoredJob>, ApiError> {
    env.store.job_by_key(LabRun::KIND, &id.to_string()).await.map_err(from_store)
}

/// A run's job as `viewer` sees it; none where another version has made it and it cannot be read.
pub async fn view(env: &Environment, job: &StoredJob, viewer: Viewer) -> Result<Option<RunView>, ApiError> {
    let key = job.key.as_deref().unwrap_or_default();
    let (Ok(run), Ok(id)) = (decode::<LabRun>(&job.payload), key.parse()) else { return Ok(None) };
    let ahead = match job.state {
        JobState::Waiting => {
            env.store.position(LabRun::KIND, key).await.map_err(from_store)?.map_or(0, |place| place.ahead)
        }
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

/// The run that was asked for, if it is the one that is there.
async fn same_run(env: &Environment, job: &StoredJob, viewer: Viewer, spec: &LabSpec) -> Result<RunView, ApiError> {
    let run = view(env, job, viewer).await?.filter(|run| run.spec == *spec);
    run.ok_or_else(|| ApiError::new(ErrorCode::Conflict, "This id belongs to another run: make a new one."))
}

fn closed(env: &Environment) -> Option<&'static str> {
    let nobody_runs_jobs = !env.jobs.runs_jobs() && !env.store.is_shared();
    env.lab.closed.or(nobody_runs_jobs.then_some("The lab is closed: this server was started with --no-worker."))
}

async fn has_room(env: &Environment) -> Result<(), ApiError> {
    let kinds = env.store.kinds().await.map_err(from_store)?;
    let waiting = kinds.iter().find(|kind| kind.kind == LabRun::KIND).map_or(0, |kind| kind.counts.waiting);
    if waiting < MOST_WAITING {
        return Ok(());
    }
    let message = format!("{waiting} runs wait for their turn already. Try again in a minute.");
    Err(ApiError::new(ErrorCode::TooMany, message))
}
