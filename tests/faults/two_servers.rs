//! Other processes at the same data folder.

use tests::server_process::Installation;

use crate::journal::Journal;
use crate::verdict::assert_whole;

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_refuses_and_leaves_the_first_alone() {
    let installation = Installation::new();
    let journal = Journal::default();
    let server = installation.start(&[]).await;
    let mut load = journal.load(&server.client(), 4);
    load.answered(50).await;
    // On another port, so that it is the folder over which they meet.
    let second = Installation::new().with_data(installation.folder());
    for _ in 0..3 {
        let refused = second.run(&[]).await;
        assert_eq!(refused.code, Some(1), "{}", refused.output);
        let process = format!("is in use by process {}. Stop that process, or choose another folder", server.pid());
        assert!(refused.output.contains(&process) && refused.output.lines().count() == 1, "{}", refused.output);
        load.answered_more(50).await;
    }
    load.stop().await;
    assert_whole(&installation, &journal).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_work_beside_a_server_under_load() {
    let installation = Installation::new();
    let journal = Journal::default();
    let server = installation.start(&[]).await;
    let mut load = journal.load(&server.client(), 4);
    for _ in 0..3 {
        load.answered_more(50).await;
        let link = installation.run(&["admin", "link"]).await;
        assert_eq!(link.code, Some(0), "{}", link.output);
        assert!(link.output.contains("/setup?token="), "{}", link.output);
        let check = installation.run(&["check"]).await;
        assert!(check.output.contains("is a sound database of this version"), "{}", check.output);
        assert!(check.output.contains("ok     the database answers"), "{}", check.output);
    }
    load.stop().await;
    assert_whole(&installation, &journal).await;
}
