//! Two orders in which to go through many futures.

use std::sync::mpsc;

use super::Future;

/// The futures in the order given, each once it has ended. A slow one holds up those behind it.
pub fn in_order<T>(futures: impl IntoIterator<Item = Future<T>>) -> impl Iterator<Item = Future<T>> {
    futures.into_iter().inspect(Future::wait)
}

/// The futures in the order in which they end, each as soon as it has. Those that have ended already come first.
pub fn as_completed<T>(futures: impl IntoIterator<Item = Future<T>>) -> impl Iterator<Item = Future<T>>
where
    T: Send + 'static,
{
    let (sender, receiver) = mpsc::channel();
    for future in futures {
        let sender = sender.clone();
        // Fails if nobody wants to hear of the rest.
        future.add_done_callback(move |future| drop(sender.send(future.clone())));
    }
    // Each callback holds a sender until it was called: with the last one the channel ends.
    drop(sender);
    receiver.into_iter()
}
