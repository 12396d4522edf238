//! The windows of this browser that have a stream open. Browsers allow six connections to a server over HTTP/1.1 for all
//! of them together: with six streams, nothing else would load.

use std::cell::RefCell;

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{BroadcastChannel, MessageEvent};

use crate::platform::time;

/// How many windows have a stream at once. The others leave two connections for requests.
const LIVE_WINDOWS: usize = 4;

/// Each window tells the others when it opens and closes its stream. The windows that have opened theirs last keep it.
pub struct Windows {
    /// Absent in browsers that do not have channels.
    channel: Option<BroadcastChannel>,
    id: String,
    /// The windows that have opened a stream after this one did.
    newer: RefCell<Vec<String>>,
    _heard: Option<Closure<dyn FnMut(MessageEvent)>>,
}

impl Windows {
    /// `on_news` is called whenever another window has opened or closed its stream.
    pub fn listen(on_news: impl Fn(&str) + 'static) -> Self {
        let channel = BroadcastChannel::new("streams").ok();
        let heard = channel.as_ref().map(|channel| {
            let heard = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
                on_news(&event.data().as_string().unwrap_or_default());
            });
            channel.set_onmessage(Some(heard.as_ref().unchecked_ref()));
            heard
        });
        Self { channel, id: time::new_id().to_string(), newer: RefCell::default(), _heard: heard }
    }

    /// This window opens its stream now.
    pub fn opened(&self) {
        self.newer.borrow_mut().clear();
        self.tell('+');
    }

    /// This window has closed its stream.
    pub fn closed(&self) {
        self.tell('-');
    }

    /// Takes in what another window said.
    pub fn hear(&self, news: &str) {
        let mut newer = self.newer.borrow_mut();
        let (is_opened, id) = (news.starts_with('+'), news.get(1..).unwrap_or_default());
        newer.retain(|known| known != id);
        if is_opened {
            newer.push(id.to_owned());
        }
    }

    /// Whether so many newer windows have a stream that this one must do without.
    pub fn is_crowded(&self) -> bool {
        self.newer.borrow().len() >= LIVE_WINDOWS
    }

    fn tell(&self, sign: char) {
        if let Some(channel) = &self.channel {
            // Fails only for values that cannot be copied.
            let _ = channel.post_message(&format!("{sign}{}", self.id).into());
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
