//! The statements that yield rows, as sqlx's macros make them: `query!`, `query_as!` and `query_scalar!`.

use sqlx::query::{Map, QueryScalar};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, IntoArguments, Sqlite, SqliteConnection};

/// Lets [`Connections`](crate::connections::Connections) and [`Transaction`](crate::transaction::Transaction) take any
/// of them.
pub(crate) trait Fetch: Send + Sized {
    type Row: Send;

    fn one(self, connection: &mut SqliteConnection) -> impl Future<Output = sqlx::Result<Self::Row>> + Send;

    fn optional(
        self,
        connection: &mut SqliteConnection,
    ) -> impl Future<Output = sqlx::Result<Option<Self::Row>>> + Send;

    fn all(self, connection: &mut SqliteConnection) -> impl Future<Output = sqlx::Result<Vec<Self::Row>>> + Send;
}

impl<'q, F, O, A> Fetch for Map<'q, Sqlite, F, A>
where
    F: FnMut(SqliteRow) -> sqlx::Result<O> + Send,
    O: Send + Unpin,
    A: 'q + Send + IntoArguments<Sqlite>,
{
    type Row = O;

    async fn one(self, connection: &mut SqliteConnection) -> sqlx::Result<O> {
        self.fetch_one(connection).await
    }

    async fn optional(self, connection: &mut SqliteConnection) -> sqlx::Result<Option<O>> {
        self.fetch_optional(connection).await
    }

    async fn all(self, connection: &mut SqliteConnection) -> sqlx::Result<Vec<O>> {
        self.fetch_all(connection).await
    }
}

impl<'q, O, A> Fetch for QueryScalar<'q, Sqlite, O, A>
where
    O: Send + Unpin,
    A: 'q + Send + IntoArguments<Sqlite>,
    (O,): for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
{
    type Row = O;

    async fn one(self, connection: &mut SqliteConnection) -> sqlx::Result<O> {
        self.fetch_one(connection).await
    }

    async fn optional(self, connection: &mut SqliteConnection) -> sqlx::Result<Option<O>> {
        self.fetch_optional(connection).await
    }

    async fn all(self, connection: &mut SqliteConnection) -> sqlx::Result<Vec<O>> {
        self.fetch_all(connection).await
    }
}
