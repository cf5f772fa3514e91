//! A column of numbers as bytes: constant, packed by bits, or `pco`, whichever is smallest.
//!
//! The reader knows how many numbers there are. `pco` is driven by its wrapped format, so that
//! what it is about to allocate is known and refused before it does: modes and deltas that this
//! writer never chooses are errors.

use super::SegmentError;
use flyball_protocol::wire::{Bytes, put_varint, unzigzag, zigzag};
use pco::data_types::Number;
use pco::metadata::{ChunkMeta, DeltaEncoding, Mode};
use pco::wrapped::{FileCompressor, FileDecompressor};
use pco::{ChunkConfig, DeltaSpec, ModeSpec};

/// How the integers of a column are written.
mod form {
    /// One number for all.
    pub(super) const CONSTANT: u8 = 0;
    /// Offsets to the least, by bits.
    pub(super) const PACKED: u8 = 1;
    /// The first, then the differences packed.
    pub(super) const DELTA: u8 = 2;
    pub(super) const PCO: u8 = 3;
}

/// Fewer are not worth `pco`'s own header.
const MIN_PCO: usize = 32;
/// `pco`'s first byte after its version holds the mode; a dictionary is allocated as announced.
const PCO_VERSION_BYTES: usize = 2;
const PCO_DICTIONARY: u8 = 4;
/// Bits that one packed number takes at most: beyond, two words would not hold its place.
const MAX_WIDTH: u32 = 56;

pub(super) fn put(out: &mut Vec<u8>, numbers: &[i64]) -> Result<(), SegmentError> {
    let Some((&first, rest)) = numbers.split_first() else { return Ok(()) };
    if rest.iter().all(|&number| number == first) {
        out.push(form::CONSTANT);
        put_varint(out, zigzag(first));
        return Ok(());
    }
    let mut best = Vec::new();
    let offsets = Packing::of(numbers.iter().copied().map(Some));
    let pairs = numbers.iter().zip(rest);
    let deltas = Packing::of(pairs.map(|(&before, &after)| after.checked_sub(before)));
    match (offsets, deltas) {
        (Some(offsets), Some(deltas)) if deltas.width < offsets.width => {
            best.push(form::DELTA);
            put_varint(&mut best, zigzag(first));
            deltas.put(&mut best, numbers.iter().zip(rest).map(|(before, after)| after - before));
        }
        (Some(offsets), _) => {
            best.push(form::PACKED);
            offsets.put(&mut best, numbers.iter().copied());
        }
        (None, _) => {}
    }
    let packed_whole = deltas.is_some_and(|deltas| deltas.width == 0);
    if best.is_empty() || (!packed_whole && numbers.len() >= MIN_PCO) {
        let squeezed = squeeze(numbers)?;
        if best.is_empty() || squeezed.len() + 4 < best.len() {
            best = vec![form::PCO];
            put_varint(&mut best, squeezed.len() as u64);
            best.extend_from_slice(&squeezed);
        }
    }
    out.extend_from_slice(&best);
    Ok(())
}

/// How many bits a column takes, to compare it with others: as it is written where it is short,
/// else about, since compressing every column that might be would cost more than all samples.
pub(super) fn bits(numbers: &[i64]) -> Result<u64, SegmentError> {
    if numbers.len() < MIN_PCO {
        let mut bytes = Vec::new();
        put(&mut bytes, numbers)?;
        return Ok(bytes.len() as u64 * 8);
    }
    let width = |number: i64| u64::from(u64::BITS - zigzag(number).leading_zeros());
    let Some((&first, rest)) = numbers.split_first() else { return Ok(0) };
    let offsets: u64 = rest.iter().map(|&number| width(number.wrapping_sub(first))).sum();
    let pairs = numbers.iter().zip(rest);
    let deltas: u64 = pairs.map(|(&before, &after)| width(after.wrapping_sub(before))).sum();
    Ok(width(first) + offsets.min(deltas))
}

/// `count` numbers; the caller has held it to its bound.
pub(super) fn take(bytes: &mut Bytes<'_>, count: usize) -> Result<Vec<i64>, SegmentError> {
    const WHAT: &str = "numbers";
    if count == 0 {
        return Ok(Vec::new());
    }
    match bytes.byte(WHAT)? {
        form::CONSTANT => Ok(vec![unzigzag(bytes.varint(WHAT)?); count]),
        form::PACKED => unpack(bytes, count),
        form::DELTA => {
            let mut last = unzigzag(bytes.varint(WHAT)?);
            let mut numbers = Vec::with_capacity(count);
            numbers.push(last);
            for delta in unpack(bytes, count - 1)? {
                last = last.checked_add(delta).ok_or(SegmentError::Invalid(WHAT))?;
                numbers.push(last);
            }
            Ok(numbers)
        }
        form::PCO => {
            let length = bytes.count(WHAT, bytes.len())?;
            unsqueeze(bytes.take(length, WHAT)?, count)
        }
        _ => Err(SegmentError::Invalid(WHAT)),
    }
}

/// `pco` at its eighth level, which the history measured best. Left to itself it may look back, or
/// make a dictionary, which the reader does not take from anybody: then it is told the plain way.
pub(super) fn squeeze<T: Number>(numbers: &[T]) -> Result<Vec<u8>, SegmentError> {
    let paging = pco::PagingSpec::Exact(vec![numbers.len()]);
    let config = ChunkConfig::default().with_compression_level(8).with_paging_spec(paging);
    let file = FileCompressor::default();
    let mut chunk = file.chunk_compressor(numbers, &config)?;
    if !is_plain(chunk.meta()) {
        let config =
            config.with_mode_spec(ModeSpec::Classic).with_delta_spec(DeltaSpec::TryConsecutive(1));
        chunk = file.chunk_compressor(numbers, &config)?;
    }
    let out = file.write_header(Vec::new())?;
    let out = chunk.write_meta(out)?;
    Ok(chunk.write_page(0, out)?)
}

/// Is it written in a way that the reader can bound?
const fn is_plain(meta: &ChunkMeta) -> bool {
    let delta =
        matches!(meta.delta_encoding, DeltaEncoding::NoOp | DeltaEncoding::Consecutive { .. });
    delta && !matches!(meta.mode, Mode::Dict(_))
}

/// Exactly `count` numbers out of exactly these bytes.
pub(super) fn unsqueeze<T: Number>(bytes: &[u8], count: usize) -> Result<Vec<T>, SegmentError> {
    const WHAT: &str = "compressed numbers";
    match bytes.get(PCO_VERSION_BYTES) {
        Some(byte) if byte & 0x0f < PCO_DICTIONARY => {}
        _ => return Err(SegmentError::Invalid(WHAT)),
    }
    let (file, rest) = FileDecompressor::new(bytes)?;
    let (mut chunk, rest) = file.chunk_decompressor::<T, _>(rest)?;
    if !is_plain(chunk.meta()) {
        return Err(SegmentError::Invalid(WHAT));
    }
    let mut numbers = vec![T::default(); count];
    let mut page = chunk.page_decompressor(rest, count)?;
    let progress = page.read(&mut numbers)?;
    if progress.n_processed == count && progress.finished && page.into_src().is_empty() {
        Ok(numbers)
    } else {
        Err(SegmentError::Invalid(WHAT))
    }
}

#[derive(Clone, Copy)]
struct Packing {
    least: i64,
    width: u32,
}

impl Packing {
    /// `None` where a number is missing or they lie too far apart.
    fn of(mut numbers: impl Iterator<Item = Option<i64>>) -> Option<Self> {
        let first = numbers.next()??;
        let (least, most) = numbers.try_fold((first, first), |(least, most), number| {
            number.map(|number| (least.min(number), most.max(number)))
        })?;
        let span = most.checked_sub(least)?.cast_unsigned();
        let width = u64::BITS - span.leading_zeros();
        (width <= MAX_WIDTH).then_some(Self { least, width })
    }

    fn put(self, out: &mut Vec<u8>, numbers: impl Iterator<Item = i64>) {
        put_varint(out, zigzag(self.least));
        out.push(self.width.to_le_bytes()[0]);
        let (mut word, mut filled) = (0_u128, 0);
        for number in numbers {
            word |= u128::from((number - self.least).cast_unsigned()) << filled;
            filled += self.width;
            while filled >= 8 {
                out.push(word.to_le_bytes()[0]);
                word >>= 8;
                filled -= 8;
            }
        }
        if filled > 0 {
            out.push(word.to_le_bytes()[0]);
        }
    }
}

fn unpack(bytes: &mut Bytes<'_>, count: usize) -> Result<Vec<i64>, SegmentError> {
    const WHAT: &str = "packed numbers";
    let least = unzigzag(bytes.varint(WHAT)?);
    let width = u32::from(bytes.byte(WHAT)?);
    if width > MAX_WIDTH {
        return Err(SegmentError::Invalid(WHAT));
    }
    let length = (count * width as usize).div_ceil(8);
    let mut packed = bytes.take(length, WHAT)?.iter();
    let mask = (1_u128 << width) - 1;
    let (mut word, mut filled) = (0_u128, 0);
    (0..count)
        .map(|_| {
            while filled < width {
                word |= u128::from(packed.next().copied().unwrap_or_default()) << filled;
                filled += 8;
            }
            let offset = (word & mask).to_le_bytes();
            word >>= width;
            filled -= width;
            let mut low = [0; 8];
            low.copy_from_slice(&offset[..8]);
            least.checked_add(i64::from_le_bytes(low)).ok_or(SegmentError::Invalid(WHAT))
        })
        .collect()
}
