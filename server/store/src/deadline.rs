//! Waiting for a store, but not for ever.

use std::time::Duration;

use crate::{Clock, Result, StoreError};

/// What comes of `asked`, or the error that it has not come within `limit`. A write that is not
/// waited for any more may be done all the same.
pub async fn within<A>(clock: &dyn Clock, limit: Duration, asked: impl Future<Output = Result<A>>) -> Result<A> {
    let time_is_up = clock.sleep_until(clock.steady().after(limit));
    tokio::select! {
        // What came at the last moment has come.
        biased;
        answer = asked => answer,
        () = time_is_up => Err(StoreError::Connection(format!("no answer within {limit:?}"))),
    }
}
