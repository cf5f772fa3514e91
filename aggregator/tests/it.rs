//! The aggregator from outside.
