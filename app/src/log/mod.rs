//! The log: `/viewlog`.

mod drawer;
mod history;
pub mod page;
mod query;
mod scan;
mod state;
mod table;
mod toolbar;
mod view;
mod virtual_rows;
mod window;
mod words;
