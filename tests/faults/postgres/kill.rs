//! kill -9 of any of several processes under load, again and again.

use std::time::Duration;

use tests::server_process::{Installation, ServerProcess};
use tokio::time::sleep;

use super::site::{Site, WEB};
use crate::chance::chance;
use crate::extent::{Rounds, by_extent};
use crate::journal::Journal;

/// Each job takes so long that a kill of a worker meets some.
const WORKER: &[&str] = &["work", "--log-delay", "200ms", "--workers", "64"];
/// Of each web process.
const CLIENTS: usize = 6;

/// A process, and how it is started again.
struct Member {
    place: Installation,
    line: &'static [&'static str],
    process: ServerProcess,
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_logged_once_though_webs_and_workers_are_killed() {
    let mut chance = chance("postgres kill");
    let mut rounds = Rounds::begin();
    while rounds.another() {
        let site = Site::alone(&[]).await;
        let journal = Journal::default();
        let mut members: Vec<_> = [WEB, WEB, WORKER, WORKER].into_iter().map(|line| member(&site, line)).collect();
        let webs: Vec<_> = members[..2].iter().map(|web| web.place.client()).collect();
        let mut loads: Vec<_> = webs.iter().map(|web| journal.stubborn_load(web, CLIENTS)).collect();
        for load in &mut loads {
            load.answered(20).await;
        }
        for _ in 0..by_extent(8, 300) {
            let mut member = members.swap_remove(chance.usize(0..members.len()));
            member.process.assert_running();
            member.process.kill().await;
            // The others go on alone for a while, and then beside one that begins.
            sleep(Duration::from_millis(chance.u64(0..300))).await;
            member.process = member.place.launch(member.line);
            members.push(member);
            // Of a process that was just started, some are the first that it answers.
            loads[chance.usize(0..2)].answered_more(chance.u64(0..60)).await;
        }
        for member in &mut members {
            if member.line == WEB {
                member.process.ready().await;
            } else {
                member.process.prints("running jobs as ").await;
            }
        }
        for load in loads {
            load.stop().await;
        }
        assert!(journal.asked_again() > 0, "no kill has met a search that was under way");
        let web = members.iter().find(|member| member.line == WEB).expect("two of them are");
        site.assert_whole(&web.place, &journal).await;
        let lost = "select count(*) from attempt where outcome = 'lost'";
        let lost = site.tables().await.number(lost).await;
        println!(
            "{} searches, {} attempts lost, {} asked again",
            journal.promised().len(),
            lost,
            journal.asked_again()
        );
    }
}

fn member(site: &Site, line: &'static [&'static str]) -> Member {
    let place = site.place();
    let process = place.launch(line);
    Member { place, line, process }
}
