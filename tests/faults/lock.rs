//! Another program that keeps the database locked.

use std::path::Path;

use crate::table::Tables;

/// The right to write, taken from everybody else until it is released or dropped.
pub(crate) struct Lock(Tables);

impl Lock {
    pub(crate) async fn take(database: &Path) -> Self {
        let mut tables = Tables::open(database).await;
        tables.run("begin immediate").await;
        Self(tables)
    }

    pub(crate) async fn release(mut self) {
        self.0.run("rollback").await;
    }
}
