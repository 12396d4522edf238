//! Parts of a page that change.

use std::sync::{Arc, Mutex};

use leptos::tachys::reactive_graph::SharedReactiveFunction;

/// What `view` returns, and returns anew when something that it reads changes. Parts of one kind have one type, so that
/// the code that keeps them up to date exists once in the bundle; each closure by itself would have its own.
pub fn part<T>(view: impl FnMut() -> T + Send + 'static) -> SharedReactiveFunction<T> {
    Arc::new(Mutex::new(view))
}
