//! The queue under many orders of its tasks, over a store in memory that checks what is asked of it.
//!
//! Nothing here runs in parallel: shuttle decides at each await who goes on. A failing run prints
//! its seed. `SHUTTLE_RANDOM_SEED=<seed> cargo test -p tests --test interleavings` does the same
//! again; `SEARCH4LETTERS_FAULTS=long` tries 50 times as many orders.

mod dispatching;
mod handler;
mod model_store;

use shuttle::future::yield_now;
use shuttle::rand::{Rng, thread_rng};

/// How many orders are tried.
fn orders(usual: usize) -> usize {
    let long = std::env::var("SEARCH4LETTERS_FAULTS").is_ok_and(|faults| faults == "long");
    if long { 50 * usual } else { usual }
}

/// Lets the others go on, up to `most` times.
async fn a_while(most: u32) {
    for _ in 0..thread_rng().gen_range(0..=most) {
        yield_now().await;
    }
}

fn chance(probability: f64) -> bool {
    thread_rng().gen_bool(probability)
}
