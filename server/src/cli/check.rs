//! `check`: what is wrong with the setup, and how to fix it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

use spool::Inspection;
use store::{Clock, RetryingSearch, Store};
use tokio::net::TcpListener;

use super::running_server::readiness;
use crate::platform::assets::has_client;
use crate::platform::output::{PrintError, print};
use crate::system::{disk, worker_state};

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    Good(String),
    /// What lies outside and may break a promise, and what to do about it.
    Noted(String),
    /// What is wrong, and how to fix it.
    Wrong(String),
}

/// Prints the findings. Fails if one of them is wrong.
pub fn print_findings(findings: &[Finding]) -> Result<ExitCode, PrintError> {
    for finding in findings {
        let (mark, text) = match finding {
            Finding::Good(text) => ("ok   ", text),
            Finding::Noted(text) => ("note ", text),
            Finding::Wrong(text) => ("WRONG", text),
        };
        print(&format!("{mark}  {text}\n"))?;
    }
    let is_wrong = findings.iter().any(|finding| matches!(finding, Finding::Wrong(_)));
    Ok(if is_wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Checks everything except whether the store opens, which the caller has checked.
pub async fn check(
    store: Option<&dyn Store>,
    spool_folder: &Path,
    listen: SocketAddr,
    clock: &dyn Clock,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(store) = store {
        findings.push(match store.ping().await {
            Ok(()) => Finding::Good("the database answers".to_owned()),
            Err(error) => Finding::Wrong(error.to_string()),
        });
        findings.push(match store.has_accounts().await {
            Ok(true) => Finding::Good("there is an administrator".to_owned()),
            Ok(false) => Finding::Good(
                "there is no administrator yet: the server prints a link when it starts, and so does \
                 `search4letters admin link`"
                    .to_owned(),
            ),
            Err(error) => Finding::Wrong(error.to_string()),
        });
        findings.push(match store.ledger().await {
            Ok(ledger) if ledger.drift() == 0 => {
                Finding::Good(format!("the ledger adds up: {} searches were accepted", ledger.accepted))
            }
            Ok(ledger) => Finding::Wrong(format!(
                "the ledger does not add up: its drift is {}; the page /system lists the searches concerned",
                ledger.drift()
            )),
            Err(error) => Finding::Wrong(error.to_string()),
        });
    }
    let said_by_server = readiness(listen).await;
    findings.extend(spool(spool_folder, said_by_server.as_ref().map(|_| listen)));
    match said_by_server {
        Some(lines) => findings.extend(lines.into_iter().map(|line| said(listen, line))),
        None => {
            findings.extend(without_server(store, spool_folder, clock).await);
            findings.extend(nobody(listen).await);
        }
    }
    findings.push(if has_client() {
        Finding::Good("the client is in this binary".to_owned())
    } else {
        Finding::Wrong("this binary carries no client: build it with `cargo xtask run`".to_owned())
    });
    findings
}

/// A line of a running server's `/readyz`.
fn said(listen: SocketAddr, line: String) -> Finding {
    match line.as_str() {
        "ready" => Finding::Good(format!("a server of ours runs at {listen} and is ready")),
        _ => Finding::Wrong(format!("the server at {listen} says: {line}")),
    }
}

/// Whether the address is free for a server.
async fn nobody(listen: SocketAddr) -> [Finding; 2] {
    let address = match TcpListener::bind(listen).await {
        Ok(_) => Finding::Good(format!("{listen} is free to listen on")),
        Err(error) => Finding::Wrong(format!(
            "{listen} cannot be listened on ({error}), and no server of ours answers there: choose another --listen"
        )),
    };
    let unseen = Finding::Noted(format!(
        "no server of ours answers at {listen}, so this was not looked at: whether a search passes the whole queue, what \
         proxies send, and whether log lines are lost. If a server runs elsewhere, give its --listen"
    ));
    [address, unseen]
}

/// What the database and the data folder show of a server that does not run.
async fn without_server(store: Option<&dyn Store>, spool_folder: &Path, clock: &dyn Clock) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(store) = store {
        match jobs(store, clock).await {
            Ok(found) => findings.extend(found),
            Err(error) => findings.push(Finding::Wrong(error.to_string())),
        }
    }
    // Before the first start there is no spool.
    let folder = spool_folder.ancestors().find(|folder| folder.exists());
    if let Some(disk) = folder.and_then(|folder| disk(folder, 0)) {
        let mebibytes = disk.free_bytes >> 20;
        findings.push(if disk.is_nearly_full() {
            Finding::Wrong(format!(
                "the disk of the data folder has {mebibytes} MiB left: free some, or move the folder to a larger disk"
            ))
        } else {
            Finding::Good(format!("the disk of the data folder has {mebibytes} MiB left"))
        });
    }
    findings
}

async fn jobs(store: &dyn Store, clock: &dyn Clock) -> store::Result<Vec<Finding>> {
    let (counts, oldest, kinds) = tokio::try_join!(store.job_counts(), store.oldest_waiting(), store.kinds())?;
    let mut findings = vec![match counts.dead {
        0 => Finding::Good("no job is dead".to_owned()),
        dead => {
            Finding::Wrong(format!("dead jobs: {dead}; see why on the page /jobs?state=dead, and retry or cancel them"))
        }
    }];
    if let Some(RetryingSearch { attempts, error }) = store.oldest_retrying_search().await? {
        findings.push(Finding::Noted(format!(
            "writing the oldest search that waits for another attempt has failed {attempts} times: {error}"
        )));
    }
    let paused: Vec<_> = kinds.into_iter().filter(|kind| kind.paused).map(|kind| kind.kind).collect();
    if !paused.is_empty() {
        findings.push(Finding::Wrong(format!("paused: {}; resume them on the page /jobs", paused.join(", "))));
    }
    let waiting = counts.waiting + counts.running + counts.scheduled + counts.retrying;
    if waiting > 0 {
        let age = oldest.map_or(0, |oldest| clock.wall().since(oldest) / 1_000);
        let text = format!("jobs to do: {waiting}, the oldest waits for {age} s; a server or a worker runs them");
        findings.push(Finding::Noted(text));
    }
    if store.is_shared() {
        let now = store.time().await?.unwrap_or_else(|| clock.steady());
        let workers = store.workers().await?.into_iter().map(|worker| worker_state(worker, now, clock.wall()));
        let (silent, heard): (Vec<_>, Vec<_>) = workers.partition(|worker| worker.is_silent);
        findings.push(Finding::Noted(format!("workers that run jobs: {}; silent: {}", heard.len(), silent.len())));
    }
    Ok(findings)
}

/// Facts about a database server.
#[derive(Clone, Debug)]
pub struct ServerFacts {
    /// Whether notifications through the server reach other processes.
    pub do_notifications_arrive: bool,
    /// What sets the lowest limit on connections, for instance a role.
    pub connections_holder: String,
    /// How that limit is raised.
    pub connections_remedy: String,
    pub connections_limit: u32,
    pub connections_in_use: u32,
    /// The most connections that this process opens.
    pub connections_ours: u32,
    /// How far this machine's clock is ahead of the server's.
    pub clock_ahead_ms: i64,
}

/// Network delays and time servers cause smaller differences: beyond this, a clock is wrong.
const SKEW_LIMIT_MS: i64 = 1_000;

/// Checks that apply only to a database server.
pub fn check_server(facts: ServerFacts) -> Vec<Finding> {
    let ServerFacts { connections_limit: limit, connections_in_use: in_use, connections_ours: ours, .. } = facts;
    let (holder, remedy) = (&facts.connections_holder, &facts.connections_remedy);
    let ahead_ms = facts.clock_ahead_ms;
    vec![
        if facts.do_notifications_arrive {
            Finding::Good("processes hear each other: LISTEN and NOTIFY work".to_owned())
        } else {
            Finding::Wrong(
                "what one process notifies no other hears, so that everybody has to look each second: if a pooler of \
                 transactions stands between, give a direct connection with --database-listen-url"
                    .to_owned(),
            )
        },
        if ours <= limit {
            Finding::Good(format!(
                "{holder} takes {limit} connections, of which {in_use} are in use; a process opens at most {ours}"
            ))
        } else {
            Finding::Wrong(format!(
                "{holder} takes {limit} connections, and this process may want {ours}: lower --database-connections, or \
                 {remedy}"
            ))
        },
        if ahead_ms.abs() < SKEW_LIMIT_MS {
            Finding::Good("this machine's clock and the database's agree".to_owned())
        } else {
            Finding::Wrong(format!(
                "this machine's clock is {} s {} the database's: no job minds, but the times that people read are \
                 wrong; set both by a time server",
                ahead_ms.abs() / 1_000,
                if ahead_ms > 0 { "ahead of" } else { "behind" }
            ))
        },
    ]
}

/// `server` is where a server of ours answers.
fn spool(folder: &Path, server: Option<SocketAddr>) -> Vec<Finding> {
    let inspected = spool::inspect(folder);
    let risk = inspected.as_ref().ok().and_then(|inspection| inspection.as_ref()?.risk);
    let risk = risk.map(|risk| Finding::Noted(format!("the spool in {}: {}", folder.display(), risk.text())));
    let state = match inspected {
        Ok(None) if let Some(server) = server => Finding::Noted(format!(
            "{} has no spool. If the server at {server} uses this folder, put the spool back, or restart the server",
            folder.display()
        )),
        Ok(None) => Finding::Good(format!("{} has no spool yet; the first start makes it", folder.display())),
        Ok(Some(Inspection { gaps: 0, quarantined: 0, records, .. })) => {
            Finding::Good(format!("the spool is sound and holds {records} records for the database"))
        }
        Ok(Some(Inspection { gaps: 0, quarantined, .. })) => Finding::Wrong(format!(
            "{quarantined} records were set aside in {}: look into the file, deal with it, and move it away",
            spool::quarantine_file(folder).display()
        )),
        Ok(Some(Inspection { gaps, .. })) => Finding::Wrong(format!(
            "the spool in {} is damaged in {gaps} places; the next start sets aside what cannot be read",
            folder.display()
        )),
        Err(error) => Finding::Wrong(format!("the spool in {} cannot be read: {error}", folder.display())),
    };
    [Some(state), risk].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(change: impl FnOnce(&mut ServerFacts)) -> Vec<String> {
        let mut facts = ServerFacts {
            do_notifications_arrive: true,
            connections_holder: "the role app".to_owned(),
            connections_remedy: "run `alter role`".to_owned(),
            connections_limit: 97,
            connections_in_use: 12,
            connections_ours: 11,
            clock_ahead_ms: -20,
        };
        change(&mut facts);
        let wrong = |finding| match finding {
            Finding::Good(_) | Finding::Noted(_) => None,
            Finding::Wrong(text) => Some(text),
        };
        check_server(facts).into_iter().filter_map(wrong).collect()
    }

    #[test]
    fn each_fault_of_a_server_is_reported_with_its_remedy() {
        assert_eq!(wrong(|_| ()), Vec::<String>::new());
        for (texts, remedy) in [
            (wrong(|facts| facts.do_notifications_arrive = false), "--database-listen-url"),
            (wrong(|facts| facts.connections_ours = 98), "the role app takes 97 connections"),
            (wrong(|facts| facts.connections_ours = 98), "lower --database-connections, or run `alter role`"),
            (wrong(|facts| facts.clock_ahead_ms = 7_200_000), "7200 s ahead of"),
            (wrong(|facts| facts.clock_ahead_ms = -2_000), "2 s behind"),
        ] {
            assert!(texts.len() == 1 && texts[0].contains(remedy), "{texts:?}");
        }
    }
}
