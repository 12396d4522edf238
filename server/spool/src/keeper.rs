//! The thread that owns the file. A thread of its own, because a sick disk can hold a write for
//! minutes, and nothing else shall wait with it.

use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex};

use api::SearchId;
use tokio::sync::{mpsc, oneshot, watch};

use crate::file::{Found, SpoolFile};
use crate::set_aside::SetAside;
use crate::{AppendError, Book, OpenError, Options, Record, State, folder, lock};

/// A batch is bounded so that its first caller does not wait for ever more who came later.
const BATCH_LIMIT: usize = 512;

pub(crate) enum Command {
    Append { record: Record, caller: oneshot::Sender<Result<(), AppendError>> },
    Remove { searches: Vec<SearchId>, caller: oneshot::Sender<()> },
    SetAside { search: SearchId, why: String, caller: oneshot::Sender<()> },
}

pub(crate) struct Keeper {
    file: SpoolFile<File>,
    /// Held as long as anything may be written.
    _lock: File,
    set_aside: SetAside,
    book: Arc<Mutex<Book>>,
    replayed: u64,
    fault: Option<String>,
    /// The last field: who sees it dropped may open the folder again.
    state: watch::Sender<State>,
}

impl Keeper {
    /// Opens the folder and starts the thread, which ends when the last handle is dropped.
    pub(crate) fn start(
        options: Options,
        inbox: mpsc::Receiver<Command>,
        book: Arc<Mutex<Book>>,
    ) -> Result<watch::Receiver<State>, OpenError> {
        let failed = |reason| OpenError::Io { folder: options.folder.clone(), reason };
        let (file, folder_lock) = folder::open(&options)?;
        let (file, found) = SpoolFile::open(file).map_err(failed)?;
        let set_aside = SetAside::open(&options.folder).map_err(failed)?;
        let (state, watched) = watch::channel(State::default());
        let mut keeper = Self { file, _lock: folder_lock, set_aside, book, replayed: 0, fault: None, state };
        keeper.take_in(found).map_err(failed)?;
        keeper.publish();
        std::thread::Builder::new().name("spool".to_owned()).spawn(move || keeper.run(inbox)).map_err(failed)?;
        Ok(watched)
    }

    fn take_in(&mut self, found: Found) -> io::Result<()> {
        let Found { records, gaps, pieces, torn } = found;
        for text in &pieces {
            tracing::error!("a line of the spool is damaged and was set aside");
            self.set_aside.add("the line is damaged", text)?;
        }
        for gap in gaps.iter().filter(|gap| gap.missing() > 0) {
            let why = format!("{} of the lines {:?} are missing", gap.missing(), gap.numbers);
            tracing::error!(why, "searches that were answered may not be in the log: lines of the spool have gone");
            self.set_aside.add(&why, b"")?;
        }
        if let Some(range) = &torn {
            tracing::info!(bytes = range.end - range.start, "the spool's last line was torn by a crash: dropped");
        }
        if torn.is_some() || !gaps.is_empty() {
            self.file.clear(&gaps, torn)?;
        }
        let mut book = lock(&self.book);
        for (number, record) in records {
            if !book.has(record.search) {
                book.add(number, record);
            }
        }
        drop(book);
        self.empty_if_done();
        Ok(())
    }

    fn run(mut self, mut inbox: mpsc::Receiver<Command>) {
        while let Some(first) = inbox.blocking_recv() {
            let mut appends = Vec::new();
            let mut next = Some(first);
            while let Some(Command::Append { record, caller }) = next {
                appends.push((record, caller));
                next = if appends.len() < BATCH_LIMIT { inbox.try_recv().ok() } else { None };
            }
            if !appends.is_empty() {
                self.append(appends);
            }
            match next {
                Some(Command::Remove { searches, caller }) => {
                    self.remove(&searches);
                    let _ = caller.send(());
                }
                Some(Command::SetAside { search, why, caller }) => {
                    self.set_aside(search, &why);
                    let _ = caller.send(());
                }
                Some(Command::Append { .. }) | None => {}
            }
        }
    }

    fn append(&mut self, appends: Vec<(Record, oneshot::Sender<Result<(), AppendError>>)>) {
        let (mut records, mut callers) = (Vec::new(), Vec::new());
        for (record, caller) in appends {
            let is_there =
                lock(&self.book).has(record.search) || records.iter().any(|r: &Record| r.search == record.search);
            if is_there {
                drop(caller.send(Err(AppendError::Exists)));
            } else {
                records.push(record);
                callers.push(caller);
            }
        }
        if records.is_empty() {
            return;
        }
        let answers = self.file.append(&records);
        let failure = answers.iter().find_map(|answer| answer.as_ref().err());
        self.note(failure.map(ToString::to_string));
        let mut book = lock(&self.book);
        let answers: Vec<_> = records
            .into_iter()
            .zip(answers)
            .map(|(record, answer)| answer.map(|number| book.add(number, record)))
            .collect();
        drop(book);
        // In the book and in the state before anybody is told: who looks then finds it.
        self.publish();
        callers.into_iter().zip(answers).for_each(|(caller, answer)| drop(caller.send(answer)));
    }

    fn remove(&mut self, searches: &[SearchId]) {
        let mut book = lock(&self.book);
        self.replayed += searches.iter().filter(|search| book.remove(**search).is_some()).count() as u64;
        drop(book);
        self.empty_if_done();
        self.publish();
    }

    fn set_aside(&mut self, search: SearchId, why: &str) {
        let Some(record) = lock(&self.book).get(search) else { return };
        match self.set_aside.add(why, record.payload.as_bytes()) {
            Ok(()) => {
                tracing::error!(%search, why, "a record of the spool was set aside");
                lock(&self.book).remove(search);
                self.empty_if_done();
            }
            // It stays where it is, and the next replay comes round to it again.
            Err(error) => self.note(Some(error.to_string())),
        }
        self.publish();
    }

    fn empty_if_done(&mut self) {
        if lock(&self.book).len() == 0 && self.file.used_bytes() > 0 {
            let emptied = self.file.empty();
            self.note(emptied.err().map(|error| error.to_string()));
        }
    }

    fn note(&mut self, fault: Option<String>) {
        if let Some(reason) = fault.as_ref().filter(|_| self.fault.is_none()) {
            tracing::error!(reason, "the spool cannot be written to");
        }
        if fault.is_none() && self.fault.is_some() {
            tracing::info!("the spool can be written to again");
        }
        self.fault = fault;
    }

    fn publish(&self) {
        let book = lock(&self.book);
        let state = State {
            records: book.len() as u64,
            used_bytes: self.file.used_bytes(),
            capacity_bytes: self.file.capacity_bytes(),
            oldest_at: book.oldest_at(),
            replayed: self.replayed,
            set_aside: self.set_aside.lines(),
            fault: self.fault.clone(),
        };
        drop(book);
        self.state.send_if_modified(|known| {
            let is_news = *known != state;
            *known = state;
            is_news
        });
    }
}
