//! The windows of this browser that have a stream open. Browsers allow six connections to a server over HTTP/1.1 for all
//! of them together: with six streams, nothing else would load.

use std::cell::{Cell, RefCell};

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{BroadcastChannel, MessageEvent};

use crate::platform::time;

/// How many windows have a stream at once. The others leave three connections: two exports and a page load at once.
const LIVE_WINDOWS: usize = 3;
/// How often a window repeats its claim.
const RENEW_MS: f64 = 5_000.0;
/// A claim that is not repeated for so long is that of a window that is gone: browsers do not say when one crashes.
const CLAIM_MS: f64 = 20_000.0;

/// Each window tells the others that it has a stream. The windows that have opened theirs last keep it.
pub struct Windows {
    /// Absent in browsers that do not have channels.
    channel: Option<BroadcastChannel>,
    id: String,
    /// This window's claim: when it has opened its stream, by the browser's clock.
    claim: Cell<Option<i64>>,
    told_at: Cell<f64>,
    others: RefCell<Claims>,
    _heard: Option<Closure<dyn FnMut(MessageEvent)>>,
}

impl Windows {
    /// `on_news` is called whenever another window says something.
    pub fn listen(on_news: impl Fn(&str) + 'static) -> Self {
        let channel = BroadcastChannel::new("streams").ok();
        let heard = channel.as_ref().map(|channel| {
            let heard = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
                on_news(&event.data().as_string().unwrap_or_default());
            });
            channel.set_onmessage(Some(heard.as_ref().unchecked_ref()));
            heard
        });
        Self {
            channel,
            id: time::new_id().to_string(),
            claim: Cell::new(None),
            told_at: Cell::new(0.0),
            others: RefCell::default(),
            _heard: heard,
        }
    }

    /// This window opens its stream now.
    pub fn opened(&self) {
        self.claim.set(Some(time::browser_now().0));
        self.tell();
    }

    /// This window has closed its stream.
    pub fn closed(&self) {
        if self.claim.take().is_some() {
            self.tell();
        }
    }

    /// Repeats the claim when it is time. Call it about once a second.
    pub fn renew(&self) {
        if self.claim.get().is_some() && time::steady_ms() - self.told_at.get() >= RENEW_MS {
            self.tell();
        }
    }

    /// Takes in what another window said.
    pub fn hear(&self, news: &str) {
        let Some((id, since)) = news.split_once(' ') else { return };
        // Without a time, its stream is closed.
        self.others.borrow_mut().hear(id, since.parse().ok(), time::steady_ms());
    }

    /// Whether so many other windows have a stream that this one must do without: those that have opened theirs later,
    /// or any if it has none.
    pub fn is_crowded(&self) -> bool {
        let own = self.claim.get().map(|since| (since, self.id.as_str()));
        self.others.borrow().newer_than(own, time::steady_ms()) >= LIVE_WINDOWS
    }

    fn tell(&self) {
        self.told_at.set(time::steady_ms());
        if let Some(channel) = &self.channel {
            let since = self.claim.get().map(|since| since.to_string()).unwrap_or_default();
            // Fails only for values that cannot be copied.
            let _ = channel.post_message(&format!("{} {since}", self.id).into());
        }
    }
}

impl Drop for Windows {
    fn drop(&mut self) {
        if let Some(channel) = &self.channel {
            channel.set_onmessage(None);
            channel.close();
        }
    }
}

struct Claim {
    id: String,
    /// When its stream was opened.
    since: i64,
    /// When it was last repeated, by this window's steady clock.
    heard_at: f64,
}

/// The claims of the other windows.
#[derive(Default)]
struct Claims(Vec<Claim>);

impl Claims {
    fn hear(&mut self, id: &str, since: Option<i64>, now: f64) {
        self.0.retain(|claim| claim.id != id && now - claim.heard_at < CLAIM_MS);
        self.0.extend(since.map(|since| Claim { id: id.to_owned(), since, heard_at: now }));
    }

    /// How many there are that are newer than the claim `own`, or at all.
    fn newer_than(&self, own: Option<(i64, &str)>, now: f64) -> usize {
        let is_alive = |claim: &&Claim| now - claim.heard_at < CLAIM_MS;
        let alive = self.0.iter().filter(is_alive);
        alive.filter(|claim| own.is_none_or(|own| (claim.since, claim.id.as_str()) > own)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_windows_count_until_they_close_or_fall_silent() {
        let mut claims = Claims::default();
        for (id, since) in [("a", 100), ("b", 300), ("c", 200), ("z", 200)] {
            claims.hear(id, Some(since), 0.0);
        }
        let own = Some((200, "m"));
        assert_eq!(claims.newer_than(own, 1_000.0), 2, "of two that were opened at once, one is the newer");
        assert_eq!(claims.newer_than(None, 1_000.0), 4);
        claims.hear("b", None, 1_000.0);
        assert_eq!(claims.newer_than(own, 1_000.0), 1);
        claims.hear("a", Some(100), 15_000.0);
        assert_eq!(claims.newer_than(None, CLAIM_MS), 1, "only one has repeated its claim");
        claims.hear("c", Some(200), CLAIM_MS);
        assert_eq!(claims.newer_than(None, CLAIM_MS), 2, "a window that is back is not taken for a new one");
        assert_eq!(claims.newer_than(own, CLAIM_MS), 0);
    }
}
