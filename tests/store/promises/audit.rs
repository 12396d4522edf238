//! The audit: each command that changes something leaves an entry, and entries do not change.

use std::time::Duration;

use api::{AuditAction, AuditEntry, AuditId, JobId, Role, TimeMs};
use store::{NewAccount, Signature, Store};
use tests::builders::{START, account, claim, job, signed, token};

use crate::{Database, enqueue};

/// All entries, oldest first, without their ids.
async fn entries(store: &dyn Store) -> Vec<(AuditAction, Option<JobId>, String, Option<String>)> {
    let page = store.audit(None, 1_000).await.unwrap();
    assert_eq!(page.next, None);
    let plain = |entry: AuditEntry| (entry.action, entry.job, entry.target, entry.detail);
    page.entries.into_iter().rev().map(plain).collect()
}

pub(crate) async fn each_command_leaves_an_entry(database: impl Database) {
    let store = database.store();
    let by = signed();
    let id = enqueue(&*store, job("a")).await;
    assert!(store.cancel_job(id, START, Some(&by)).await.unwrap());
    assert!(store.retry_job(id, START, &by).await.unwrap());
    store.claim(claim("w", 1, START)).await.unwrap();
    assert!(store.cancel_job(id, START, Some(&by)).await.unwrap(), "its worker is asked");
    assert!(store.pause_kind("a", &by).await.unwrap());
    assert!(store.resume_kind("a", &by).await.unwrap());
    assert!(store.limit_kind("a", Some(3), &by).await.unwrap());
    assert!(store.limit_kind("a", None, &by).await.unwrap());
    store.add_setup_link(token(1), START.after(Duration::from_secs(9)), Some(&by)).await.unwrap();
    store.use_setup_link(token(1), account("Ada"), START, &by).await.unwrap();
    assert!(store.create_account(NewAccount { role: Role::Viewer, ..account("Bob") }, &by).await.unwrap());
    let of_job = |action| (action, Some(id), "a".to_owned(), None);
    let of_kind = |action, detail: Option<&str>| (action, None, "a".to_owned(), detail.map(str::to_owned));
    let of_account =
        |name: &str, role: &str| (AuditAction::CreateAccount, None, name.to_owned(), Some(role.to_owned()));
    let expected = [
        of_job(AuditAction::CancelJob),
        of_job(AuditAction::RetryJob),
        of_job(AuditAction::CancelJob),
        of_kind(AuditAction::PauseKind, None),
        of_kind(AuditAction::ResumeKind, None),
        of_kind(AuditAction::LimitKind, Some("3")),
        of_kind(AuditAction::LimitKind, None),
        (AuditAction::CreateSetupLink, None, String::new(), None),
        of_account("Ada", "admin"),
        of_account("Bob", "viewer"),
    ];
    assert_eq!(entries(&*store).await, expected);
}

pub(crate) async fn what_changes_nothing_leaves_no_entry(database: impl Database) {
    let store = database.store();
    let by = signed();
    let id = enqueue(&*store, job("a")).await;
    assert!(!store.retry_job(id, START, &by).await.unwrap(), "it waits already");
    assert!(!store.cancel_job(JobId(id.0 + 1), START, Some(&by)).await.unwrap());
    assert!(!store.pause_kind("b", &by).await.unwrap());
    assert!(!store.limit_kind("b", None, &by).await.unwrap());
    store.use_setup_link(token(1), account("Eve"), START, &by).await.unwrap();
    assert_eq!(entries(&*store).await, []);

    // What no account commands is no command.
    assert!(store.cancel_job(id, START, None).await.unwrap());
    store.add_setup_link(token(1), START, None).await.unwrap();
    assert_eq!(entries(&*store).await, []);
}

pub(crate) async fn an_entry_says_from_where_and_when(database: impl Database) {
    let store = database.store();
    let id = enqueue(&*store, job("a")).await;
    assert!(store.cancel_job(id, START, Some(&signed())).await.unwrap());
    let at = TimeMs(START.0 + 5);
    assert!(store.retry_job(id, START, &Signature::of_command_line(at)).await.unwrap());
    let [first, second] = &store.audit_of_job(id).await.unwrap()[..] else { panic!("two entries") };
    assert_eq!((first.by.as_deref(), first.ip.as_str(), first.at), (Some("ada"), "192.0.2.1", START));
    assert_eq!((second.by.as_deref(), second.ip.as_str(), second.at), (None, "", at));
    assert_eq!(store.audit_of_job(JobId(id.0 + 1)).await.unwrap(), []);
}

pub(crate) async fn entries_outlive_their_job(database: impl Database) {
    let store = database.store();
    let id = enqueue(&*store, job("a")).await;
    assert!(store.cancel_job(id, START, Some(&signed())).await.unwrap());
    assert!(store.delete_job(id, Some(&signed())).await.unwrap());
    let actions: Vec<_> = store.audit_of_job(id).await.unwrap().iter().map(|entry| entry.action).collect();
    assert_eq!(actions, [AuditAction::CancelJob, AuditAction::DeleteJob]);
}

pub(crate) async fn pages_follow_each_other_without_gaps(database: impl Database) {
    let store = database.store();
    enqueue(&*store, job("a")).await;
    for _ in 0..5 {
        assert!(store.pause_kind("a", &signed()).await.unwrap());
    }
    let (mut before, mut ids): (_, Vec<AuditId>) = (None, Vec::new());
    loop {
        let page = store.audit(before, 2).await.unwrap();
        ids.extend(page.entries.iter().map(|entry| entry.id));
        let Some(next) = page.next else { break };
        before = Some(next);
    }
    assert_eq!(ids.len(), 5);
    assert!(ids.is_sorted_by(|newer, older| newer > older), "{ids:?}");
}
