//! Charts over time, as small SVG drawings. Screen readers skip a drawing and read the text or table beside it.

pub mod axis;
pub mod bars;
pub mod reading;
pub mod steps;
