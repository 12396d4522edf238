//! A site at work: a process that serves, one that runs jobs, and somebody who searches.

use api::Recorded;
use tests::http_client::HttpClient;
use tests::server_process::{Installation, ServerProcess};

use super::site::{Site, WEB};
use crate::journal::Journal;
use crate::load::Load;
use crate::verdict::{administrator, ready};
use crate::yardstick::Yardstick;

pub(super) struct Running {
    pub(super) web: ServerProcess,
    pub(super) at_web: Installation,
    pub(super) load: Load,
    pub(super) administrator: HttpClient,
    worker: ServerProcess,
    _at_worker: Installation,
    journal: Journal,
    yardstick: Yardstick,
    pub(super) site: Site,
}

impl Running {
    pub(super) async fn start() -> Self {
        let site = Site::new().await;
        let (at_web, at_worker) = (site.place(), site.place());
        let web = at_web.start(WEB).await;
        let worker = at_worker.start_worker(&[]).await;
        let administrator = administrator(&at_web).await;
        let journal = Journal::default();
        let yardstick = Yardstick::hold_to(&at_web);
        let mut load = journal.load(&web.client(), 1);
        load.answered(50).await;
        Self { web, at_web, load, administrator, worker, _at_worker: at_worker, journal, yardstick, site }
    }

    /// Waits until all is well again. Panics if anybody was kept waiting, or anything is lost or there twice.
    pub(super) async fn recovers(mut self) {
        ready(&self.web.client()).await;
        self.journal.counts_more(Recorded::Accepted, 20).await;
        self.load.stop().await;
        self.yardstick.assert_nobody_waited(&self.journal);
        assert_eq!(self.journal.count(Recorded::NotRecorded), 0);
        self.worker.assert_running();
        self.site.assert_whole(&self.at_web, &self.journal).await;
    }
}
