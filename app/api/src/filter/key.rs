//! The fields that a filter can name, and the lists that have them.

text_enum! {
    /// The names before the colons.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum FilterKey {
        State = "state",
        Kind = "kind",
        Error = "error",
        Phrase = "phrase",
        Letters = "letters",
        Results = "results",
        Ip = "ip",
        Browser = "browser",
        Agent = "agent",
        Took = "took",
        Attempts = "attempts",
        Worker = "worker",
        Since = "since",
        Before = "before",
        Searched = "searched",
        Recorded = "recorded",
        Job = "job",
        Row = "row",
        Search = "search",
        Receipt = "receipt",
    }
}

/// A list that can be filtered. All have one grammar, and each its own fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterList {
    Log,
    Jobs,
}

impl FilterList {
    /// The fields of this list.
    pub fn keys(self) -> &'static [FilterKey] {
        use FilterKey::{
            Agent, Attempts, Before, Browser, Error, Ip, Job, Kind, Letters, Phrase, Receipt, Recorded, Results, Row,
            Search, Searched, Since, State, Took, Worker,
        };
        match self {
            Self::Log => {
                &[Phrase, Letters, Results, Ip, Browser, Agent, Since, Before, Searched, Recorded, Row, Search, Receipt]
            }
            Self::Jobs => &[
                State, Kind, Error, Phrase, Letters, Results, Ip, Browser, Agent, Took, Attempts, Worker, Since,
                Before, Job, Row, Search, Receipt,
            ],
        }
    }

    /// Whose fields these are, for a message.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Log => "the log",
            Self::Jobs => "the jobs",
        }
    }
}

impl FilterKey {
    /// An example term with this key.
    pub fn example(self) -> &'static str {
        match self {
            Self::State => "state:dead",
            Self::Kind => "kind:log_request",
            Self::Error => "error:~timeout",
            Self::Phrase => "phrase:~hello",
            Self::Letters => "letters:aeiou",
            Self::Results => "results:~e",
            Self::Ip => "ip:10.0.0.0/8",
            Self::Browser => "browser:firefox",
            Self::Agent => "agent:~mobile",
            Self::Took => "took:>200ms",
            Self::Attempts => "attempts:>3",
            Self::Worker => "worker:~web-1",
            Self::Since => "since:1h",
            Self::Before => "before:2026-11-22 08:05",
            Self::Searched => "searched:2026-11-22",
            Self::Recorded => "recorded:2026-11-20..2026-11-22",
            Self::Job => "job:48211",
            Self::Row => "row:48211",
            Self::Search => "search:01ARZ3…",
            Self::Receipt => "receipt:0123…",
        }
    }

    pub(super) fn is_time(self) -> bool {
        matches!(self, Self::Since | Self::Before | Self::Searched | Self::Recorded)
    }

    /// Whether values of this field are compared by their size.
    pub(super) fn is_amount(self) -> bool {
        matches!(self, Self::Took | Self::Attempts)
    }

    pub(super) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| name.eq_ignore_ascii_case(key.as_str()))
    }
}
