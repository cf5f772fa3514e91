//! The only reader of randomness in this program.

pub(crate) fn number() -> u64 {
    // The kernel's source fails only before the first boot's entropy is in.
    getrandom::u64().unwrap_or_else(|_| uuid::Uuid::new_v4().as_u64_pair().0)
}

/// 0 to 1.
pub(crate) fn jitter() -> f64 {
    f64::from(u32::try_from(number() >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}
