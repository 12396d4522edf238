//! Dummy use of a pooled connection.

use api::PoolState;
use async_trait::async_trait;
use store::{PoolProbe, ProbeStatement, ProbeUse, Result, Store};

use crate::PostgresStore;
use crate::connections::in_time;

#[async_trait]
impl PoolProbe for PostgresStore {
    fn state(&self) -> PoolState {
        self.pool()
    }

    async fn probe(&self, probe: ProbeUse) -> Result<()> {
        let mut connection = self.connections.get().await?;
        (probe.taken)();
        // Not checked at compile time, because that would reject the invalid statement.
        let statement = match probe.statement {
            ProbeStatement::Valid => "select count(*) from job_kind",
            ProbeStatement::Invalid => "select nothing from nowhere",
        };
        let read = in_time(sqlx::query(statement).fetch_one(&mut *connection)).await;
        connection.settle_and_keep(read).await?;
        tokio::time::sleep(probe.hold).await;
        Ok(())
    }

    async fn close(&self) {
        Store::close(self).await;
    }
}
