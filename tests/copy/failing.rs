//! A target that fails as often as a test wants it to.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use store::{Base, Batch, Begun, Cursor, Origin, Part, Progress, Result, Source, StoreError, Target};

/// Fails at the `at`th of its writes: before it is done, or after it, when nobody hears that it was.
pub(crate) struct Failing {
    pub(crate) target: Box<dyn Target>,
    pub(crate) at: usize,
    pub(crate) after_it_is_done: bool,
    pub(crate) writes: AtomicUsize,
}

impl Failing {
    async fn write<A>(&self, write: impl Future<Output = Result<A>>) -> Result<A> {
        let fails = self.writes.fetch_add(1, Ordering::Relaxed) == self.at;
        if fails && !self.after_it_is_done {
            return Err(StoreError::Connection("pulled out".to_owned()));
        }
        let written = write.await?;
        if fails { Err(StoreError::Connection("pulled out".to_owned())) } else { Ok(written) }
    }
}

#[async_trait]
impl Source for Failing {
    fn name(&self) -> String {
        self.target.name()
    }

    async fn base(&self) -> Result<Base> {
        self.target.base().await
    }

    async fn count(&self, part: Part) -> Result<u64> {
        self.target.count(part).await
    }

    async fn read(&self, part: Part, after: &Cursor, limit: u32) -> Result<Batch> {
        self.target.read(part, after, limit).await
    }
}

#[async_trait]
impl Target for Failing {
    async fn begin(&self, origin: &Origin, base: &Base) -> Result<Begun> {
        self.write(self.target.begin(origin, base)).await
    }

    async fn put(&self, batch: Batch, progress: &Progress) -> Result<()> {
        self.write(self.target.put(batch, progress)).await
    }

    async fn finish(&self) -> Result<()> {
        self.write(self.target.finish()).await
    }

    fn how_to_empty(&self) -> String {
        self.target.how_to_empty()
    }
}
