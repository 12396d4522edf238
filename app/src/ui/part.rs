//! Parts of a page that change.
//!
//! The code that keeps a part up to date exists in the bundle once for each type of part, so few types are used: `AnyView`
//! and `Option<AnyView>` for elements, `String` for texts, and `Option<&str>` for attributes. The items of a list and
//! what may be absent are each made an `AnyView` for the same reason.

use std::sync::{Arc, Mutex};

use leptos::tachys::reactive_graph::SharedReactiveFunction;

/// What `view` returns, and returns anew when something that it reads changes. A closure by itself would have a type of
/// its own.
pub fn part<T>(view: impl FnMut() -> T + Send + 'static) -> SharedReactiveFunction<T> {
    Arc::new(Mutex::new(view))
}

/// The same for a text.
pub fn text_part<T: Into<String>>(mut view: impl FnMut() -> T + Send + 'static) -> SharedReactiveFunction<String> {
    part(move || view().into())
}
