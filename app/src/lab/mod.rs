//! The waiting lab: `/lab` and `/lab/runs/{id}`.

mod areas;
mod bars;
mod code;
mod compare;
mod comparison;
mod draft;
mod failures;
mod fields;
mod figures;
mod flight;
mod form;
mod items;
mod lanes;
mod launcher;
mod legend;
mod multiples;
mod ongoing;
pub mod page;
mod pool;
mod ratio;
pub mod run;
mod runs;
mod shows;
mod stream;
mod verdict;
mod waterfall;
mod words;
