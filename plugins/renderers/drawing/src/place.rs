//! Places in a source as an editor counts them.

/// Line and column from 1; the column counts Unicode scalar values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: u32,
    pub column: u32,
}

impl Place {
    /// Where the byte `offset` of `source` stands. Past the end it is the end.
    #[must_use]
    pub fn of_byte(source: &str, offset: usize) -> Self {
        let mut end = offset.min(source.len());
        while !source.is_char_boundary(end) {
            end -= 1;
        }
        let before = &source[..end];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: count(before.matches('\n').count()),
            column: count(before[line_start..].chars().count()),
        }
    }

    /// The last line of `source` that holds anything, and the column behind its text.
    #[must_use]
    pub fn end_of(source: &str) -> Self {
        Self::of_byte(source, source.trim_end().len())
    }
}

fn count(before: usize) -> u32 {
    u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
}
