//! The promises, in chapters. Each is a function whose name is the promise.

pub(crate) mod accepting;
pub(crate) mod admitting;
pub(crate) mod browsing;
pub(crate) mod claiming;
pub(crate) mod enqueueing;
pub(crate) mod exercising;
pub(crate) mod exporting;
pub(crate) mod finishing;
pub(crate) mod introducing;
pub(crate) mod ledger;
pub(crate) mod log_times;
pub(crate) mod logging;
pub(crate) mod modelled;
pub(crate) mod pausing;
pub(crate) mod registering;
pub(crate) mod reporting;
pub(crate) mod steering;
pub(crate) mod whole;
