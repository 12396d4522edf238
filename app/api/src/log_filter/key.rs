//! The names before the colons.

use super::Column;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterKey {
    Phrase,
    Letters,
    Results,
    Ip,
    Browser,
    Agent,
    Since,
    Before,
    Row,
    Search,
}

impl FilterKey {
    pub const ALL: [Self; 10] = [
        Self::Phrase,
        Self::Letters,
        Self::Results,
        Self::Ip,
        Self::Browser,
        Self::Agent,
        Self::Since,
        Self::Before,
        Self::Row,
        Self::Search,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Phrase => "phrase",
            Self::Letters => "letters",
            Self::Results => "results",
            Self::Ip => "ip",
            Self::Browser => "browser",
            Self::Agent => "agent",
            Self::Since => "since",
            Self::Before => "before",
            Self::Row => "row",
            Self::Search => "search",
        }
    }

    /// A term with this key, as one would write it.
    #[must_use]
    pub fn example(self) -> &'static str {
        match self {
            Self::Phrase => "phrase:~hello",
            Self::Letters => "letters:aeiou",
            Self::Results => "results:~e",
            Self::Ip => "ip:10.0.0.0/8",
            Self::Browser => "browser:firefox",
            Self::Agent => "agent:~mobile",
            Self::Since => "since:1h",
            Self::Before => "before:2026-11-22T08:05Z",
            Self::Row => "row:48211",
            Self::Search => "search:01ARZ3NDEKTSV4RRFFQ69G5FAV",
        }
    }

    pub(super) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| word.eq_ignore_ascii_case(key.as_str()))
    }

    pub(super) fn of_column(column: Column) -> Self {
        match column {
            Column::Phrase => Self::Phrase,
            Column::Letters => Self::Letters,
            Column::Ip => Self::Ip,
            Column::Browser => Self::Browser,
            Column::Agent => Self::Agent,
        }
    }
}
