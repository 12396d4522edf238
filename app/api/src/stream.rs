//! What every event stream sends besides its own events: heartbeats, and how it ended.
//!
//! A connection that has gone silent looks like a stream without news. Comments would keep proxies from closing it, but
//! browsers do not show comments to the page.

use serde::{Deserialize, Serialize};

use crate::TimeMs;

/// The event that a stream sends first, then every [`Heartbeat::every_ms`], and whenever [`Heartbeat::is_current`]
/// changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// The interval in milliseconds. After 2.5 intervals without any event, the stream is dead.
    pub every_ms: u32,
    /// The server's time.
    pub now: TimeMs,
    /// False while the server cannot read what the stream follows. What the page shows may be outdated then.
    pub is_current: bool,
}

impl Heartbeat {
    /// The event's name. Its data is the heartbeat as JSON.
    pub const EVENT: &str = "heartbeat";
}

text_enum! {
    /// Why a stream has ended.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum StreamEnd {
        /// There will be no more events. A browser that reconnects gets 204 and stops.
        Complete = "complete",
        /// What the stream followed was deleted.
        Gone = "gone",
        /// The session has ended.
        SignedOut = "signed_out",
        /// The server stops. Reconnect to continue.
        Stopping = "stopping",
    }
}

impl StreamEnd {
    /// The name of a stream's last event. Its data is the text of the reason. A stream that closes without it was cut.
    pub const EVENT: &str = "end";
    /// The id of the last event of a complete stream. A browser sends it when it reconnects.
    pub const COMPLETE_ID: &str = "end";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::from_json;

    #[test]
    fn the_client_reads_a_heartbeat() {
        let heartbeat = Heartbeat { every_ms: 10_000, now: TimeMs(1_700_000_000_000), is_current: true };
        let wire = serde_json::to_string(&heartbeat).expect("serializable");
        assert_eq!(wire, r#"{"every_ms":10000,"now":1700000000000,"is_current":true}"#);
        assert_eq!(from_json::<Heartbeat>(&wire), Ok(heartbeat));
    }
}
