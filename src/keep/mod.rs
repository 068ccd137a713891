//! What keeps a run safe: episodes and checkpoints on disk, supervision, injected faults, provenance of results.

pub mod checkpoint;
pub mod faults;
pub mod models;
pub mod provenance;
#[cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic))]
pub mod store;
pub mod summary;
#[cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic))]
pub mod supervise;
