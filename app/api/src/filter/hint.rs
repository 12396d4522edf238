//! Guesses what a filter was meant to find, if it finds nothing.

use super::jobs::JobFilter;
use super::key::{FilterKey, FilterList};
use super::lexer::{Token, tokens};
use super::log::LogFilter;
use super::read::{is_receipt, number};
use super::terms::Sense;
use crate::{LogPeriod, LogTime, SearchId, Utc};

/// The filter that `text` was probably meant as, because a receipt, a search's id, a row's `#` number or a time stands in
/// it without its field, or because a whole field is compared with what may be a part of it. `None` if nothing in it looks
/// like that.
///
/// Such a filter rarely finds any row. Show this as a question, and only then.
pub fn meant_filter(text: &str, list: FilterList) -> Option<String> {
    let tokens = tokens(text, list).ok()?;
    let mut missing = Vec::new();
    let mut index = 0;
    while let Some(token) = tokens.get(index) {
        let (key, length) = meant_key(&tokens[index..], list);
        if let Some(key) = key {
            missing.push((token.at.start, format!("{}:", key.as_str())));
        } else if may_be_a_part(token) {
            missing.push((token.at.start, "~".to_owned()));
        }
        index += length;
    }
    if missing.is_empty() {
        return None;
    }
    let mut meant = String::with_capacity(text.len() + 16);
    for (at, character) in text.chars().enumerate() {
        if let Some((_, signs)) = missing.iter().find(|(start, _)| *start == at) {
            meant.push_str(signs);
        }
        meant.push(character);
    }
    let is_filter = match list {
        FilterList::Log => meant.parse::<LogFilter>().is_ok(),
        FilterList::Jobs => meant.parse::<JobFilter>().is_ok(),
    };
    is_filter.then_some(meant)
}

/// Whether a token compares a whole text, although its value may be only a part of it.
fn may_be_a_part(token: &Token) -> bool {
    use FilterKey::{Agent, Browser, Error, Kind, Letters, Phrase, Results, Worker};
    let is_text = matches!(token.key, Some(Phrase | Letters | Results | Browser | Agent | Error | Kind | Worker));
    is_text && token.tilde.is_none() && token.sense == Sense::Is && !token.value.is_empty()
}

/// The field that the first token lacks, and how many tokens belong to it.
fn meant_key(tokens: &[Token], list: FilterList) -> (Option<FilterKey>, usize) {
    let (time, numbered) = match list {
        FilterList::Log => (FilterKey::Searched, FilterKey::Row),
        FilterList::Jobs => (FilterKey::Since, FilterKey::Job),
    };
    let Some(token) = tokens.first().filter(|token| token.key.is_none()) else { return (None, 1) };
    let value = &token.value;
    let is_time = |text: &str| matches!(LogPeriod::parse(text, &Utc), Some(LogPeriod { start: LogTime::At(_), .. }));
    if let Some(next) = tokens.get(1).filter(|next| next.key.is_none() && next.sense == Sense::Is)
        && is_time(&format!("{value} {}", next.value))
    {
        return (Some(time), 2);
    }
    let key = if is_receipt(value) {
        Some(FilterKey::Receipt)
    } else if value.parse::<SearchId>().is_ok() {
        Some(FilterKey::Search)
    } else if value.starts_with('#') && number(value).is_some() {
        Some(numbered)
    } else {
        is_time(value).then_some(time)
    };
    (key, 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Meant;

    #[test]
    fn what_stands_without_its_field_is_recognised() {
        let id = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
        let receipt = "0123456789abcdef0123456789ABCDEF";
        for (text, meant) in [
            (receipt, format!("receipt:{receipt}")),
            (&*format!("ä {receipt} -browser:firefox"), format!("ä receipt:{receipt} -browser:firefox")),
            (&*format!("-{receipt}"), format!("-receipt:{receipt}")),
            (&*format!("\"{receipt}\""), format!("receipt:\"{receipt}\"")),
            (id, format!("search:{id}")),
            ("#48,211", "row:#48,211".to_owned()),
            ("2026-11-22", "searched:2026-11-22".to_owned()),
            ("2026-11-22 08:05:58", "searched:2026-11-22 08:05:58".to_owned()),
            ("ä  2026-11-22  08:05 b", "ä  searched:2026-11-22  08:05 b".to_owned()),
            ("\"2026-11-22 08:05\"", "searched:\"2026-11-22 08:05\"".to_owned()),
            ("2026-11-22T08:05Z", "searched:2026-11-22T08:05Z".to_owned()),
        ] {
            assert_eq!(meant_filter(text, FilterList::Log), Some(meant), "{text}");
        }
    }

    #[test]
    fn a_part_of_a_text_may_be_meant() {
        for (text, meant) in [
            ("phrase:hello", "phrase:~hello"),
            ("Phrase:\"hello you\" since:1h", "Phrase:~\"hello you\" since:1h"),
            ("browser:fire -phrase:hello agent:~x", "browser:~fire -phrase:hello agent:~x"),
            ("results:ae", "results:~ae"),
        ] {
            assert_eq!(meant_filter(text, FilterList::Log).as_deref(), Some(meant), "{text}");
        }
        for text in ["phrase:~hello", "-phrase:hello", "phrase:\"\"", "ip:10.0.0.1"] {
            assert_eq!(meant_filter(text, FilterList::Log), None, "{text}");
        }
    }

    #[test]
    fn other_texts_mean_what_they_say() {
        for text in [
            "",
            "hello",
            "48211",
            "08:05",
            "1h",
            "since:2026-11-22 08:05",
            "2026-11-32",
            "0123456789abcdef",
            "(",
            "row:#1",
        ] {
            assert_eq!(meant_filter(text, FilterList::Log), None, "{text}");
        }
    }

    #[test]
    fn jobs_have_their_own_fields() {
        for (text, meant) in
            [("#7", "job:#7"), ("2026-11-22 08:05 x", "since:2026-11-22 08:05 x"), ("error:timeout", "error:~timeout")]
        {
            assert_eq!(meant_filter(text, FilterList::Jobs).as_deref(), Some(meant), "{text}");
        }
    }

    #[test]
    fn a_misspelt_field_is_corrected() {
        let misspelt = "ä brower:firefox x";
        let error = misspelt.parse::<LogFilter>().expect_err("no field");
        assert_eq!(error.corrected(misspelt).as_deref(), Some("ä browser:firefox x"));
        assert!(error.message.contains(&Meant::Key(FilterKey::Browser).question()), "{error}");
        assert_eq!("foo:bar".parse::<LogFilter>().expect_err("no field").corrected("foo:bar"), None);
    }
}
