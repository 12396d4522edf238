//! The searches that have no answer yet. They outlive the page and its document, and are sent again until the server has
//! answered. Each keeps its id, so the server counts it once.

use std::time::Duration;

use api::SearchId;
use leptos::ev;
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::UrlSearchParams;

use crate::platform::retry::is_transient;
use crate::platform::url;
use crate::search::draft::storage;
use crate::search::submission::{Question, resend_after};
use crate::search::words;
use crate::ui::notice::{Notice, Tone};
use crate::ui::part::part;

/// The most searches that a tab keeps. The longest of them together fit into the storage that browsers allow.
const KEPT_SEARCHES: usize = 20;
/// Its name in the tab's storage.
const NAME: &str = "outbox";

/// Lives as long as the document. The tab's storage has the searches themselves: another document may have changed them.
#[derive(Clone, Copy)]
pub struct Outbox {
    /// The search that the page shows. The page sends it.
    shown: StoredValue<Option<SearchId>>,
    /// How many others wait.
    waiting: RwSignal<usize>,
    /// How many will not be sent any more.
    given_up: RwSignal<usize>,
    /// In place of the storage, where the browser forbids it.
    memory: StoredValue<String>,
    sending: StoredValue<Sending>,
}

#[derive(Default)]
struct Sending {
    is_in_flight: bool,
    failures: u32,
    timer: Option<TimeoutHandle>,
}

impl Outbox {
    /// Begins to send what earlier documents of this tab have left.
    pub fn start() -> Self {
        let outbox = Self {
            shown: StoredValue::new(None),
            waiting: RwSignal::new(0),
            given_up: RwSignal::new(0),
            memory: StoredValue::default(),
            sending: StoredValue::default(),
        };
        let _ = window_event_listener(ev::online, move |_| outbox.send());
        let _ = window_event_listener(ev::pageshow, move |_| outbox.send());
        // By then the page says which search it shows.
        outbox.send_after(Duration::ZERO);
        outbox
    }

    /// Keeps a search until it is answered.
    pub fn keep(self, question: &Question) {
        let mut kept = self.read();
        if kept.iter().all(|known| known.id != question.id) {
            kept.push(question.clone());
            self.write(kept);
        }
    }

    /// The server has answered this search, or refused it for good.
    pub fn settle(self, id: Option<SearchId>) {
        let mut kept = self.read();
        kept.retain(|known| known.id != id);
        self.write(kept);
    }

    /// The page shows this search now. Others that have no answer are sent from here.
    pub fn show(self, id: Option<SearchId>) {
        self.shown.set_value(id);
        self.count(&self.read());
        if self.waiting.get_untracked() > 0 {
            // The previous one may be on its way.
            self.send_after(self.pause());
        }
    }

    fn send(self) {
        let kept = self.read();
        self.count(&kept);
        let shown = self.shown.get_value();
        let is_in_flight = self.sending.with_value(|sending| sending.is_in_flight);
        let Some(question) = kept.into_iter().find(|known| known.id != shown).filter(|_| !is_in_flight) else { return };
        self.stop_timer();
        self.sending.update_value(|sending| sending.is_in_flight = true);
        spawn_local(async move {
            let Question { id, phrase, letters } = question;
            let answer = api::search(phrase, Some(letters), id).await;
            self.sending.update_value(|sending| sending.is_in_flight = false);
            match answer {
                Err(error) if is_transient(error.code) => {
                    self.send_after(self.pause());
                    self.sending.update_value(|sending| sending.failures += 1);
                }
                answer => {
                    if answer.is_err() {
                        self.given_up.update(|given_up| *given_up += 1);
                    }
                    self.sending.update_value(|sending| sending.failures = 0);
                    self.settle(id);
                    self.send();
                }
            }
        });
    }

    fn pause(self) -> Duration {
        resend_after(self.sending.with_value(|sending| sending.failures))
    }

    fn send_after(self, wait: Duration) {
        self.stop_timer();
        let timer = set_timeout_with_handle(move || self.send(), wait).ok();
        self.sending.update_value(|sending| sending.timer = timer);
    }

    fn stop_timer(self) {
        if let Some(timer) = self.sending.try_update_value(|sending| sending.timer.take()).flatten() {
            timer.clear();
        }
    }

    fn read(self) -> Vec<Question> {
        let kept = match storage() {
            Some(storage) => storage.get_item(NAME).ok().flatten().unwrap_or_default(),
            None => self.memory.get_value(),
        };
        kept.lines().filter_map(parse).collect()
    }

    /// Gives the oldest searches up if there are too many, or if the storage is full.
    fn write(self, mut kept: Vec<Question>) {
        let mut given_up = drop_oldest(&mut kept);
        while !self.is_written(&kept) && !kept.is_empty() {
            kept.remove(0);
            given_up += 1;
        }
        if given_up > 0 {
            self.given_up.update(|known| *known += given_up);
        }
        self.count(&kept);
    }

    fn is_written(self, kept: &[Question]) -> bool {
        let lines = kept.iter().map(line).collect::<Vec<_>>().join("\n");
        match storage() {
            Some(storage) => storage.set_item(NAME, &lines).is_ok(),
            None => {
                self.memory.set_value(lines);
                true
            }
        }
    }

    fn count(self, kept: &[Question]) {
        let shown = self.shown.get_value();
        self.waiting.set(kept.iter().filter(|known| known.id != shown).count());
    }
}

/// How many were dropped.
fn drop_oldest(kept: &mut Vec<Question>) -> usize {
    let excess = kept.len().saturating_sub(KEPT_SEARCHES);
    kept.drain(..excess).count()
}

fn line(Question { id, phrase, letters }: &Question) -> String {
    let id = id.map(|id| id.to_string());
    url::with_query("", &[("id", id.as_deref()), ("phrase", Some(phrase)), ("letters", Some(letters))])
}

fn parse(line: &str) -> Option<Question> {
    let fields = UrlSearchParams::new_with_str(line).ok()?;
    let id = fields.get("id")?.parse().ok()?;
    Some(Question { id: Some(id), phrase: fields.get("phrase")?, letters: fields.get("letters")? })
}

/// Says how many earlier searches wait, and how many were given up.
#[component]
pub fn OutboxNotice(outbox: Outbox) -> impl IntoView {
    let notice = |searches: usize, tone, text: &str| {
        let text = || format!("{} {text}", words::earlier_searches(searches));
        (searches > 0).then(|| view! { <Notice tone text=text() /> }.into_any())
    };
    view! {
        {part(move || notice(outbox.waiting.get(), Tone::Info, words::EARLIER_WAIT))}
        {part(move || notice(outbox.given_up.get(), Tone::Warning, words::EARLIER_GIVEN_UP))}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_searches_push_out_the_oldest() {
        let question = |id| Question { id: Some(SearchId(id)), phrase: String::new(), letters: String::new() };
        let mut kept: Vec<_> = (0..22).map(question).collect();
        assert_eq!(drop_oldest(&mut kept), 2);
        assert_eq!(kept.first(), Some(&question(2)));
        assert_eq!((kept.len(), drop_oldest(&mut kept)), (20, 0));
    }

    #[test]
    fn a_search_is_one_line() {
        let question = Question { id: Some(SearchId(7)), phrase: "a\nb\r&c".to_owned(), letters: "=".to_owned() };
        assert_eq!(line(&question), "?id=00000000000000000000000007&phrase=a%0Ab%0D%26c&letters=%3D");
    }
}
