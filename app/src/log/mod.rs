//! The log: `/viewlog`.

mod drawer;
mod filter;
pub mod page;
mod query;
mod scan;
mod state;
mod table;
mod toolbar;
mod virtual_rows;
mod window;
