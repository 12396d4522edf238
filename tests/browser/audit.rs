//! An administrator sees who has done what.

use api::JobState;
use tests::browser::Role;

use crate::jobs::wait_for_count;
use crate::{BrowserTest, NAME, job_about, search};

#[tokio::test]
async fn a_command_stands_in_the_audit_and_on_its_job() {
    let test = BrowserTest::as_administrator(&["--log-delay", "1h"]).await;
    let page = &test.browser;
    search(&test.client(), 1, "to be cancelled").await;
    page.click(Role::Link, "Jobs").await;
    let job = job_about(page, "to be cancelled").await;
    page.click(Role::Button, &format!("Cancel job {job}")).await;
    wait_for_count(page, JobState::Cancelled, "1").await;

    page.press(['g', 'a']).await;
    page.find(Role::Heading, "Audit").await;
    page.wait_for_text(&format!("Cancelled #{job} log_request")).await;
    let newest = page.texts(".audit_table tbody tr:first-child td").await;
    assert_eq!((newest[1].as_str(), newest[2].as_str()), (NAME, "127.0.0.1"));
    let oldest = page.texts(".audit_table tbody tr:last-child td:first-child").await;
    assert_eq!(oldest, [format!("Created the account {NAME} as admin")]);

    page.click(Role::Link, &format!("#{job}")).await;
    page.wait_for_text(&format!("Cancelled by {NAME}")).await;
    test.finish().await;
}
