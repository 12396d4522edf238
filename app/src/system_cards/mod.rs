//! What the cards of the system's page say. Pure, so that it can be tested without a page.

mod disk;
mod pool;
mod process;
mod queue;
mod spool;

use std::borrow::Cow;

use api::{SystemState, TimeMs};

use crate::gauge::Gauge;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// The heading's id: links may lead to it.
    pub id: &'static str,
    pub title: &'static str,
    pub facts: Vec<Fact>,
    pub remarks: Vec<Remark>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    pub label: Cow<'static, str>,
    pub value: Value,
    /// Where the value is a share of something.
    pub gauge: Option<Gauge>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Text(String),
    /// A point in time, told from now.
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
    /// Somebody should look into it.
    Warning,
    /// Searches are not recorded, or soon will not be.
    Error,
}

/// The cards in their order, in columns of about the same height.
#[must_use]
pub fn of(state: &SystemState) -> [Vec<Card>; 3] {
    [
        vec![spool::card(&state.spool), disk::card(state.disk.as_ref())],
        vec![queue::card(state.queue), pool::card(state.pool)],
        vec![process::card(&state.process)],
    ]
}

impl Fact {
    fn new(label: impl Into<Cow<'static, str>>, text: impl Into<String>) -> Self {
        Self { label: label.into(), value: Value::Text(text.into()), gauge: None }
    }

    fn age(label: &'static str, time: Option<TimeMs>) -> Self {
        Self { label: label.into(), value: Value::Age(time), gauge: None }
    }

    fn with(self, gauge: Gauge) -> Self {
        Self { gauge: Some(gauge), ..self }
    }
}

impl Remark {
    fn new(weight: Weight, text: impl Into<Cow<'static, str>>) -> Self {
        Self { weight, text: text.into() }
    }
}
