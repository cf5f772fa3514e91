//! The block: one agent, one interval, all series that had samples.
