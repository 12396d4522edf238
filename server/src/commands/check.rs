//! `check`: what is wrong with the setup, and how to mend it.

use std::net::SocketAddr;
use std::path::Path;

use spool::Look;
use store::Store;
use tokio::net::TcpListener;

use crate::http::has_client;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    Good(String),
    /// What is wrong, with the way to mend it.
    Wrong(String),
}

/// Looks at everything but the opening of the store, which is the caller's.
pub async fn check(store: Option<&dyn Store>, spool_folder: &Path, listen: SocketAddr) -> Vec<Finding> {
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
    findings.push(spool(spool_folder));
    findings.push(match TcpListener::bind(listen).await {
        Ok(_) => Finding::Good(format!("{listen} is free to listen on")),
        Err(error) => Finding::Wrong(format!(
            "{listen} cannot be listened on ({error}): if it is not our own server, choose another --listen"
        )),
    });
    findings.push(if has_client() {
        Finding::Good("the client is in this binary".to_owned())
    } else {
        Finding::Wrong("this binary carries no client: build it with `cargo xtask run`".to_owned())
    });
    findings
}

fn spool(folder: &Path) -> Finding {
    match spool::look(folder) {
        Ok(None) => Finding::Good(format!("{} has no spool yet; the first start makes it", folder.display())),
        Ok(Some(Look { gaps: 0, set_aside: 0, records })) => {
            Finding::Good(format!("the spool is sound and holds {records} records for the database"))
        }
        Ok(Some(Look { gaps: 0, set_aside, .. })) => Finding::Wrong(format!(
            "{set_aside} records were set aside in {}: look into the file, deal with it, and move it away",
            spool::set_aside_file(folder).display()
        )),
        Ok(Some(Look { gaps, .. })) => Finding::Wrong(format!(
            "the spool in {} is damaged in {gaps} places; the next start sets aside what cannot be read",
            folder.display()
        )),
        Err(error) => Finding::Wrong(format!("the spool in {} cannot be read: {error}", folder.display())),
    }
}
