//! What several renderers need in the same way: where in a source a byte stands, how large a
//! drawing is on its page, and the root element of an SVG. Plain values; knows nothing of
//! plugins.

mod place;
mod root;
mod size;

pub use place::Place;
pub use root::Root;
pub use size::{Bounds, MAX_PIXELS, Pixels, Size};

#[cfg(test)]
mod tests;
