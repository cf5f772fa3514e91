//! Bytes against the block decoder, and samples through the encoder and back.

#![no_main]

#[path = "../judge.rs"]
mod judge;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    judge::judge_bytes(bytes);
    judge::judge_samples(bytes);
});
