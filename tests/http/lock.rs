//! Another program that holds the database's write lock.

use sqlx::{Connection, SqliteConnection};

use crate::site::Site;

pub struct Lock(SqliteConnection);

impl Site {
    /// From now on nothing can be written to the database.
    pub async fn lock(&self) -> Lock {
        let file = format!("sqlite:{}/search4letters.db", self.folder.path().display());
        let mut database = SqliteConnection::connect(&file).await.expect("the file opens");
        sqlx::query("begin immediate").execute(&mut database).await.expect("locked");
        Lock(database)
    }
}

impl Lock {
    pub async fn release(mut self) {
        sqlx::query("rollback").execute(&mut self.0).await.expect("released");
    }
}
