//! The waiting lab: `/lab` and `/lab/runs/{id}`.

mod bars;
mod draft;
mod failures;
mod fields;
mod figures;
mod form;
mod items;
mod labels;
mod lanes;
mod launcher;
pub mod page;
mod pool;
pub mod run;
mod runs;
mod stream;
mod time_axis;
mod waterfall;
