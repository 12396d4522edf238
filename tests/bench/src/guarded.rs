//! What panics is a failure like any other: hours of measuring should not be lost with it.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use anyhow::anyhow;

/// Awaits `work`; where it panics, the panic's words are the error.
pub(crate) async fn guarded<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let mut work = pin!(work);
    // What it leaves half done is not looked at again: the scenario is marked as failed.
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
        Ok(poll) => poll,
        Err(panic) => Poll::Ready(Err(anyhow!("{}", words(panic.as_ref())))),
    })
    .await
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error_with_its_words() {
        let fails = async |number: u32| {
            tokio::task::yield_now().await;
            assert!(number < 3, "{number} is too many");
            Ok(number)
        };
        assert_eq!(guarded(fails(2)).await.expect("no panic"), 2);
        assert_eq!(guarded(fails(3)).await.expect_err("a panic").to_string(), "3 is too many");
    }
}
