//! Effects of pages.

use leptos::prelude::Effect;

/// Calls `act` soon, and again whenever a signal that it has read changes, as long as the calling component is shown.
pub fn effect(act: impl FnMut() + 'static) {
    start(Box::new(act));
}

/// Boxed, so that the code of an effect exists once in the bundle.
fn start(mut act: Box<dyn FnMut()>) {
    Effect::new(move |_| act());
}
