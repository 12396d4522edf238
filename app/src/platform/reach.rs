//! Whether the server answers. Every request and every stream reports here how it has ended, and what it has received.

use std::cell::Cell;

use leptos::prelude::*;

thread_local! {
    /// Whether the last request has failed. Set when the page starts.
    static IS_SILENT: Cell<Option<RwSignal<bool>>> = const { Cell::new(None) };
}

/// Called once, before the first request. The signal is set again with each failure.
pub fn start() -> RwSignal<bool> {
    let is_silent = RwSignal::new(false);
    IS_SILENT.set(Some(is_silent));
    is_silent
}

/// Call it when something has come from the server.
pub fn answered() {
    if let Some(is_silent) = IS_SILENT.get().filter(|is_silent| is_silent.get_untracked()) {
        is_silent.set(false);
    }
}

/// Call it when a request has failed, or something else has answered in the server's place.
pub fn failed() {
    if let Some(is_silent) = IS_SILENT.get() {
        is_silent.set(true);
    }
}

/// Whether the browser has no network between it and the server.
pub fn is_offline() -> bool {
    let host = window().location().hostname().unwrap_or_default();
    !window().navigator().on_line() && !is_own_machine(&host)
}

/// Whether a host is the machine that the browser runs on, which it reaches without a network.
fn is_own_machine(host: &str) -> bool {
    // An address of four numbers, as browsers write all of them: names may begin with a number too.
    let is_address = host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    host == "localhost" || host.ends_with(".localhost") || host == "[::1]" || (is_address && host.starts_with("127."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_machine_needs_no_network() {
        for host in ["localhost", "logs.localhost", "127.0.0.1", "127.8.9.10", "[::1]"] {
            assert!(is_own_machine(host), "{host}");
        }
        for host in ["", "localhost.example", "127.example.org", "10.127.0.1", "[::2]", "example.org"] {
            assert!(!is_own_machine(host), "{host}");
        }
    }
}
