//! The queue, with a real store and a clock that stands still until a test moves it.

mod attempts;
mod crowd;
mod drain;
mod interceptor;
mod leases;
mod schedule;
mod set_back_clock;
mod store_failures;
mod yard;
