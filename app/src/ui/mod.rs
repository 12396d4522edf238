//! What several pages share. Knows no feature.

pub mod announcer;
pub mod badge;
pub mod breadcrumb;
pub mod chart;
pub mod code;
pub mod copy_button;
pub mod dialog;
pub mod filter;
pub mod format;
pub mod highlight;
pub mod icon;
pub mod menu;
pub mod notice;
pub mod page;
pub mod part;
pub mod printed;
pub mod row_press;
pub mod shell;
pub mod shortcuts;
pub mod theme;
pub mod toast;
pub mod words;
