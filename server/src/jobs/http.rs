//! Server functions for jobs, and the stream of their counts, kinds and progress.

use std::sync::Arc;
use std::time::Duration;

use api::{JobCounts, JobDetail, JobId, JobKind, JobSummary, JobsApi, JobsPage, Role};
use async_trait::async_trait;
use axum::extract::State;
use axum::response::sse::Event;
use store::{Signature, Topic};

use super::JobService;
use super::actions::{JobAction, KindAction};
use crate::platform::error::{Error, Result};
use crate::platform::server_functions::{ApiResult, Call};
use crate::platform::sse::{EventStream, SessionWatch, Source, Step, StreamPermit, Then};

/// Throttles the stream: changes come faster than anyone reads.
const PAUSE: Duration = Duration::from_millis(200);

#[async_trait]
impl JobsApi for Call<JobService> {
    async fn job_counts(&self) -> ApiResult<JobCounts> {
        self.caller.require(Role::Viewer)?;
        Ok(self.service.store.job_counts().await.map_err(Error::from)?)
    }

    async fn jobs(&self, q: String, before: Option<JobId>) -> ApiResult<JobsPage> {
        self.caller.require(Role::Viewer)?;
        Ok(self.service.page(&q, before).await?)
    }

    async fn job(&self, id: JobId) -> ApiResult<JobDetail> {
        let role = self.caller.require(Role::Viewer)?.role;
        let mut job = self.service.detail(id).await?;
        if role < Role::Admin {
            // Like the list of the audit.
            job.audit.iter_mut().for_each(|entry| entry.ip.clear());
        }
        Ok(job)
    }

    async fn find_job(&self, search: String) -> ApiResult<Option<JobSummary>> {
        self.caller.require(Role::Viewer)?;
        Ok(self.service.of_search(&search).await.map_err(Error::from)?)
    }

    async fn retry_job(&self, id: JobId) -> ApiResult<()> {
        let by = self.signature()?;
        Ok(self.service.act_on_job(id, JobAction::Retry, &by).await?)
    }

    async fn cancel_job(&self, id: JobId) -> ApiResult<()> {
        let by = self.signature()?;
        Ok(self.service.act_on_job(id, JobAction::Cancel, &by).await?)
    }

    async fn job_kinds(&self) -> ApiResult<Vec<JobKind>> {
        self.caller.require(Role::Viewer)?;
        Ok(self.service.kinds().await.map_err(Error::from)?)
    }

    async fn pause_kind(&self, kind: String) -> ApiResult<()> {
        let by = self.signature()?;
        Ok(self.service.act_on_kind(&kind, KindAction::Pause, &by).await?)
    }

    async fn resume_kind(&self, kind: String) -> ApiResult<()> {
        let by = self.signature()?;
        Ok(self.service.act_on_kind(&kind, KindAction::Resume, &by).await?)
    }

    async fn limit_kind(&self, kind: String, limit: Option<u32>) -> ApiResult<()> {
        let by = self.signature()?;
        Ok(self.service.act_on_kind(&kind, KindAction::Limit(limit), &by).await?)
    }
}

impl Call<JobService> {
    /// Under the commands of an operator.
    fn signature(&self) -> ApiResult<Signature> {
        let account = self.caller.require(Role::Operator)?;
        Ok(self.caller.signature(&account.name, self.service.clock.wall()))
    }
}

/// Sends `counts` and `kinds` at once and whenever they have changed, and `progress`, without data, when jobs have
/// reported progress.
pub async fn events(State(jobs): State<Arc<JobService>>, session: SessionWatch, permit: StreamPermit) -> EventStream {
    let store = jobs.store.clone();
    let events = permit.watch(&*store, &[Topic::Jobs, Topic::Output], JobSource { jobs, sent: None });
    permit.send(session.over(events))
}

struct JobSource {
    jobs: Arc<JobService>,
    sent: Option<(JobCounts, Vec<JobKind>)>,
}

#[async_trait]
impl Source for JobSource {
    async fn read(&mut self, changed: Option<Topic>) -> Result<Step> {
        if changed == Some(Topic::Output) {
            // A report changes no count, so none is read.
            return Ok(Step { events: vec![Event::default().event("progress").data("null")], then: Then::Wait(PAUSE) });
        }
        let (counts, kinds) = (self.jobs.store.job_counts().await?, self.jobs.kinds().await?);
        let (sent_counts, sent_kinds) = self.sent.take().unzip();
        let mut step = Step { events: Vec::new(), then: Then::Wait(Duration::ZERO) };
        if sent_counts != Some(counts) {
            step.events.push(Event::default().event("counts").json_data(counts).expect("counts have a JSON form"));
        }
        if sent_kinds.as_ref() != Some(&kinds) {
            step.events.push(Event::default().event("kinds").json_data(&kinds).expect("kinds have a JSON form"));
            step.then = Then::Wait(PAUSE);
        }
        self.sent = Some((counts, kinds));
        Ok(step)
    }
}
