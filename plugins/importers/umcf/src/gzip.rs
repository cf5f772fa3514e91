//! Gzip (RFC 1952), bounded: what a file inflates to is checked while it does.

/// A quarter of the memory that a plugin has; the parsed document needs the rest.
const MAX_INFLATED_BYTES: usize = 12 * 1024 * 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum GzipFault {
    NotGzip,
    TooLarge,
    Damaged,
}

impl std::fmt::Display for GzipFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotGzip => f.write_str("the file is not gzip"),
            Self::TooLarge => {
                let mebibytes = MAX_INFLATED_BYTES / 1024 / 1024;
                write!(f, "the file inflates to more than {mebibytes} MiB")
            }
            Self::Damaged => f.write_str("the packed file is cut off or damaged"),
        }
    }
}

pub(crate) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// The first member of a gzip file.
pub(crate) fn inflate(bytes: &[u8]) -> Result<Vec<u8>, GzipFault> {
    let body = body(bytes)?;
    let (deflated, trailer) = body.split_last_chunk::<8>().ok_or(GzipFault::Damaged)?;
    let inflated = miniz_oxide::inflate::decompress_to_vec_with_limit(deflated, MAX_INFLATED_BYTES)
        .map_err(|error| match error.status {
            miniz_oxide::inflate::TINFLStatus::HasMoreOutput => GzipFault::TooLarge,
            _ => GzipFault::Damaged,
        })?;
    let [a, b, c, d, ..] = *trailer;
    if crc32(&inflated) != u32::from_le_bytes([a, b, c, d]) {
        return Err(GzipFault::Damaged);
    }
    Ok(inflated)
}

/// What follows the header.
fn body(bytes: &[u8]) -> Result<&[u8], GzipFault> {
    const CRC: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    let [0x1f, 0x8b, 8, flags, _, _, _, _, _, _, rest @ ..] = bytes else {
        return Err(GzipFault::NotGzip);
    };
    let mut rest = rest;
    if flags & EXTRA != 0 {
        let (length, behind) = rest.split_first_chunk::<2>().ok_or(GzipFault::Damaged)?;
        rest = behind.get(usize::from(u16::from_le_bytes(*length))..).ok_or(GzipFault::Damaged)?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            let end = rest.iter().position(|byte| *byte == 0).ok_or(GzipFault::Damaged)?;
            rest = &rest[end + 1..];
        }
    }
    if flags & CRC != 0 {
        rest = rest.get(2..).ok_or(GzipFault::Damaged)?;
    }
    Ok(rest)
}

/// CRC-32 as gzip and zip have it.
fn crc32(bytes: &[u8]) -> u32 {
    let step =
        |crc: u32, byte: &u8| CRC_TABLE[((crc ^ u32::from(*byte)) & 0xff) as usize] ^ (crc >> 8);
    !bytes.iter().fold(!0, step)
}

const CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut file = vec![0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 255];
        file.extend_from_slice(b"name\0");
        file.extend(miniz_oxide::deflate::compress_to_vec(bytes, 6));
        file.extend(crc32(bytes).to_le_bytes());
        file.extend(u32::try_from(bytes.len()).unwrap_or(0).to_le_bytes());
        file
    }

    #[test]
    fn what_was_packed_comes_out() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(inflate(&packed(b"flyball")).as_deref(), Ok(&b"flyball"[..]));
    }

    #[test]
    fn a_bomb_is_refused_while_it_inflates() {
        let bomb = packed(&vec![0; MAX_INFLATED_BYTES + 1]);
        assert!(bomb.len() < 100_000);
        assert_eq!(inflate(&bomb), Err(GzipFault::TooLarge));
    }

    #[test]
    fn a_cut_or_changed_file_is_damaged_wherever_it_is() {
        let whole = packed(b"a governor of two weights on a spindle");
        for length in 10..whole.len() {
            assert_eq!(inflate(&whole[..length]), Err(GzipFault::Damaged), "{length}");
        }
        let mut changed = whole;
        let last = changed.len() - 6;
        changed[last] ^= 1;
        assert_eq!(inflate(&changed), Err(GzipFault::Damaged));
    }
}
