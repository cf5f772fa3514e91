//! The token that a stream gives out now and then, and takes to go on from.

use crate::store::Watermark;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

const VERSION: u8 = 1;
/// The longest token that is looked at.
const MAX_TEXT: usize = 128;
/// How old a bookmark may be: beyond, asking for the range is the cheaper way.
const MAX_AGE_MS: u64 = 15 * 60 * 1_000;

/// What a stream had told when the token was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bookmark {
    version: u8,
    pub(super) at_ms: u64,
    pub(super) told: Watermark,
}

/// Why a stream can't go on from where it was; the words are the API's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resync {
    UnknownToken,
    TooOld,
    TooMuch,
    StoreFailed,
}

impl Resync {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::UnknownToken => "unknown_token",
            Self::TooOld => "too_old",
            Self::TooMuch => "too_much",
            Self::StoreFailed => "store_failed",
        }
    }
}

impl Bookmark {
    pub(super) const fn new(at_ms: u64, told: Watermark) -> Self {
        Self { version: VERSION, at_ms, told }
    }

    pub(super) fn text(&self) -> Option<String> {
        Some(URL_SAFE_NO_PAD.encode(postcard::to_stdvec(self).ok()?))
    }

    /// Takes a token of this aggregator's database, whichever process gave it out.
    pub(super) fn read(text: &str, now_ms: u64, committed: Watermark) -> Result<Self, Resync> {
        let read = || -> Option<Self> {
            let bytes = URL_SAFE_NO_PAD.decode(text.get(..MAX_TEXT.min(text.len()))?).ok()?;
            let (bookmark, rest): (Self, _) = postcard::take_from_bytes(&bytes).ok()?;
            (rest.is_empty() && bookmark.version == VERSION).then_some(bookmark)
        };
        let bookmark = read().ok_or(Resync::UnknownToken)?;
        if bookmark.told.block > committed.block || bookmark.told.event > committed.event {
            return Err(Resync::UnknownToken);
        }
        if now_ms.saturating_sub(bookmark.at_ms) > MAX_AGE_MS {
            return Err(Resync::TooOld);
        }
        Ok(bookmark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: Watermark = Watermark { block: 7, event: 3 };
    const NOW_MS: u64 = 1_795_298_300_000;

    #[test]
    fn a_bookmark_is_read_as_it_was_given() {
        let bookmark = Bookmark::new(NOW_MS, TOLD);
        let text = bookmark.text().unwrap();
        assert_eq!(Bookmark::read(&text, NOW_MS + MAX_AGE_MS, TOLD), Ok(bookmark));
        assert_eq!(Bookmark::read(&text, NOW_MS + MAX_AGE_MS + 1, TOLD), Err(Resync::TooOld));
    }

    #[test]
    fn what_this_database_never_gave_out_is_unknown() {
        let text = Bookmark::new(NOW_MS, TOLD).text().unwrap();
        let restored = Watermark { block: 6, ..TOLD };
        assert_eq!(Bookmark::read(&text, NOW_MS, restored), Err(Resync::UnknownToken));
        let future = Bookmark { version: 2, ..Bookmark::new(NOW_MS, TOLD) }.text().unwrap();
        let long = "A".repeat(100_000);
        for text in ["", "x", "äöü", &future, &format!("{text}AA"), &long] {
            assert_eq!(Bookmark::read(text, NOW_MS, TOLD), Err(Resync::UnknownToken), "{text}");
        }
    }
}
