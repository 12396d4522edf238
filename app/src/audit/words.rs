//! What the audit's page says.

use api::{AuditAction, AuditEntry};

pub const HEADING: &str = "Audit";
pub const LEAD: &str = "What people have done here, newest first. Nobody can change or delete an entry.";
pub const COLUMNS: [&str; 4] = ["What", "Who", "Address", "When"];
pub const COMMAND_LINE: &str = "command line";
pub const UNKNOWN: &str = "–";
pub const EMPTY: &str = "Nobody has done anything yet.";
pub const EMPTY_HINT: &str =
    "This page lists who cancelled or retried a job, paused a type of jobs, or created an account.";
pub const NO_OLDER: &str = "There is nothing older.";
pub const PAGES: &str = "Pages of the audit";

/// What a command did, before and after the name of what it was about.
pub fn deed(entry: &AuditEntry) -> (&'static str, String) {
    match (entry.action, entry.detail.as_deref()) {
        (AuditAction::RetryJob, _) => ("Retried", String::new()),
        (AuditAction::CancelJob, _) => ("Cancelled", String::new()),
        (AuditAction::DeleteJob, _) => ("Deleted", String::new()),
        (AuditAction::PauseKind, _) => ("Paused", String::new()),
        (AuditAction::ResumeKind, _) => ("Resumed", String::new()),
        (AuditAction::LimitKind, Some(limit)) => ("Limited", format!("to {limit} at a time")),
        (AuditAction::LimitKind, None) => ("Removed the limit of", String::new()),
        (AuditAction::CreateAccount, role) => {
            ("Created the account", role.map(|role| format!("as {role}")).unwrap_or_default())
        }
        (AuditAction::CreateSetupLink, _) => ("Made a link that creates an administrator", String::new()),
    }
}

#[cfg(test)]
mod tests {
    use api::{AuditId, JobId, TimeMs};

    use super::*;

    #[test]
    fn a_deed_is_a_sentence() {
        let said = |action, detail: Option<&str>| {
            let entry = AuditEntry {
                id: AuditId(1),
                at: TimeMs(0),
                by: None,
                ip: String::new(),
                action,
                job: Some(JobId(1)),
                target: "X".to_owned(),
                detail: detail.map(str::to_owned),
            };
            let (before, after) = deed(&entry);
            format!("{before} X {after}")
        };
        assert_eq!(said(AuditAction::LimitKind, Some("3")), "Limited X to 3 at a time");
        assert_eq!(said(AuditAction::LimitKind, None), "Removed the limit of X ");
        assert_eq!(said(AuditAction::CreateAccount, Some("viewer")), "Created the account X as viewer");
    }
}
