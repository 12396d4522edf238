//! One of the three searches, from its question to its row, or to the moment at which there will be none any more.

use std::time::Duration;

use api::{LabFact, Lane, LaneStep, Recorded, SearchAnswer, SearchId};
use lab::EventSink;
use tokio::time::{Instant, sleep};

use super::super::sandbox::{AWAITED, BARE_TASK, Client, PATIENCE, Place, Process, Question};

/// The original's example.
const PHRASE: &str = "life, the universe, and everything!";
const LETTERS: &str = "eiru,!";

/// A row that nobody is left to write is waited for this long beyond the write's delay.
const MARGIN: Duration = Duration::from_secs(1);
/// A visitor who has the answer looks at it for so long before the process is killed; less where the write would be
/// done by then.
const LOOK: Duration = Duration::from_secs(1);

pub(super) struct Runner<'a> {
    pub(super) place: &'a Place,
    /// How long the write takes.
    pub(super) delay: Duration,
    pub(super) tell: &'a EventSink,
}

pub(super) struct Outcome {
    /// The one that runs now.
    pub(super) process: Process,
    /// From the question on.
    pub(super) took: Duration,
    pub(super) is_row_there: bool,
}

impl Runner<'_> {
    pub(super) async fn run(&self, lane: Lane) -> Result<Outcome, String> {
        let (name, id) = match lane {
            Lane::Awaited => ("awaited", 1),
            Lane::BareTask => ("bare-task", 2),
            Lane::Job => ("job", 3),
        };
        let search = SearchId::from_parts(0, id);
        let mut process = self.place.start(name, self.delay).await?;
        let began = Instant::now();
        let is_row_there = if lane == Lane::Awaited {
            let client = process.client();
            // The row is there a moment before the visitor hears of it.
            let (answered, is_row_there) =
                tokio::join!(self.ask(lane, client, search), self.see_row(lane, client, search));
            answered?;
            is_row_there?
        } else {
            self.ask(lane, process.client(), search).await?;
            sleep(LOOK.min(self.delay / 3)).await;
            process.kill().await?;
            self.emit(lane, LaneStep::Killed);
            process = self.place.start(name, self.delay).await?;
            self.emit(lane, LaneStep::Restarted);
            self.see_row(lane, process.client(), search).await?
        };
        Ok(Outcome { process, took: began.elapsed(), is_row_there })
    }

    async fn ask(&self, lane: Lane, client: Client, id: SearchId) -> Result<(), String> {
        let question = Question { id, phrase: PHRASE.to_owned(), letters: LETTERS.to_owned() };
        let patience = self.delay + PATIENCE;
        self.emit(lane, LaneStep::Sent);
        match lane {
            Lane::Awaited => drop(client.post_json::<String>(AWAITED, &question, patience).await?),
            Lane::BareTask => drop(client.post_json::<String>(BARE_TASK, &question, patience).await?),
            Lane::Job => {
                let fields = [("id", &*id.to_string()), ("phrase", PHRASE), ("letters", LETTERS)];
                let answer: SearchAnswer = client.post_form("/api/search", &fields, patience).await?;
                if !matches!(answer.recorded, Recorded::Accepted | Recorded::Spooled) {
                    return Err("the sandbox could not record a search".to_owned());
                }
            }
        }
        self.emit(lane, LaneStep::Answered);
        Ok(())
    }

    /// Whether the row is there, once it is, or once the time has passed in which it must have come. A process that
    /// has ended, or whose log cannot be read, says neither.
    async fn see_row(&self, lane: Lane, client: Client, search: SearchId) -> Result<bool, String> {
        let wait = self.delay + if lane == Lane::BareTask { MARGIN } else { PATIENCE };
        let recorded = client.searches_in_log(search, wait).await?;
        let is_there = match &recorded[..] {
            [] => false,
            [only] if *only == search => true,
            _ => return Err(format!("the log holds other searches than the one that was sent: {recorded:?}")),
        };
        self.emit(lane, if is_there { LaneStep::RowThere } else { LaneStep::RowGone });
        Ok(is_there)
    }

    fn emit(&self, lane: Lane, step: LaneStep) {
        self.tell.emit(LabFact::Lane { lane, step });
    }
}
