//! A thread pool and its futures, in the field's standard terms: those of Python's `concurrent.futures`.
//!
//! A [`ThreadPool`] takes tasks and hands out a [`Future`] for each. A future is *pending* until a thread has time for
//! its task, then *running*, and in the end *finished*, or *cancelled* if somebody gave it up while it was pending.
//! Whoever holds the future can ask for its state, wait for its result, or leave a callback. [`in_order`] and
//! [`as_completed`] go through the results of many.
//!
//! ```
//! use std::num::NonZeroUsize;
//!
//! use lab::executor::{ThreadPool, as_completed};
//!
//! let pool = ThreadPool::new(NonZeroUsize::new(2).unwrap());
//! let squares: Vec<u32> = pool.map(|n| n * n, [1, 2, 3]).unwrap().map(Result::unwrap).collect();
//! assert_eq!(squares, [1, 4, 9]);
//!
//! let words = ["one", "two"].map(|word| pool.submit(move || word.len()).unwrap());
//! assert!(as_completed(words).all(|future| future.result(None) == Ok(3)));
//! ```

mod future;
mod pool;
mod results;

pub use future::{Future, NoResult, State};
pub use pool::{Pending, ThreadPool};
pub use results::{as_completed, in_order};

#[cfg(test)]
mod tests;
