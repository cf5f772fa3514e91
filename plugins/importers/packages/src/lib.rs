//! Course packages for tests: sound ones of any length, and hostile ones. The same seed gives
//! the same bytes.

pub mod cartridge;
pub mod epub;
pub mod hostile;
pub mod ocw;
pub mod pdf;
pub mod prose;
pub mod zip;

/// A picture of one red pixel.
pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde\0\0\0\x0cIDATx\x9cc\xf8\xcf\xc0\0\0\x03\x01\x01\0\xc9\xfe\x92\xef\0\0\0\0IEND\xaeB`\x82";
