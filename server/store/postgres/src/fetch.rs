//! The statements that yield rows, as sqlx's macros make them: `query!`, `query_as!` and `query_scalar!`.

use sqlx::postgres::PgRow;
use sqlx::query::{Map, QueryScalar};
use sqlx::{FromRow, IntoArguments, PgConnection, Postgres};

/// Lets [`Connections`](crate::connections::Connections) take any of them.
pub(crate) trait Fetch: Send + Sized {
    type Row: Send;

    fn one(self, connection: &mut PgConnection) -> impl Future<Output = sqlx::Result<Self::Row>> + Send;

    fn optional(self, connection: &mut PgConnection) -> impl Future<Output = sqlx::Result<Option<Self::Row>>> + Send;

    fn all(self, connection: &mut PgConnection) -> impl Future<Output = sqlx::Result<Vec<Self::Row>>> + Send;
}

impl<'q, F, O, A> Fetch for Map<'q, Postgres, F, A>
where
    F: FnMut(PgRow) -> sqlx::Result<O> + Send,
    O: Send + Unpin,
    A: 'q + Send + IntoArguments<Postgres>,
{
    type Row = O;

    async fn one(self, connection: &mut PgConnection) -> sqlx::Result<O> {
        self.fetch_one(connection).await
    }

    async fn optional(self, connection: &mut PgConnection) -> sqlx::Result<Option<O>> {
        self.fetch_optional(connection).await
    }

    async fn all(self, connection: &mut PgConnection) -> sqlx::Result<Vec<O>> {
        self.fetch_all(connection).await
    }
}

impl<'q, O, A> Fetch for QueryScalar<'q, Postgres, O, A>
where
    O: Send + Unpin,
    A: 'q + Send + IntoArguments<Postgres>,
    (O,): for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    type Row = O;

    async fn one(self, connection: &mut PgConnection) -> sqlx::Result<O> {
        self.fetch_one(connection).await
    }

    async fn optional(self, connection: &mut PgConnection) -> sqlx::Result<Option<O>> {
        self.fetch_optional(connection).await
    }

    async fn all(self, connection: &mut PgConnection) -> sqlx::Result<Vec<O>> {
        self.fetch_all(connection).await
    }
}
