//! The groups of the page: facts, and remarks about them.

use std::borrow::Cow;

use api::{ProcessState, TimeMs};
use leptos::prelude::*;

use crate::platform::{context, time};
use crate::system::usage::{Usage, UsageBar};
use crate::system::{overview, words};
use crate::ui::format::{self, TimeAgo, number};
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
    /// It says only that there is nothing to say, and a group leaves it out.
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
    let facts = facts.into_iter().filter(|fact| !fact.is_empty).collect();
    view! {
        <section class="system_group" aria-labelledby=id>
            <h2 id=id tabindex="-1">{title}</h2>
            <FactList facts />
            {remarks.into_iter().map(remark).collect_view()}
        </section>
    }
}

/// The process on one line, with its facts folded: most of them never change.
#[component]
pub fn ProcessFold(process: ProcessState) -> impl IntoView {
    let has_lost_lines = process.lost_log_lines > 0;
    view! {
        <section class="system_process" aria-labelledby="process-title">
            <details class="fold" open=has_lost_lines>
                <summary>
                    <h2 id="process-title" tabindex="-1">{words::PROCESS}</h2>
                    <span class="muted">
                        {overview::process_in_short(&process)}
                        <span class="process_up">{words::BETWEEN}<Up since=process.started_at /></span>
                    </span>
                </summary>
                <FactList facts=overview::process_facts(&process) />
            </details>
        </section>
    }
}

/// For how long something has been running.
#[component]
pub fn Up(since: TimeMs) -> impl IntoView {
    let now = context::now();
    let text = move || words::up(&format::rough(now.get().since(since)));
    view! { <time datetime=time::iso(since) title=time::local(since)>{text}</time> }
}

#[component]
fn FactList(facts: Vec<Fact>) -> impl IntoView {
    view! { <dl>{facts.into_iter().map(|fact| view! { <FactRow fact /> }).collect_view()}</dl> }
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
