//! What the frame and the parts of every page say.

use api::JobState;

pub const SITE: &str = "search4letters";
pub const SKIP: &str = "Skip to content";
pub const PAGES: &str = "Pages";
pub const PAGES_ABOVE: &str = "Pages above this one";
pub const SEARCH: &str = "Search";
pub const LAB: &str = "Lab";
pub const LOG: &str = "Log";
pub const JOBS: &str = "Jobs";
pub const SYSTEM: &str = "System";
pub const AUDIT: &str = "Audit";

pub const OFFLINE: &str = "Offline";
pub const NO_ANSWER: &str = "No answer";
pub const ONLINE: &str = "Online";
pub const CONNECTING: &str = "Connecting";
pub const RECONNECTING: &str = "Reconnecting";
pub const LIVE: &str = "Live";
pub const DELAYED: &str = "Delayed";
pub const PAUSED: &str = "Paused";
pub const CROWDED: &str = "Four other windows are live. This one is again when you click into it.";
pub const NEW_VERSION: &str = "A new version is here.";
pub const RELOAD: &str = "Reload";

pub const THEME: &str = "Theme";
pub const LIGHT: &str = "Light";
pub const DARK: &str = "Dark";
pub const AS_THE_SYSTEM: &str = "System";

/// The buttons of a list in pages.
pub const NEWEST: &str = "Newest";
pub const OLDER: &str = "Older";

pub const LOADING: &str = "Loading…";
pub const TRY_AGAIN: &str = "Try again";
pub const CLOSE: &str = "Close";
pub const DISMISS: &str = "Dismiss";
pub const UNDO: &str = "Undo";
pub const UNDO_KEY: &str = "z";
/// After some time without an answer to what was pressed or asked for.
pub const STILL_WAITING: &str = "Still waiting for the server…";
pub const COPIED: &str = "Copied";
pub const NOT_ALLOWED: &str = "Not allowed";

pub const NO_SUCH_PAGE: &str = "Page not found";
/// Around the address.
pub const NOTHING_AT: [&str; 2] = ["There is nothing at ", ". It may be mistyped, or the page may have moved."];
pub const SEE_THE_LAB: &str = "See the lab";
pub const GO_TO_SEARCH: &str = "Go to the search";

pub const KEYS: &str = "Keyboard shortcuts";
/// Groups of keys, each with its heading. A key, or several with spaces between them, has an effect.
pub const KEY_GROUPS: [(&str, &[(&str, &str)]); 3] = [
    ("Anywhere", &[("?", "Show this list"), ("Esc", "Close, or clear the selection")]),
    (
        "Lists",
        &[
            ("/", "Filter the list"),
            ("j k", "Move down and up"),
            ("Enter", "Open what is selected"),
            ("g r", "Go to a row or time in the log"),
            ("r", "Retry the focused job"),
            (UNDO_KEY, "Undo the last action"),
        ],
    ),
    ("Go to", &[("g h", SEARCH), ("g w", LAB), ("g l", LOG), ("g j", JOBS), ("g s", SYSTEM), ("g a", AUDIT)]),
];

/// A state by itself, as on a badge. In a sentence it is `JobState::as_str`.
pub fn state(state: JobState) -> &'static str {
    match state {
        JobState::Scheduled => "Scheduled",
        JobState::Waiting => "Waiting",
        JobState::Running => "Running",
        JobState::Retrying => "Retrying",
        JobState::Done => "Done",
        JobState::Dead => "Dead",
        JobState::Cancelled => "Cancelled",
    }
}

pub const MOMENT: &str = "Moment";
pub const POINT_AT_CHART: &str = "Point at the chart, or move the slider, for the figures of a moment.";
pub const SAME_AS_TABLE: &str = "The same as a table";

/// The figures of a chart at a moment.
pub fn at_moment(time: &str, figures: &str) -> String {
    format!("At {time}: {figures}")
}

/// The document's title.
pub fn title(page: &str) -> String {
    format!("{page} · {SITE}")
}

pub fn not_live_since(time: &str) -> String {
    format!("Not live since {time}")
}

/// On paper, which does not know when it is read.
pub fn printed(time: &str, zone: &str) -> String {
    format!("As of {time}, {zone}")
}

/// In which zone the times of a part of the page are.
pub fn times_in(zone: &str) -> String {
    format!("Times in {zone}")
}
