//! What one question may read and hold, counted over all the machines that it is about.

use crate::telemetry::readings::{MAX_BLOCKS, MAX_BYTES, MAX_POINTS, MAX_VALUES, ReadingsError};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Shared by the tasks of one question, each on a thread of its own.
#[derive(Debug, Default)]
pub(super) struct Budget {
    blocks: AtomicUsize,
    bytes: AtomicUsize,
    values: AtomicUsize,
    /// Values are points of the answer.
    are_points: bool,
}

impl Budget {
    /// For raw samples, which stand in the answer as they are.
    pub(super) fn of_points() -> Self {
        Self { are_points: true, ..Self::default() }
    }

    pub(super) fn take_block(&self, bytes: usize) -> Result<(), ReadingsError> {
        if self.blocks.fetch_add(1, Ordering::Relaxed) >= MAX_BLOCKS {
            return Err(ReadingsError::TooManyBlocks);
        }
        if self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes > MAX_BYTES {
            return Err(ReadingsError::TooManyBytes);
        }
        Ok(())
    }

    pub(super) fn take_values(&self, values: usize) -> Result<(), ReadingsError> {
        let found = self.values.fetch_add(values, Ordering::Relaxed) + values;
        match self.are_points {
            true if found > MAX_POINTS => Err(ReadingsError::TooManyPoints { found }),
            false if found > MAX_VALUES => Err(ReadingsError::TooManyValues),
            true | false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_a_bound_is_an_error_that_names_it() {
        let budget = Budget::default();
        for _ in 0..MAX_BLOCKS {
            budget.take_block(1).unwrap();
        }
        let error = budget.take_block(1).unwrap_err();
        assert!(error.to_string().contains("100000 blocks"), "{error}");
        let error = Budget::default().take_block(MAX_BYTES + 1).unwrap_err();
        assert!(error.to_string().contains("1024 MiB"), "{error}");
        let error = budget.take_values(MAX_VALUES + 1).unwrap_err();
        assert!(error.to_string().contains("4000000 samples"), "{error}");
    }
}
