//! The only reader of randomness in this program.

pub(crate) fn number() -> u64 {
    // The kernel's source fails only before the first boot's entropy is in.
    getrandom::u64().unwrap_or_else(|_| uuid::Uuid::new_v4().as_u64_pair().0)
}

/// Bytes for a key or a nonce.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    for part in bytes.chunks_mut(8) {
        let random = number().to_be_bytes();
        part.copy_from_slice(&random[..part.len()]);
    }
    bytes
}

/// 0 to 1.
pub(crate) fn jitter() -> f64 {
    f64::from(u32::try_from(number() >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}
