//! What an entry of the browser's history keeps of its search. Reading never writes: going back, or loading the page
//! again, shows the search and its receipt, and sends nothing.

use api::{ADDRESS_LIMIT, DEFAULT_LETTERS, Receipt, Recorded, SearchId};

use crate::platform::router::Location;
use crate::platform::{time, url};
use crate::search::submission::{Answer, Question};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    pub question: Question,
    /// `None` until the server has answered.
    pub answer: Option<Answer>,
}

impl Visit {
    /// A search that the visitor makes now.
    pub fn new(phrase: String, letters: String) -> Self {
        Self { question: Question { id: Some(time::new_id()), phrase, letters }, answer: None }
    }

    /// The search of the history's entry; or the search that the address names, which nobody has made yet.
    pub fn at(location: &Location) -> Option<Self> {
        let text = |name| location.noted(name).or_else(|| location.parameter(name));
        let (phrase, letters) = (text("phrase"), text("letters"));
        let id = location.noted("id").and_then(|id| id.parse::<SearchId>().ok());
        let phrase = phrase.unwrap_or_default();
        // A link without a phrase asks nothing.
        if phrase.is_empty() && id.is_none() {
            return None;
        }
        let letters = letters.unwrap_or_else(|| DEFAULT_LETTERS.to_owned());
        let recorded = location.noted("recorded").as_deref().and_then(Recorded::parse);
        let answer = recorded.zip(location.noted("receipt"));
        let ms = |name| location.noted(name).and_then(|ms| ms.parse().ok());
        let (accepted_in_ms, answered_in_ms) = (ms("accepted_in_ms"), ms("answered_in_ms"));
        let answer = answer.map(|(recorded, receipt)| Answer {
            recorded,
            receipt: Receipt(receipt),
            accepted_in_ms,
            answered_in_ms,
        });
        Some(Self { question: Question { id, phrase, letters }, answer })
    }

    /// The address of the entry. It does not name a search that is too long for an address.
    pub fn address(&self) -> String {
        let url = url::of_search(&self.question.phrase, &self.question.letters);
        if url.len() > ADDRESS_LIMIT { "/".to_owned() } else { url }
    }

    pub fn note(&self) -> String {
        let Question { id, phrase, letters } = &self.question;
        let id = id.map(|id| id.to_string());
        let answer = self.answer.as_ref();
        let ms = |of: fn(&Answer) -> Option<u32>| answer.and_then(of).map(|ms| ms.to_string());
        let accepted_in_ms = ms(|answer| answer.accepted_in_ms);
        let answered_in_ms = ms(|answer| answer.answered_in_ms);
        let text = |text| if self.address() == "/" { Some(text) } else { None };
        let kept = [
            ("id", id.as_deref()),
            ("receipt", answer.map(|answer| answer.receipt.0.as_str())),
            ("recorded", answer.map(|answer| answer.recorded.as_str())),
            ("accepted_in_ms", accepted_in_ms.as_deref()),
            ("answered_in_ms", answered_in_ms.as_deref()),
            ("phrase", text(phrase.as_str())),
            ("letters", text(letters.as_str())),
        ];
        url::with_query("", &kept)
    }
}
