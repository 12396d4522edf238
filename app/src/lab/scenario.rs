//! The lab's scenarios, as its page shows them one at a time.

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scenario {
    #[default]
    Requests,
    Database,
    Trap,
}

impl Scenario {
    pub const ALL: [Self; 3] = [Self::Requests, Self::Database, Self::Trap];

    /// The scenario with this word in the page's address; the first where there is none.
    #[must_use]
    pub fn of(word: Option<&str>) -> Self {
        match word {
            Some("database") => Self::Database,
            Some("trap") => Self::Trap,
            _ => Self::Requests,
        }
    }

    #[must_use]
    pub fn address(self) -> &'static str {
        match self {
            Self::Requests => "/lab",
            Self::Database => "/lab?scenario=database",
            Self::Trap => "/lab?scenario=trap",
        }
    }

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Requests => "Requests",
            Self::Database => "Database",
            Self::Trap => "The trap",
        }
    }

    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::Requests => "many requests to a slow server",
            Self::Database => "many tasks on a few connections",
            Self::Trap => "one search with a slow log",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_leads_to_its_scenario() {
        for scenario in Scenario::ALL {
            let word = scenario.address().split_once('=').map(|(_, word)| word);
            assert_eq!(Scenario::of(word), scenario);
        }
        assert_eq!(Scenario::of(Some("other")), Scenario::Requests);
    }
}
