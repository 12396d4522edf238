//! What jobs say of themselves while they run.

use api::JobId;

use crate::WorkerName;

/// What a worker says of an attempt that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobReport {
    pub job: JobId,
    pub attempt: u32,
    pub worker: WorkerName,
    /// From 0 to 100; more is refused.
    pub percent: u8,
    /// How far it is, in a few words, for people.
    pub note: String,
    /// The next part of what the job puts out, if any.
    pub part: Option<String>,
    /// What came of it, for machines; none leaves what is there.
    pub result: Option<String>,
}

/// A part of what a job has put out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputPart {
    /// From 1, without gaps. A new attempt goes on where the one before has ended.
    pub number: u32,
    pub text: String,
}
