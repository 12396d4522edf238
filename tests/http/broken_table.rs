//! A store that fails for a while: one of its tables is gone, and comes back.

use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use crate::site::Site;

pub struct BrokenTable {
    database: SqliteConnection,
    name: &'static str,
}

impl Site {
    /// From now on, whatever the store does with this table fails.
    pub async fn break_table(&self, name: &'static str) -> BrokenTable {
        let file = format!("sqlite:{}/search4letters.db", self.folder.path().display());
        let database = SqliteConnection::connect(&file).await.expect("the file opens");
        let mut broken = BrokenTable { database, name };
        broken.run(format!("alter table {name} rename to broken_{name}")).await;
        broken
    }
}

impl BrokenTable {
    pub async fn mend(mut self) {
        self.run(format!("alter table broken_{0} rename to {0}", self.name)).await;
    }

    async fn run(&mut self, statement: String) {
        let done = sqlx::query(AssertSqlSafe(statement)).execute(&mut self.database).await;
        done.expect("the table is renamed");
    }
}
