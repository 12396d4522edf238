//! The thread that owns the files. A failing disk can block a write for minutes, which must not block anything else.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::{SearchId, TimeMs};
use tokio::sync::{mpsc, oneshot, watch};

use crate::file::{Recovered, SpoolFile};
use crate::folder::{self, Opened, Place, Quarantine};
use crate::{AppendError, OpenError, Options, Record, State};

/// The most appends in one write, so that the first caller does not wait for ever more later ones.
const BATCH_LIMIT: usize = 512;

type AppendReply = oneshot::Sender<Result<(), AppendError>>;

pub(crate) enum Command {
    Append { record: Record, reply: AppendReply },
    Remove { searches: Vec<SearchId>, reply: oneshot::Sender<()> },
    Quarantine { search: SearchId, why: String, reply: oneshot::Sender<()> },
}

/// The records in the file by line number, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Index {
    records: BTreeMap<u64, Arc<Record>>,
    numbers: HashMap<SearchId, u64>,
}

impl Index {
    fn add(&mut self, number: u64, record: Record) {
        self.numbers.insert(record.search, number);
        self.records.insert(number, Arc::new(record));
    }

    pub(crate) fn get(&self, search: SearchId) -> Option<Arc<Record>> {
        self.numbers.get(&search).and_then(|number| self.records.get(number)).cloned()
    }

    pub(crate) fn oldest(&self, limit: usize) -> Vec<Arc<Record>> {
        self.records.values().take(limit).cloned().collect()
    }

    fn contains(&self, search: SearchId) -> bool {
        self.numbers.contains_key(&search)
    }

    fn remove(&mut self, search: SearchId) -> Option<Arc<Record>> {
        self.records.remove(&self.numbers.remove(&search)?)
    }

    fn oldest_at(&self) -> Option<TimeMs> {
        self.records.values().next().map(|record| record.searched_at)
    }
}

/// No code panics while it holds the lock, so the index is valid even if the lock is poisoned.
pub(crate) fn lock(index: &Mutex<Index>) -> MutexGuard<'_, Index> {
    index.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) struct WriterThread {
    file: SpoolFile<File>,
    place: Arc<Place>,
    /// Held while anything may be written.
    _lock: File,
    quarantine: Quarantine,
    index: Arc<Mutex<Index>>,
    replayed: u64,
    fault: Option<String>,
    /// The last field, so that it is dropped after the lock: a watcher that sees it close may open the folder again.
    state: watch::Sender<State>,
}

impl WriterThread {
    /// Opens the folder and starts the thread. It ends when the last handle is dropped. Returns the state that it keeps,
    /// and where its file is.
    pub(crate) fn start(
        options: &Options,
        inbox: mpsc::Receiver<Command>,
        index: Arc<Mutex<Index>>,
    ) -> Result<(watch::Receiver<State>, Arc<Place>), OpenError> {
        let failed = |reason| OpenError::Io { folder: options.folder.clone(), reason };
        let Opened { file, place, lock: folder_lock } = folder::open(options)?;
        let (file, recovered) = SpoolFile::open(file).map_err(failed)?;
        let quarantine = Quarantine::open(&options.folder).map_err(failed)?;
        let (state, watched) = watch::channel(State::default());
        let (place, lock) = (Arc::new(place), folder_lock);
        let mut thread =
            Self { file, place: place.clone(), _lock: lock, quarantine, index, replayed: 0, fault: None, state };
        thread.recover(recovered).map_err(failed)?;
        thread.publish();
        std::thread::Builder::new().name("spool".to_owned()).spawn(move || thread.run(inbox)).map_err(failed)?;
        Ok((watched, place))
    }

    /// Quarantines damaged bytes, then overwrites them in the file.
    fn recover(&mut self, recovered: Recovered) -> io::Result<()> {
        let Recovered { records, gaps, damaged, torn } = recovered;
        for text in &damaged {
            tracing::error!("a line of the spool is damaged and was quarantined");
            self.quarantine.add("the line is damaged", text)?;
        }
        for gap in gaps.iter().filter(|gap| gap.missing() > 0) {
            let why = format!("{} of the lines {:?} are missing", gap.missing(), gap.numbers);
            tracing::error!(why, "answered searches may be missing in the log: lines of the spool are missing");
            self.quarantine.add(&why, b"")?;
        }
        if let Some(range) = &torn {
            tracing::info!(bytes = range.end - range.start, "the spool's last line was torn by a crash: dropped");
        }
        if torn.is_some() || !gaps.is_empty() {
            self.file.clear(&gaps, torn)?;
        }
        let mut index = lock(&self.index);
        for (number, record) in records {
            if !index.contains(record.search) {
                index.add(number, record);
            }
        }
        drop(index);
        self.empty_if_done();
        Ok(())
    }

    fn run(mut self, mut inbox: mpsc::Receiver<Command>) {
        while let Some(first) = inbox.blocking_recv() {
            let mut appends = Vec::new();
            let mut next = Some(first);
            while let Some(Command::Append { record, reply }) = next {
                appends.push((record, reply));
                next = if appends.len() < BATCH_LIMIT { inbox.try_recv().ok() } else { None };
            }
            if !appends.is_empty() {
                self.append(appends);
            }
            match next {
                Some(Command::Remove { searches, reply }) => {
                    self.remove(&searches);
                    let _ = reply.send(());
                }
                Some(Command::Quarantine { search, why, reply }) => {
                    self.quarantine(search, &why);
                    let _ = reply.send(());
                }
                Some(Command::Append { .. }) | None => {}
            }
        }
    }

    fn append(&mut self, appends: Vec<(Record, AppendReply)>) {
        let (mut records, mut replies): (Vec<Record>, Vec<AppendReply>) = Default::default();
        for (record, reply) in appends {
            let exists = lock(&self.index).contains(record.search) || records.iter().any(|r| r.search == record.search);
            if exists {
                drop(reply.send(Err(AppendError::Exists)));
            } else {
                records.push(record);
                replies.push(reply);
            }
        }
        if records.is_empty() {
            return;
        }
        let outcomes = match self.place.check() {
            Ok(()) => self.file.append(&records),
            Err(error) => vec![Err(AppendError::Io { reason: error.to_string() }); records.len()],
        };
        let failure = outcomes.iter().find_map(|outcome| outcome.as_ref().err());
        self.set_fault(failure.map(ToString::to_string));
        let mut index = lock(&self.index);
        let outcomes: Vec<_> = records
            .into_iter()
            .zip(outcomes)
            .map(|(record, outcome)| outcome.map(|number| index.add(number, record)))
            .collect();
        drop(index);
        // Before the replies: a caller that has its reply must find its record in the index and the state.
        self.publish();
        replies.into_iter().zip(outcomes).for_each(|(reply, outcome)| drop(reply.send(outcome)));
    }

    fn remove(&mut self, searches: &[SearchId]) {
        let mut index = lock(&self.index);
        self.replayed += searches.iter().filter(|search| index.remove(**search).is_some()).count() as u64;
        drop(index);
        self.empty_if_done();
        self.publish();
    }

    fn quarantine(&mut self, search: SearchId, why: &str) {
        let Some(record) = lock(&self.index).get(search) else { return };
        match self.quarantine.add(why, record.payload.as_bytes()) {
            Ok(()) => {
                tracing::error!(%search, why, "a record of the spool was quarantined");
                lock(&self.index).remove(search);
                self.empty_if_done();
            }
            // The record stays in the spool, and the next replay retries it.
            Err(error) => self.set_fault(Some(error.to_string())),
        }
        self.publish();
    }

    fn empty_if_done(&mut self) {
        if lock(&self.index).records.is_empty() && self.file.used_bytes() > 0 {
            let emptied = self.file.empty();
            self.set_fault(emptied.err().map(|error| error.to_string()));
        }
    }

    /// Logs only the changes between working and failing.
    fn set_fault(&mut self, fault: Option<String>) {
        match (&self.fault, &fault) {
            (None, Some(reason)) => tracing::error!(reason, "the spool cannot be written to"),
            (Some(_), None) => tracing::info!("the spool can be written to again"),
            _ => {}
        }
        self.fault = fault;
    }

    fn publish(&self) {
        let index = lock(&self.index);
        let state = State {
            records: index.records.len() as u64,
            used_bytes: self.file.used_bytes(),
            capacity_bytes: self.file.capacity_bytes(),
            oldest_at: index.oldest_at(),
            replayed: self.replayed,
            quarantined: self.quarantine.lines(),
            fault: self.fault.clone(),
        };
        drop(index);
        self.state.send_if_modified(|known| std::mem::replace(known, state) != *known);
    }
}
