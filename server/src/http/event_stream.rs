//! Server-sent events: what all our streams have in common.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, KeepAliveStream, Sse};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use prometheus_client::metrics::gauge::Gauge;

use crate::environment::Environment;

/// A comment this often keeps proxies from closing a quiet stream, and shows us that a
/// browser is gone.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// A store that has failed is asked again after this long: the next change may be hours away.
pub const AFTER_FAILURE: Duration = Duration::from_secs(1);

pub type EventStream = Sse<KeepAliveStream<BoxStream<'static, Result<Event, Infallible>>>>;

/// Sends `events` until they end or the server stops. Browsers then come back by themselves.
pub fn event_stream(env: &Arc<Environment>, events: impl Stream<Item = Event> + Send + 'static) -> EventStream {
    let open = OpenStream::count(&env.metrics.streams);
    let stop = env.stop.clone().cancelled_owned();
    let events = events.take_until(stop).map(move |event| {
        let _counted_while_sending = &open;
        Ok(event)
    });
    Sse::new(events.boxed()).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

/// Waits this long: however much happens, a page is not told more often.
pub async fn pause(env: &Environment, length: Duration) {
    env.clock.sleep_until(env.clock.steady().after(length)).await;
}

struct OpenStream(Gauge);

impl OpenStream {
    fn count(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.dec();
    }
}
