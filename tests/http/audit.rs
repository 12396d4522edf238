//! The audit: what people have commanded, and that no command goes without.

use api::{AuditAction, AuditPage, ErrorCode, JobDetail, JobsApi, Role};
use serde_json::json;
use tests::builders;

use crate::test_server::TestServer;

/// The functions that change nothing.
const READS: [&str; 5] = ["counts", "list", "show", "find", "kinds"];

async fn audit(server: &TestServer, admin: &str) -> AuditPage {
    server.post_json("/api/admin/audit/list", &json!({"before": null})).cookie(admin).send().await.ok()
}

#[tokio::test]
async fn each_function_that_changes_something_leaves_an_entry() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    server.store().enqueue(builders::job("a")).await.expect("enqueued");
    // In this order each changes something.
    let commands = [
        ("cancel", json!({"id": 1}), AuditAction::CancelJob),
        ("retry", json!({"id": 1}), AuditAction::RetryJob),
        ("pause", json!({"kind": "a"}), AuditAction::PauseKind),
        ("resume", json!({"kind": "a"}), AuditAction::ResumeKind),
        ("limit", json!({"kind": "a", "limit": 2}), AuditAction::LimitKind),
    ];
    for function in <dyn JobsApi>::FUNCTIONS {
        let name = function.path.rsplit('/').next().unwrap_or_default();
        let is_known = READS.contains(&name) || commands.iter().any(|(command, ..)| *command == name);
        assert!(is_known, "{} is new: does it leave an entry?", function.path);
    }
    for (name, body, action) in commands {
        let before = audit(&server, &admin).await.entries.len();
        server.post_json(&format!("/api/admin/jobs/{name}"), &body).cookie(&admin).send().await.ok::<()>();
        let entries = audit(&server, &admin).await.entries;
        assert_eq!((entries.len(), entries[0].action), (before + 1, action), "{name}");
        assert_eq!((entries[0].by.as_deref(), entries[0].ip.as_str()), (Some("admin"), "127.0.0.1"), "{name}");
    }
}

#[tokio::test]
async fn a_job_shows_what_people_have_commanded() {
    let server = TestServer::builder().without_worker().start().await;
    let admin = server.admin().await;
    server.store().enqueue(builders::job("a")).await.expect("enqueued");
    for name in ["cancel", "retry"] {
        let path = format!("/api/admin/jobs/{name}");
        server.post_json(&path, &json!({"id": 1})).cookie(&admin).send().await.ok::<()>();
    }
    let show = server.post_json("/api/admin/jobs/show", &json!({"id": 1})).cookie(&admin);
    let actions: Vec<_> = show.send().await.ok::<JobDetail>().audit.iter().map(|entry| entry.action).collect();
    assert_eq!(actions, [AuditAction::CancelJob, AuditAction::RetryJob]);

    let viewer = server.session_of(Role::Viewer).await;
    let show = server.post_json("/api/admin/jobs/show", &json!({"id": 1})).cookie(&viewer);
    let seen = show.send().await.ok::<JobDetail>().audit;
    assert_eq!(
        seen.iter().map(|entry| &entry.ip[..]).collect::<Vec<_>>(),
        ["", ""],
        "addresses are for administrators"
    );
}

#[tokio::test]
async fn a_setup_signs_with_the_name_it_creates() {
    let (server, admin) = crate::accounts::server_with_ada().await;
    let created = audit(&server, &admin).await.entries;
    let created: Vec<_> = created.iter().map(|entry| (entry.action, entry.by.as_deref(), &entry.target[..])).collect();
    assert_eq!(created, [(AuditAction::CreateAccount, Some("ada"), "ada")]);
}

#[tokio::test]
async fn only_administrators_read_it() {
    let server = TestServer::builder().without_worker().start().await;
    for role in [Role::Viewer, Role::Operator] {
        let cookie = server.session_of(role).await;
        let answer = server.post_json("/api/admin/audit/list", &json!({"before": null})).cookie(&cookie).send().await;
        answer.refused(403, ErrorCode::Forbidden, None);
    }
}
