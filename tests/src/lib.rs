//! What tests share: things that stand in for the world, and builders of what they test with.

pub mod browser;
pub mod builders;
pub mod cases;
pub mod clock;
pub mod corpus;
pub mod event_stream;
pub mod eventually;
pub mod exported;
pub mod http_client;
pub mod postgres_cluster;
pub mod queue_model;
pub mod server_process;

pub use cases::cases;
pub use clock::HeldClock;
pub use postgres_cluster::{PostgresCluster, PostgresDatabase, PostgresPooler};
pub use queue_model::QueueModel;
