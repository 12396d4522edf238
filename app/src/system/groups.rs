//! The groups of the page: facts, and remarks about them.

use std::borrow::Cow;

use api::TimeMs;
use leptos::prelude::*;

use crate::system::usage::{Usage, UsageBar};
use crate::system::words;
use crate::ui::format::{TimeAgo, number};
use crate::ui::notice::{Notice, Tone};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The heading's id, which links lead to.
    pub id: &'static str,
    pub title: &'static str,
    pub facts: Vec<Fact>,
    pub remarks: Vec<Remark>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    pub label: &'static str,
    pub value: Value,
    /// Present if the value is a share of something.
    pub usage: Option<Usage>,
    /// It says only that there is nothing to say. Several of these are folded.
    pub is_empty: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Text(String),
    /// A point in time, shown relative to now.
    Age(Option<TimeMs>),
}

/// A sentence below the facts, or instead of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    pub weight: Weight,
    pub text: Cow<'static, str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Explains.
    Note,
    /// An operator should look into it.
    Warning,
    /// Searches are not recorded, or soon will not be.
    Error,
}

impl Fact {
    pub fn new(label: &'static str, text: impl Into<String>) -> Self {
        Self { label, value: Value::Text(text.into()), usage: None, is_empty: false }
    }

    /// A number that is of no interest while it is zero.
    pub fn count(label: &'static str, count: u64) -> Self {
        Self { is_empty: count == 0, ..Self::new(label, number(count)) }
    }

    /// A fact about something that there is none of.
    pub fn none(label: &'static str) -> Self {
        Self { is_empty: true, ..Self::new(label, words::UNKNOWN) }
    }

    pub fn age(label: &'static str, time: Option<TimeMs>) -> Self {
        Self { label, value: Value::Age(time), usage: None, is_empty: time.is_none() }
    }

    pub fn with(self, usage: Usage) -> Self {
        Self { usage: Some(usage), ..self }
    }
}

impl Remark {
    pub fn new(weight: Weight, text: impl Into<Cow<'static, str>>) -> Self {
        Self { weight, text: text.into() }
    }
}

#[component]
pub fn SystemGroup(group: Group) -> impl IntoView {
    let Group { id, title, facts, remarks } = group;
    let (mut shown, mut empty) = (facts, Vec::new());
    // A fold would take as much room as a single fact.
    if shown.iter().filter(|fact| fact.is_empty).count() > 1 {
        (empty, shown) = shown.into_iter().partition(|fact| fact.is_empty);
    }
    let list = |facts: Vec<Fact>| facts.into_iter().map(|fact| view! { <FactRow fact /> }).collect_view();
    let folded = (!empty.is_empty()).then(|| {
        view! {
            <details class="fold facts_empty">
                <summary>{words::empty(empty.len())}</summary>
                <dl>{list(empty)}</dl>
            </details>
        }
    });
    view! {
        <section class="system_group" aria-labelledby=id>
            <h2 id=id tabindex="-1">{title}</h2>
            <dl>{list(shown)}</dl>
            {folded}
            {remarks.into_iter().map(remark).collect_view()}
        </section>
    }
}

fn remark(Remark { weight, text }: Remark) -> AnyView {
    let tone = match weight {
        Weight::Note => return view! { <p class="muted">{text}</p> }.into_any(),
        Weight::Warning => Tone::Warning,
        Weight::Error => Tone::Error,
    };
    view! { <Notice tone text=text.into_owned() /> }.into_any()
}

#[component]
fn FactRow(fact: Fact) -> impl IntoView {
    let Fact { label, value, usage, .. } = fact;
    let (text, time) = match value {
        Value::Text(text) => (text, None),
        Value::Age(None) => (words::UNKNOWN.to_owned(), None),
        Value::Age(time) => (String::new(), time),
    };
    let usage_bar = usage.map(|usage| view! { <dd class="fact_bar"><UsageBar label text=text.clone() usage /></dd> });
    view! {
        <div class="fact_row">
            <dt>{label}</dt>
            <dd>{text}{time.map(|time| view! { <TimeAgo time /> })}</dd>
            {usage_bar}
        </div>
    }
}
