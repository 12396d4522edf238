//! What every store promises, held against each store there is.

mod database;
mod promises;
mod sqlite;
