//! What a file is, by its bytes: names and declared types prove nothing.

use crate::media::sanitise::{self, SanitiseError};
use thiserror::Error;

/// What may be kept, and shown to others.
const KEPT: [&str; 16] = [
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/avif",
    "audio/mpeg",
    "audio/x-wav",
    "audio/ogg",
    "audio/opus",
    "audio/x-flac",
    "audio/m4a",
    "audio/aac",
    "video/mp4",
    "video/webm",
    "application/pdf",
    SVG,
];
const SVG: &str = "image/svg+xml";

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SniffError {
    #[error("it is empty")]
    Empty,
    #[error("it is {0}, which is not kept: send a picture, sound, film, PDF or SVG")]
    Kind(String),
    #[error("it is no SVG that can be shown: {0}")]
    Svg(#[source] SanitiseError),
}

/// The media type by the bytes, and the bytes as they are kept: an SVG without what acts in it.
///
/// # Errors
/// Where it is nothing that is kept.
pub fn checked(bytes: Vec<u8>) -> Result<(&'static str, Vec<u8>), SniffError> {
    if bytes.is_empty() {
        return Err(SniffError::Empty);
    }
    let found = infer::get(&bytes).map(|kind| kind.mime_type());
    match found.and_then(|found| KEPT.into_iter().find(|kept| *kept == found)) {
        // Its IANA name.
        Some("audio/x-wav") => return Ok(("audio/wav", bytes)),
        Some("audio/x-flac") => return Ok(("audio/flac", bytes)),
        Some("audio/m4a") => return Ok(("audio/mp4", bytes)),
        Some(kept) => return Ok((kept, bytes)),
        None => {}
    }
    let is_markup = bytes.iter().find(|byte| !byte.is_ascii_whitespace() && **byte < 0x80);
    match (found, is_markup) {
        (None | Some("text/xml" | "application/xml" | SVG), Some(b'<')) => {
            let clean = sanitise::svg(&bytes, bytes.len() * 2).map_err(SniffError::Svg)?;
            Ok((SVG, clean))
        }
        (found, _) => Err(SniffError::Kind(found.unwrap_or("of no known kind").into())),
    }
}

/// Sound, picture, film or document, as UMCF calls it.
#[must_use]
pub fn kind_of(media_type: &str) -> &'static str {
    match media_type.split('/').next() {
        Some("audio") => "audio",
        Some("video") => "video",
        Some("image") => "image",
        _ => "document",
    }
}

/// The word for it in addresses and lists: `svg`, `png`.
#[must_use]
pub fn format_of(media_type: &str) -> &str {
    let word = media_type.rsplit('/').next().unwrap_or(media_type);
    word.strip_suffix("+xml").unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_bytes_say() {
        for (bytes, kind) in [
            (&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], "image/png"),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
            (b"ID3\x03\0\0\0\0\0\0", "audio/mpeg"),
            (b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav"),
            (b"OggS\0\x02\0\0", "audio/ogg"),
            (b"%PDF-1.7\n", "application/pdf"),
        ] {
            assert_eq!(checked(bytes.to_vec()).unwrap().0, kind);
        }
    }

    #[test]
    fn an_svg_is_kept_without_what_acts_in_it() {
        let svg = b"<?xml version='1.0'?><svg onload='x()'><script>x</script><g/></svg>";
        let (kind, clean) = checked(svg.to_vec()).unwrap();
        let text = String::from_utf8(clean).unwrap();
        assert_eq!(kind, "image/svg+xml");
        assert!(text.contains("<g/>") && !text.contains("script") && !text.contains("onload"));
    }

    #[test]
    fn pages_programs_and_nothing_are_refused() {
        for bytes in [
            &b"<!DOCTYPE html><html><body>x</body></html>"[..],
            b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0",
            b"just words",
            b"PK\x03\x04\x14\0\0\0",
            b"",
        ] {
            assert!(checked(bytes.to_vec()).is_err(), "{bytes:?}");
        }
    }
}
