//! Common Cartridges.
