//! Finds the jobs that a filter matches, for a limited time.

use std::time::Duration;

use api::{FilterError, JobBounds, JobFacts, JobFilter, JobId, LogSeq, SearchId, SearchTexts, TimeMs};
use futures::TryStreamExt;
use store::{Clock, JobSelection, LOG_JOB, LogQuery, LogSpan, Result, SearchRecord, Store, StoredJob};

use super::SearchOf;
use crate::platform::receipt_lookup::SearchOfReceipt;

/// Time budget of one scan. The page then starts the next one, and shows the progress.
const PATIENCE: Duration = Duration::from_millis(150);
/// How many jobs are compared between two checks of the clock.
const BLOCK_JOBS: u32 = 256;
/// How much a job's time may be out of order without [`first_since`] missing it: two processes' clocks differ.
const DISORDER_MS: i64 = 60_000;

/// What a scan has found.
#[derive(Debug, Default)]
pub struct Scanned {
    /// Newest first.
    pub jobs: Vec<StoredJob>,
    /// Older jobs begin before this one. `None` if no older one can match.
    pub next: Option<JobId>,
    /// How many jobs were compared.
    pub compared: u64,
    /// Whether the time ended before there were enough jobs.
    pub is_cut: bool,
}

/// The filter `text`, with the searches of the receipts and rows that it names. Times without an offset are UTC.
pub async fn filter_of(
    text: &str,
    store: &dyn Store,
    search_of_receipt: &SearchOfReceipt,
) -> Result<std::result::Result<JobFilter, FilterError>> {
    match text.parse::<JobFilter>() {
        Ok(filter) => resolved(filter, store, search_of_receipt).await.map(Ok),
        Err(error) => Ok(Err(error)),
    }
}

/// The filter with the searches of the receipts and rows that it names.
pub async fn resolved(filter: JobFilter, store: &dyn Store, search_of_receipt: &SearchOfReceipt) -> Result<JobFilter> {
    let mut searches = Vec::new();
    for row in filter.rows() {
        let query = LogQuery { span: LogSpan::After(LogSeq(row.0.saturating_sub(1))), limit: 1 };
        let found = store.log_rows(query).try_next().await?.filter(|found| found.seq == row);
        searches.extend(found.map(|found| (row, found.search_id)));
    }
    let search_of_row = |row| searches.iter().find(|(known, _)| *known == row).map(|(_, search)| *search);
    Ok(filter.with_rows(search_of_row).with_searches(&**search_of_receipt))
}

/// At most `limit` jobs before `before` that `filter` matches.
///
/// Holds a connection for no longer than it takes to read some 256 jobs.
pub async fn scan(
    store: &dyn Store,
    clock: &dyn Clock,
    search_of: SearchOf,
    filter: &JobFilter,
    before: Option<JobId>,
    limit: u32,
) -> Result<Scanned> {
    let deadline = clock.steady().after(PATIENCE);
    let now = clock.wall();
    let bounds = filter.bounds(now);
    let mut scanned = Scanned::default();
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let Some(place) = Place::of(store, &bounds, before).await? else { return Ok(scanned) };
    let (selection, first) = match place {
        Place::One(job) => {
            scanned.compared = 1;
            scanned.jobs.extend(Some(*job).filter(|job| matches(filter, job, search_of, now)));
            return Ok(scanned);
        }
        Place::Many { selection, first } => (selection, first),
    };
    // A page without a filter reads no more than it shows.
    let mut block = limit.min(BLOCK_JOBS);
    scanned.next = before;
    loop {
        let page = store.jobs(selection.clone(), scanned.next, block).await?;
        let is_last = page.next.is_none() || page.jobs.last().is_none_or(|last| last.id <= first);
        let mut jobs = page.jobs.into_iter().filter(|job| job.id >= first).peekable();
        while let Some(job) = jobs.next() {
            scanned.compared += 1;
            scanned.next = Some(job.id);
            if matches(filter, &job, search_of, now) {
                scanned.jobs.push(job);
                if scanned.jobs.len() == wanted {
                    scanned.next = scanned.next.filter(|_| !is_last || jobs.peek().is_some());
                    return Ok(scanned);
                }
            }
        }
        if is_last {
            scanned.next = None;
            return Ok(scanned);
        }
        if clock.steady() >= deadline {
            scanned.is_cut = true;
            return Ok(scanned);
        }
        block = BLOCK_JOBS;
    }
}

/// Where to look for jobs within bounds.
enum Place {
    One(Box<StoredJob>),
    /// From the newest one down to `first`.
    Many {
        selection: JobSelection,
        first: JobId,
    },
}

impl Place {
    /// `None` if no job before `before` can be within the bounds.
    async fn of(store: &dyn Store, bounds: &JobBounds, before: Option<JobId>) -> Result<Option<Self>> {
        if bounds.is_empty {
            return Ok(None);
        }
        if bounds.job.is_some() || bounds.search.is_some() {
            let job = match (bounds.job, bounds.search) {
                (Some(id), _) => store.job(id).await?,
                (None, search) => {
                    store.job_by_key(LOG_JOB, &search.map(|id| id.to_string()).unwrap_or_default()).await?
                }
            };
            let job = job.filter(|job| before.is_none_or(|before| job.id < before));
            return Ok(job.map(|job| Self::One(Box::new(job))));
        }
        let mut selection = JobSelection { state: bounds.state, kind: None };
        if let Some(name) = &bounds.kind {
            let kinds = store.kinds().await?.into_iter().map(|kind| kind.kind);
            let mut alike = kinds.filter(|kind| kind.eq_ignore_ascii_case(name));
            let Some(kind) = alike.next() else { return Ok(None) };
            // One index leads to a state, the other one to a kind. Most jobs are those of searches.
            if kind != LOG_JOB && alike.next().is_none() {
                selection = JobSelection { state: None, kind: Some(kind) };
            }
        }
        let first = match bounds.since {
            Some(since) => first_since(store, TimeMs(since.0.saturating_sub(DISORDER_MS))).await?,
            None => JobId(0),
        };
        Ok(Some(Self::Many { selection, first }))
    }
}

/// A number such that all jobs below it were added before `time`.
///
/// Jobs are numbered as they are added, and none is to run before that. When it is to run is known for each. It may have
/// changed since, but only to a later time: then more jobs are compared than need be, and none is missed.
async fn first_since(store: &dyn Store, time: TimeMs) -> Result<JobId> {
    let nearest = async |before: Option<JobId>| -> Result<Option<StoredJob>> {
        Ok(store.jobs(JobSelection::default(), before, 1).await?.jobs.pop())
    };
    let newest = nearest(None).await?.map_or(0, |job| job.id.0);
    // All jobs up to `earlier` were added before `time`.
    let (mut earlier, mut later) = (0, newest.saturating_add(1));
    while later - earlier > 1 {
        let middle = earlier + (later - earlier) / 2;
        match nearest(Some(JobId(middle + 1))).await? {
            // The second is by the wall clock, which the other one may lag behind.
            Some(job) if job.run_at >= time || job.created_at >= time => later = job.id.0.max(earlier + 1),
            _ => earlier = middle,
        }
    }
    Ok(JobId(earlier + 1))
}

fn matches(filter: &JobFilter, job: &StoredJob, search_of: SearchOf, now: TimeMs) -> bool {
    if filter.is_empty() {
        return true;
    }
    // Most filters need no payload, and reading one takes longer than all the rest.
    let record = if filter.reads_payload() { search_of(job) } else { None };
    filter.matches(&facts(job, record.as_ref()), now)
}

/// What a filter compares of a job, whose payload holds `record`.
pub fn facts<'a>(job: &'a StoredJob, record: Option<&'a SearchRecord>) -> JobFacts<'a> {
    let key = job.key.as_deref().filter(|_| job.kind == LOG_JOB);
    JobFacts {
        id: job.id,
        kind: &job.kind,
        state: job.state,
        attempts: job.attempt,
        error: job.error.as_deref(),
        worker: job.last_worker.as_ref().map(|worker| worker.0.as_str()),
        payload: &job.payload,
        created_at: job.created_at,
        started_at: job.started_at,
        finished_at: job.finished_at,
        search_id: key.and_then(|key| key.parse::<SearchId>().ok()),
        search: record.map(|record| SearchTexts {
            phrase: &record.phrase,
            letters: &record.letters,
            results: &record.results,
            ip: &record.ip,
            browser_family: &record.browser_family,
            user_agent: &record.user_agent,
        }),
    }
}
