//! Nobody changes the audit, not even with SQL.

use api::JobId;
use store::{Audit, JobAdmin, JobQueue, Store};
use tempfile::TempDir;
use tests::builders::{START, job, signed};

use crate::sqlite::{connect_to, open};

#[tokio::test]
async fn entries_are_neither_changed_nor_deleted() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await.unwrap();
    store.enqueue(job("a")).await.unwrap();
    assert!(store.cancel_job(JobId(1), START, Some(&signed())).await.unwrap());
    let mut connection = connect_to(folder.path()).await;
    for change in ["update audit set by_name = 'eve'", "delete from audit"] {
        let error = sqlx::raw_sql(change).execute(&mut connection).await.expect_err(change);
        assert!(error.to_string().contains("an entry of the audit"), "{error}");
    }
    assert_eq!(store.audit_of_job(JobId(1)).await.unwrap().len(), 1);
    store.close().await;
}
