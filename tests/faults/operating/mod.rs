//! What docs/operating.md tells administrators to do, done as it stands there.

mod guide;
mod postgres;
mod restored;
mod sqlite;
