//! What several pages share. Knows no feature.

pub mod badge;
pub mod chart;
pub mod copy_button;
pub mod dialog;
pub mod format;
pub mod highlight;
pub mod icon;
pub mod notice;
pub mod page;
pub mod part;
pub mod shell;
pub mod shortcuts;
pub mod theme;
