//! The audit: the commands that people have given.

use serde::{Deserialize, Serialize};

use crate::server_functions::server_functions;
use crate::{JobId, TimeMs};

server_functions! {
    /// Server functions for the audit.
    trait AuditApi;

    /// Entries of the audit, newest first, older than `before`.
    Audit, "admin/audit/list", Arguments:
        fn audit(before: Option<AuditId>) -> AuditPage;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuditId(pub i64);

text_enum! {
    /// What a person has commanded.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum AuditAction {
        RetryJob = "retry_job",
        CancelJob = "cancel_job",
        DeleteJob = "delete_job",
        PauseKind = "pause_kind",
        ResumeKind = "resume_kind",
        LimitKind = "limit_kind",
        CreateAccount = "create_account",
        /// Make a one-use link that creates an administrator.
        CreateSetupLink = "create_setup_link",
    }
}

/// A command that was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    pub id: AuditId,
    pub at: TimeMs,
    /// The name of the account. `None`: the command line.
    pub by: Option<String>,
    /// Empty on the command line, and where the address is not known.
    pub ip: String,
    pub action: AuditAction,
    /// The job of a command about one job, which may be deleted by now.
    pub job: Option<JobId>,
    /// The kind of the job, or what else the command was about: a kind, an account. Empty for a setup link.
    pub target: String,
    /// What the command says besides, for instance the new limit.
    pub detail: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPage {
    pub entries: Vec<AuditEntry>,
    /// The last entry of this page, if another page follows.
    pub next: Option<AuditId>,
}
