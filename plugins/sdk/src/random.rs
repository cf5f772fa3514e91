//! Randomness for samples, jitter and ids. It is no source for keys.

pub use crate::bindings::flyball::plugin::random::bytes;

/// As the host hands them out at once.
const CHUNK_BYTES: usize = 64 * 1024;

pub fn fill(buffer: &mut [u8]) {
    for chunk in buffer.chunks_mut(CHUNK_BYTES) {
        let length = u32::try_from(chunk.len()).unwrap_or_default();
        // A host that gives fewer leaves the rest as it was.
        for (to, from) in chunk.iter_mut().zip(bytes(length)) {
            *to = from;
        }
    }
}

#[must_use]
pub fn number() -> u64 {
    let mut bytes = [0; 8];
    fill(&mut bytes);
    u64::from_le_bytes(bytes)
}
