//! What tests share: things that stand in for the world, and builders of what they test with.

pub mod clock;

pub use clock::HeldClock;
