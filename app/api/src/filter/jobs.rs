//! The filter of jobs, and which jobs it matches.

use std::fmt;
use std::str::FromStr;

use super::amount::{Amounts, Unit};
use super::compare::contains;
use super::error::{FilterError, Meant, nearest};
use super::key::{FilterKey, FilterList};
use super::lexer::Token;
use super::read::{Asked, Stamp, TimeRange, asked, number, time_term, whole};
use super::search::{SearchTest, SearchTexts, is_anywhere};
use super::terms::{Sense, Term, Terms, Test, quoted};
use crate::{JobId, JobState, LogSeq, Receipt, SearchId, TimeMs, TimeZone, Utc};

/// Matches the jobs for which all terms hold. Without terms, it matches all jobs.
///
/// Written like [`LogFilter`](super::LogFilter), with the fields of jobs: `state:dead error:~timeout took:>2s`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobFilter(pub(super) Terms<JobTest>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum JobTest {
    /// Part of any text of the job.
    Anywhere(String),
    Search(SearchTest),
    Part(JobText, String),
    Whole(JobText, String),
    State(JobState),
    Took(Amounts),
    Attempts(Amounts),
    Job(JobId),
    /// The row that the job wrote. Only the server knows of which search it is: see [`JobFilter::with_rows`].
    Row(LogSeq),
    Asked(Asked),
    Created(TimeRange),
}

/// The texts of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JobText {
    Kind,
    Error,
    Worker,
}

/// What a filter compares of a job.
#[derive(Clone, Copy, Debug)]
pub struct JobFacts<'a> {
    pub id: JobId,
    pub kind: &'a str,
    pub state: JobState,
    /// How many attempts have started.
    pub attempts: u32,
    /// The error of the last failed attempt.
    pub error: Option<&'a str>,
    /// The worker that runs the job, or ran it last.
    pub worker: Option<&'a str>,
    pub payload: &'a str,
    pub created_at: TimeMs,
    /// When the last attempt began.
    pub started_at: Option<TimeMs>,
    pub finished_at: Option<TimeMs>,
    /// The search that the job records, if it records one.
    pub search_id: Option<SearchId>,
    /// What the payload says of that search, if it can be read.
    pub search: Option<SearchTexts<'a>>,
}

impl JobFacts<'_> {
    /// How long the last attempt took in milliseconds, or has taken so far. `None` if the job waits or was cancelled: then
    /// its end is not the attempt's.
    fn took(&self, now: TimeMs) -> Option<u64> {
        let end = match self.state {
            JobState::Running => Some(now),
            JobState::Done | JobState::Dead => self.finished_at,
            _ => None,
        };
        Some(u64::try_from(end?.since(self.started_at?)).unwrap_or_default())
    }
}

impl JobFilter {
    /// Reads a filter. Times without an offset are in `zone`.
    pub fn parse(text: &str, zone: &dyn TimeZone) -> Result<Self, FilterError> {
        Terms::parse(text, zone).map(Self)
    }

    /// Matches the jobs of which `key` has this value. Matches all, if it cannot have it.
    pub fn of(key: FilterKey, value: &str) -> Self {
        format!("{}:{}", key.as_str(), quoted(value)).parse().unwrap_or_default()
    }

    /// This filter, but with the terms of `other` in place of its own for the same fields.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        for Term { test, .. } in &other.0.0 {
            self = self.without(test.key());
        }
        self.0.0.extend(other.0.0.iter().cloned());
        self
    }

    /// This filter without its terms for a field.
    #[must_use]
    pub fn without(mut self, key: Option<FilterKey>) -> Self {
        self.0.0.retain(|term| key.is_none() || term.test.key() != key);
        self
    }

    pub fn is_empty(&self) -> bool {
        self.0.0.is_empty()
    }

    /// The state that all matching jobs have.
    pub fn state(&self) -> Option<JobState> {
        self.0.wanted().find_map(|test| match test {
            JobTest::State(state) => Some(*state),
            _ => None,
        })
    }

    /// Whether the filter asks for nothing but a state.
    pub fn is_state_alone(&self) -> bool {
        matches!(self.0.0[..], [] | [Term { sense: Sense::Is, test: JobTest::State(_) }])
    }

    /// Whether a job's payload has to be read to compare it.
    pub fn reads_payload(&self) -> bool {
        self.0.0.iter().any(|term| matches!(term.test, JobTest::Anywhere(_) | JobTest::Search(_)))
    }

    /// Names the searches of receipts, without which no job matches a receipt.
    pub fn with_searches(mut self, search_of: impl Fn(&Receipt) -> Option<SearchId>) -> Self {
        for Term { test, .. } in &mut self.0.0 {
            if let JobTest::Asked(asked) = test {
                asked.look_up(&search_of);
            }
        }
        self
    }

    /// The log rows that the filter names.
    pub fn rows(&self) -> Vec<LogSeq> {
        let rows = self.0.0.iter().filter_map(|term| match term.test {
            JobTest::Row(row) => Some(row),
            _ => None,
        });
        rows.collect()
    }

    /// Names the searches of log rows, without which no job matches a row.
    pub fn with_rows(mut self, search_of: impl Fn(LogSeq) -> Option<SearchId>) -> Self {
        for Term { test, .. } in &mut self.0.0 {
            if let JobTest::Row(row) = test
                && let Some(id) = search_of(*row)
            {
                *test = JobTest::Asked(Asked::Search(id));
            }
        }
        self
    }

    /// Whether `job` matches at the time `now`.
    pub fn matches(&self, job: &JobFacts<'_>, now: TimeMs) -> bool {
        self.0.matches(job, now)
    }

    /// The bounds at the time `now`.
    pub fn bounds(&self, now: TimeMs) -> JobBounds {
        let mut bounds = JobBounds::default();
        for Term { sense, test } in &self.0.0 {
            match (sense, test) {
                (Sense::Is, JobTest::State(state)) => bounds.state = Some(*state),
                (Sense::Is, JobTest::Whole(JobText::Kind, kind)) => bounds.kind = Some(kind.clone()),
                (Sense::Is, JobTest::Job(id)) => bounds.job = Some(*id),
                (Sense::Is, JobTest::Asked(Asked::Search(id))) => bounds.search = Some(*id),
                (Sense::Is, JobTest::Asked(Asked::Receipt(_)) | JobTest::Row(_)) => bounds.is_empty = true,
                (Sense::Is, JobTest::Created(TimeRange { from: Some(time), .. }))
                | (Sense::IsNot, JobTest::Created(TimeRange { from: None, to: Some(time) })) => {
                    bounds.since = bounds.since.max(Some(time.resolve(now)));
                }
                _ => {}
            }
        }
        bounds
    }
}

/// What every job is like that a filter can match. The jobs still have to be compared with the filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobBounds {
    pub state: Option<JobState>,
    /// Its letters may be in another case.
    pub kind: Option<String>,
    pub job: Option<JobId>,
    pub search: Option<SearchId>,
    /// Created at this time or later.
    pub since: Option<TimeMs>,
    /// Whether no job can match, because the filter asks for a row or a receipt that there is none of.
    pub is_empty: bool,
}

/// Reads a filter whose times are absolute. Without an offset, they are UTC.
impl FromStr for JobFilter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        Self::parse(text, &Utc)
    }
}

/// Displays a text that parses as the same filter.
impl fmt::Display for JobFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl JobText {
    fn key(self) -> FilterKey {
        match self {
            Self::Kind => FilterKey::Kind,
            Self::Error => FilterKey::Error,
            Self::Worker => FilterKey::Worker,
        }
    }

    /// Empty if the job has none.
    fn of<'a>(self, job: &JobFacts<'a>) -> &'a str {
        match self {
            Self::Kind => job.kind,
            Self::Error => job.error.unwrap_or_default(),
            Self::Worker => job.worker.unwrap_or_default(),
        }
    }
}

impl Test for JobTest {
    const LIST: FilterList = FilterList::Jobs;
    type Row<'a> = JobFacts<'a>;

    fn read(token: Token, zone: &dyn TimeZone) -> Result<Self, FilterError> {
        let text = |text: JobText, token: Token| match token.tilde {
            Some(_) => Self::Part(text, token.value),
            None => Self::Whole(text, token.value),
        };
        let amounts = |token: &Token, unit: Unit| whole(token, unit.forms(), |text| Amounts::read(text, unit));
        let Some(key) = token.key else { return Ok(Self::Anywhere(token.value)) };
        Ok(match key {
            FilterKey::Kind => text(JobText::Kind, token),
            FilterKey::Error => text(JobText::Error, token),
            FilterKey::Worker => text(JobText::Worker, token),
            FilterKey::State => Self::State(state(&token)?),
            FilterKey::Took => Self::Took(amounts(&token, Unit::Milliseconds)?),
            FilterKey::Attempts => Self::Attempts(amounts(&token, Unit::Times)?),
            FilterKey::Job => Self::Job(JobId(whole(&token, "a job's number, like 48211", number)?)),
            FilterKey::Row => Self::Row(LogSeq(whole(&token, "a row's number, like 48211", number)?)),
            FilterKey::Search | FilterKey::Receipt => Self::Asked(asked(key, &token)?),
            _ if key.is_time() => Self::Created(time_term(key, &token, zone)?.1),
            _ => Self::Search(SearchTest::read(key, token)?),
        })
    }

    fn matches(&self, job: &JobFacts<'_>, now: TimeMs) -> bool {
        match self {
            Self::Anywhere(text) => {
                [JobText::Kind, JobText::Error, JobText::Worker].iter().any(|of| contains(of.of(job), text))
                    || match &job.search {
                        Some(search) => is_anywhere(search, text),
                        None => contains(job.payload, text),
                    }
            }
            Self::Search(test) => job.search.as_ref().is_some_and(|search| test.matches(search)),
            Self::Part(of, text) => contains(of.of(job), text),
            Self::Whole(of, text) => of.of(job).eq_ignore_ascii_case(text),
            Self::State(state) => job.state == *state,
            Self::Took(amounts) => job.took(now).is_some_and(|took| amounts.contains(took)),
            Self::Attempts(amounts) => amounts.contains(job.attempts.into()),
            Self::Job(id) => job.id == *id,
            Self::Row(_) => false,
            Self::Asked(asked) => job.search_id.is_some_and(|id| asked.is(id)),
            Self::Created(range) => range.contains(job.created_at, now),
        }
    }
}

impl JobTest {
    /// `None` for a text without a field.
    fn key(&self) -> Option<FilterKey> {
        Some(match self {
            Self::Anywhere(_) => return None,
            Self::Search(test) => test.key(),
            Self::Part(of, _) | Self::Whole(of, _) => of.key(),
            Self::State(_) => FilterKey::State,
            Self::Took(_) => FilterKey::Took,
            Self::Attempts(_) => FilterKey::Attempts,
            Self::Job(_) => FilterKey::Job,
            Self::Row(_) => FilterKey::Row,
            Self::Asked(Asked::Search(_)) => FilterKey::Search,
            Self::Asked(Asked::Receipt(_)) => FilterKey::Receipt,
            Self::Created(TimeRange { from: Some(_), .. }) => FilterKey::Since,
            Self::Created(_) => FilterKey::Before,
        })
    }
}

impl fmt::Display for JobTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anywhere(text) => f.write_str(&quoted(text)),
            Self::Search(test) => test.fmt(f),
            Self::Part(of, text) => write!(f, "{}:~{}", of.key().as_str(), quoted(text)),
            Self::Whole(of, text) => write!(f, "{}:{}", of.key().as_str(), quoted(text)),
            Self::State(state) => write!(f, "state:{}", state.as_str()),
            Self::Took(amounts) => {
                f.write_str("took:")?;
                amounts.write(Unit::Milliseconds, f)
            }
            Self::Attempts(amounts) => {
                f.write_str("attempts:")?;
                amounts.write(Unit::Times, f)
            }
            Self::Job(JobId(id)) => write!(f, "job:{id}"),
            Self::Row(LogSeq(row)) => write!(f, "row:{row}"),
            Self::Asked(asked) => asked.fmt(f),
            Self::Created(range) => range.write(Stamp::Searched, f),
        }
    }
}

fn state(token: &Token) -> Result<JobState, FilterError> {
    let states = JobState::ALL.map(JobState::as_str).join(", ");
    let read = |text: &str| JobState::parse(&text.to_ascii_lowercase());
    whole(token, &format!("a state: {states}"), read).map_err(|error| {
        let name = token.value.as_str();
        let Some(meant) = nearest(name, &JobState::ALL, JobState::as_str).filter(|_| token.tilde.is_none()) else {
            return error;
        };
        let meant = Meant::Value(meant.as_str());
        let message = format!("There is no state “{}”. {}", crate::error::echo(name), meant.question());
        FilterError { meant: Some(meant), ..FilterError::new(token.at.clone(), message) }
    })
}
