//! What outlives the blocks: segments in an object store, and the rollups that outlive samples.
//!
//! `segment` is the pure format. Nothing here knows HTTP or how a block came in.

pub mod segment;
