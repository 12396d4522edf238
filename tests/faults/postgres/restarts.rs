//! Processes, database servers and connections are killed repeatedly under load.

use std::time::Duration;

use api::Recorded;
use tests::server_process::{Installation, ServerProcess};
use tests::workload::{Rounds, seeded_rng, usual_or_long};
use tokio::time::sleep;

use crate::client_log::{ClientLog, LatencyBaseline};
use crate::postgres::live_log::Reader;
use crate::postgres::{Deployment, WEB};
use crate::verdict::{administrator, ready};

/// Jobs take long enough that a killed worker was running some.
const WORKER: &[&str] = &["work", "--log-delay", "200ms", "--workers", "64"];
/// The clients of each web process.
const CLIENTS: usize = 6;

/// A process, and the arguments for restarting it.
struct Member {
    installation: Installation,
    line: &'static [&'static str],
    process: ServerProcess,
}

#[tokio::test(flavor = "multi_thread")]
async fn answered_searches_are_logged_once_although_processes_are_killed() {
    let mut random = seeded_rng("postgres kill");
    let mut rounds = Rounds::begin();
    while rounds.another() {
        let deployment = Deployment::alone(&[]).await;
        let client_log = ClientLog::default();
        let mut members: Vec<_> =
            [WEB, WEB, WORKER, WORKER].into_iter().map(|line| member(&deployment, line)).collect();
        let webs: Vec<_> = members[..2].iter().map(|web| web.installation.client()).collect();
        let mut loads: Vec<_> = webs.iter().map(|web| client_log.retrying_load(web, CLIENTS)).collect();
        for load in &mut loads {
            load.answered(20).await;
        }
        for _ in 0..usual_or_long(8, 300) {
            let mut member = members.swap_remove(random.usize(0..members.len()));
            member.process.assert_running();
            member.process.kill().await;
            // The others continue alone for a while, then beside a starting process.
            sleep(Duration::from_millis(random.u64(0..300))).await;
            member.process = member.installation.launch(member.line);
            members.push(member);
            // Some of these are the first answers of a process that has just started.
            loads[random.usize(0..2)].answered_more(random.u64(0..60)).await;
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
        assert!(client_log.repeated() > 0, "no kill interrupted a search");
        let web = members.iter().find(|member| member.line == WEB).expect("two members are web processes");
        deployment.assert_complete(&web.installation, &client_log).await;
        let lost = "select count(*) from attempt where outcome = 'lost'";
        let lost = deployment.tables().await.number(lost).await;
        println!(
            "{} searches, {} attempts lost, {} asked again",
            client_log.promised().len(),
            lost,
            client_log.repeated()
        );
    }
}

fn member(deployment: &Deployment, line: &'static [&'static str]) -> Member {
    let installation = deployment.installation();
    let process = installation.launch(line);
    Member { installation, line, process }
}

const RESTART_CLIENTS: usize = 4;
const FAST_WORKER: &[&str] = &["--log-delay", "20ms"];

#[tokio::test(flavor = "multi_thread")]
async fn a_crashing_database_server_delays_no_search_and_loses_nothing() {
    let mut random = seeded_rng("postgres restart");
    let deployment = Deployment::alone(&[]).await;
    let client_log = ClientLog::default();
    let (at_web, at_worker) = (deployment.installation(), deployment.installation());
    let web = at_web.start(WEB).await;
    let mut worker = at_worker.start_worker(FAST_WORKER).await;
    let reader = Reader::begin(&administrator(&at_web).await);
    let baseline = LatencyBaseline::measure(&at_web);
    let mut load = client_log.load(&web.client(), RESTART_CLIENTS);
    for _ in 0..usual_or_long(3, 40) {
        load.answered_more(random.u64(1..200)).await;
        deployment.cluster().stop_immediately().await;
        client_log.counts_more(Recorded::Spooled, 20).await;
        sleep(Duration::from_millis(random.u64(0..1_500))).await;
        deployment.cluster().start().await;
        client_log.counts_more(Recorded::Accepted, 20).await;
    }
    load.stop().await;
    baseline.assert_no_client_waited(&client_log);
    assert_eq!(client_log.count(Recorded::NotRecorded), 0);
    ready(&web.client()).await;
    worker.assert_running();
    deployment.assert_complete(&at_web, &client_log).await;
    reader.has_read_all(&mut deployment.tables().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_terminated_one_by_one_lose_nothing() {
    let deployment = Deployment::new().await;
    let client_log = ClientLog::default();
    let (at_web, at_worker) = (deployment.installation(), deployment.installation());
    let web = at_web.start(WEB).await;
    let mut worker = at_worker.start_worker(FAST_WORKER).await;
    let reader = Reader::begin(&administrator(&at_web).await);
    let mut load = client_log.load(&web.client(), RESTART_CLIENTS);
    load.answered(50).await;
    let backends = format!(
        "select pid::bigint from pg_stat_activity where datname = '{}' and application_name like 'search4letters%'",
        deployment.database().name()
    );
    let mut administrator = deployment.tables().await;
    let mut ended = 0;
    for _ in 0..usual_or_long(3, 30) {
        // Includes the listening connections.
        for pid in administrator.numbers(&backends).await {
            administrator.text(&format!("select pg_terminate_backend({pid})::text")).await;
            ended += 1;
            load.answered_more(5).await;
        }
        deployment.database().terminate_backends().await;
        administrator = deployment.tables().await;
        load.answered_more(50).await;
    }
    println!("{ended} connections ended one by one");
    assert!(ended >= 6, "two pools and two listening connections were to be terminated");
    load.stop().await;
    assert_eq!(client_log.count(Recorded::NotRecorded), 0);
    ready(&web.client()).await;
    worker.assert_running();
    deployment.assert_complete(&at_web, &client_log).await;
    reader.has_read_all(&mut deployment.tables().await).await;
}
