//! Nobody changes the audit, not even with SQL.

use store::{Audit, JobAdmin, JobQueue};
use tests::builders::{START, job, signed};

use crate::postgres::{create_database, open};

#[tokio::test]
async fn entries_are_neither_changed_nor_deleted() {
    let database = create_database().await;
    let store = open(&database.url()).await.unwrap();
    store.enqueue(job("a")).await.unwrap();
    let id = store.jobs(store::JobSelection::default(), None, 1).await.unwrap().jobs[0].id;
    assert!(store.cancel_job(id, START, Some(&signed())).await.unwrap());
    let mut connection = database.connect().await;
    for change in ["update audit set by_name = 'eve'", "delete from audit", "truncate audit"] {
        let error = sqlx::raw_sql(change).execute(&mut connection).await.expect_err(change);
        assert!(error.to_string().contains("an entry of the audit"), "{error}");
    }
    assert_eq!(store.audit_of_job(id).await.unwrap().len(), 1);
}
