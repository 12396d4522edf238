//! The browser's family, from its User-Agent header.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use serde::Deserialize;
use ua_parser::user_agent::{Builder, Extractor, Parser};

/// The family, for instance `Firefox`; empty if it is unknown.
pub fn browser_family(user_agent: &str) -> String {
    // Needs no parser: a process without browser requests never builds it.
    if user_agent.is_empty() {
        return String::new();
    }
    let known = remembered().get(user_agent).cloned();
    known.unwrap_or_else(|| {
        let family = FAMILIES.extract(user_agent).map(|browser| browser.family.into_owned()).unwrap_or_default();
        let mut remembered = remembered();
        if remembered.len() >= REMEMBERED {
            remembered.clear();
        }
        remembered.insert(user_agent.to_owned(), family.clone());
        family
    })
}

/// Capacity of the cache of User-Agent headers, each of at most 1,000 characters. A few browsers make most of the
/// searches, and parsing a header takes as long as all other work before a search is stored.
const REMEMBERED: usize = 1_000;

fn remembered() -> MutexGuard<'static, HashMap<String, String>> {
    static FAMILY_OF: LazyLock<Mutex<HashMap<String, String>>> = LazyLock::new(Mutex::default);
    // Nothing can panic while it is locked, so a poisoned one is whole.
    FAMILY_OF.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Builds the parser, which takes some 30 ms. Called right after the server's start, so that neither the start nor the
/// first visitor waits for it.
pub fn prepare() {
    LazyLock::force(&FAMILIES);
}

/// The `user_agent_parsers` of uap-core 0.18.0 (Apache-2.0, the ua-parser project), as JSON.
const DEFINITIONS: &str = include_str!("browser_families.json");

static FAMILIES: LazyLock<Extractor<'static>> = LazyLock::new(|| {
    let definitions: Vec<Definition> = serde_json::from_str(DEFINITIONS).expect("the definitions are embedded");
    let builder = definitions.into_iter().fold(Builder::new(), |builder, definition| {
        let parser = Parser {
            regex: definition.regex.into(),
            family_replacement: definition.family_replacement.map(Into::into),
            ..Parser::default()
        };
        builder.push(parser).expect("a test builds the embedded definitions")
    });
    builder.build().expect("a test builds the embedded definitions")
});

#[derive(Deserialize)]
struct Definition {
    regex: String,
    family_replacement: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_usual_browsers() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 \
                    Safari/537.36 Edg/120.0";
        for (user_agent, family) in [(firefox, "Firefox"), (edge, "Edge"), ("curl/7.88.1", "curl"), ("", "")] {
            assert_eq!(browser_family(user_agent), family);
        }
    }
}
