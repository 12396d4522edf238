//! Jobs and their kinds, as administrators see and control them.

pub(crate) mod http;
pub(crate) mod kinds;
pub(crate) mod view;
