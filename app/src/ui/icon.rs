//! Icons. Each stands beside a word, never alone.

use api::JobState;
use leptos::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symbol {
    State(JobState),
    Adjust,
    Alert,
    Close,
    Copy,
    Dot,
    Down,
    Download,
    Flask,
    Info,
    Light,
    Link,
    List,
    Moon,
    Pause,
    Person,
    Pulse,
    Screen,
    Search,
    Signature,
    Stack,
    Up,
}

#[component]
pub fn Icon(symbol: Symbol) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
            <path d=outline(symbol) />
        </svg>
    }
}

/// Strokes in a square of 24 by 24 units.
fn outline(symbol: Symbol) -> &'static str {
    match symbol {
        Symbol::State(state) => state_outline(state),
        Symbol::Adjust => "M4 7h9M17 7h3M13 4.5v5M4 17h3M11 17h9M9 14.5v5",
        Symbol::Alert => "M12 4 2.5 20h19zM12 10v4.5M12 17.2v.1",
        Symbol::Close => "M6 6l12 12M18 6 6 18",
        Symbol::Copy => "M9 9h11v11H9zM15 9V4H4v11h5",
        Symbol::Dot => "M12 8.5a3.5 3.5 0 1 0 0 7a3.5 3.5 0 1 0 0-7",
        Symbol::Down => "M12 5v14M6 13l6 6 6-6",
        Symbol::Download => "M12 4v11M7 10.5l5 5 5-5M4.5 20h15",
        Symbol::Flask => "M9 3h6M10 3v6L4.5 18.5A1.7 1.7 0 0 0 6 21h12a1.7 1.7 0 0 0 1.5-2.5L14 9V3M7.5 15h9",
        Symbol::Info => "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18M12 11v5.5M12 7.5v.1",
        Symbol::Light => {
            "M12 8a4 4 0 1 0 0 8a4 4 0 1 0 0-8M12 2v2.5M12 19.5V22M2 12h2.5M19.5 12H22M5 5l1.7 1.7M17.3 17.3 19 19M5 19l1.7-1.7M17.3 6.7 19 5"
        }
        Symbol::Link => {
            "M10 14a4.5 4.5 0 0 0 6.4 0l3-3A4.5 4.5 0 0 0 13 4.6l-1.4 1.4M14 10a4.5 4.5 0 0 0-6.4 0l-3 3A4.5 4.5 0 0 0 11 19.4l1.4-1.4"
        }
        Symbol::List => "M4 6h16M4 12h16M4 18h10",
        Symbol::Moon => "M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5z",
        Symbol::Pause => "M9 5v14M15 5v14",
        Symbol::Person => "M12 4a4 4 0 1 0 0 8a4 4 0 1 0 0-8M4.5 20.5a7.5 6 0 0 1 15 0",
        Symbol::Pulse => "M2.5 12H7l3-8 4.5 16 3-8h4",
        Symbol::Screen => "M3 5h18v11H3zM9 20h6M12 16v4",
        Symbol::Search => "M10.5 4a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13M15.5 15.5 21 21",
        Symbol::Signature => "M4 20h16M6 15.5V19h3.5L19 9.5 15.5 6zM13 8.5l3.5 3.5",
        Symbol::Stack => "M12 3 21 8l-9 5-9-5zM3 12.5l9 5 9-5M3 17l9 5 9-5",
        Symbol::Up => "M12 19V5M6 11l6-6 6 6",
    }
}

fn state_outline(state: JobState) -> &'static str {
    match state {
        JobState::Scheduled => "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18M12 7v5l3.5 2",
        JobState::Waiting => "M6 3h12M6 21h12M7 3c0 6 10 6 10 9s-10 3-10 9M17 3c0 6-10 6-10 9s10 3 10 9",
        JobState::Running => "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18M10 8.5v7l5.5-3.5z",
        JobState::Retrying => "M20 12a8 8 0 1 1-2.5-5.8M20 3v5h-5",
        JobState::Done => "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18M8 12.3l2.8 2.7L16 9.5",
        JobState::Dead => "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18M9 9l6 6M15 9l-6 6",
        JobState::Cancelled => "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18M6 6l12 12",
    }
}
