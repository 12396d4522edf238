//! What the lab's pages compute and say; drawing it is the components' part.

pub mod bars;
pub mod clock;
pub mod commands;
pub mod comparison;
pub mod draft;
pub mod failures;
pub mod feed;
pub mod figures;
pub mod lanes;
pub mod pool_steps;
pub mod scale;
pub mod scenario;
pub mod span;
pub mod words;
