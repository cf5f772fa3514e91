//! A picture of the land in few colours: a quarter of a degree a cell, in bands of rows that are
//! coded one by one (the binary range coder of LZMA), so that a small map reads few of them.

use super::atlas::{Damaged, Reader};
use super::request::Geo;

const ABOVE: i32 = 11;

#[derive(Debug)]
pub(crate) struct Grid {
    cells_per_degree: usize,
    band_rows: usize,
    palette: &'static [u8],
    bands: Vec<&'static [u8]>,
    /// Rows that were read, `None` where nobody asked yet.
    rows: Vec<Option<Vec<u8>>>,
}

/// Red, green, blue.
pub(crate) type Rgb = [f64; 3];

impl Grid {
    pub(crate) fn open(mut reader: Reader) -> Result<Self, Damaged> {
        let cells_per_degree = reader.number()? as usize;
        let band_rows = reader.number()? as usize;
        let colours = reader.number()? as usize;
        if cells_per_degree == 0 || cells_per_degree > 8 || band_rows == 0 || colours > 63 {
            return Err(Damaged);
        }
        let palette = reader.bytes(colours * 3)?;
        let count = (180 * cells_per_degree).div_ceil(band_rows);
        let lengths = (0..count).map(|_| reader.number()).collect::<Result<Vec<_>, _>>()?;
        let bands = lengths.into_iter().map(|length| reader.bytes(length as usize));
        let bands = bands.collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            cells_per_degree,
            band_rows,
            palette,
            bands,
            rows: vec![None; 180 * cells_per_degree],
        })
    }

    /// The colour between the sixteen nearest cells, weighed by cubic splines, which show no
    /// squares; nothing where there is no land near.
    pub(crate) fn colour(&mut self, at: Geo) -> Option<Rgb> {
        let scale = self.cells_per_degree as f64;
        let x = (at.longitude + 180.0).rem_euclid(360.0) * scale - 0.5;
        let y = ((90.0 - at.latitude) * scale - 0.5).max(0.0);
        let (left, top) = (x.floor(), y.floor());
        let (across, down) = (spline(x - left), spline(y - top));
        let (mut sum, mut total) = ([0.0; 3], 0.0);
        for (row, down) in (top as i64 - 1..).zip(down) {
            for (column, across) in (left as i64 - 1..).zip(across) {
                let Some(colour) = self.cell(column, row) else { continue };
                let weight = across * down;
                for (sum, part) in sum.iter_mut().zip(colour) {
                    *sum += f64::from(*part) * weight;
                }
                total += weight;
            }
        }
        (total > 0.02).then(|| sum.map(|part| part / total))
    }

    fn cell(&mut self, column: i64, row: i64) -> Option<&'static [u8]> {
        let columns = 360 * self.cells_per_degree;
        let column = column.rem_euclid(columns as i64) as usize;
        let row = (row.max(0) as usize).min(self.rows.len().saturating_sub(1));
        if self.rows.get(row)?.is_none() {
            self.read_band(row / self.band_rows, columns);
        }
        let cell = usize::from(*self.rows.get(row)?.as_ref()?.get(column)?);
        self.palette.get(cell.checked_sub(1)? * 3..)?.get(..3)
    }

    fn read_band(&mut self, band: usize, columns: usize) {
        let mut coder = Decoder::new(self.bands.get(band).copied().unwrap_or_default());
        let mut chances = Chances::new();
        let first = band * self.band_rows;
        let mut above = vec![0; columns];
        for row in first..(first + self.band_rows).min(self.rows.len()) {
            above = read_row(&mut coder, &mut chances, &above);
            if let Some(place) = self.rows.get_mut(row) {
                *place = Some(above.clone());
            }
        }
    }
}

fn read_row(coder: &mut Decoder, chances: &mut Chances, above: &[u8]) -> Vec<u8> {
    let mut left = 0;
    above
        .iter()
        .map(|&up| {
            let context = usize::from(left == up) * 2 + usize::from(left == 0);
            if coder.bit(&mut chances.as_left[context]) == 0 {
                return left;
            }
            left = if up != left && coder.bit(&mut chances.as_up[usize::from(up == 0)]) == 0 {
                up
            } else {
                let tree = &mut chances.index[usize::from(left)];
                (0..6).fold(1, |node: usize, _| node << 1 | coder.bit(&mut tree[node & 63])) as u8
                    & 63
            };
            left
        })
        .collect()
}

/// The weights of the cells before, at, after and past a place that lies so far into a cell.
fn spline(part: f64) -> [f64; 4] {
    let rest = 1.0 - part;
    [
        rest.powi(3) / 6.0,
        (3.0 * part.powi(3) - 6.0 * part * part + 4.0) / 6.0,
        (3.0 * rest.powi(3) - 6.0 * rest * rest + 4.0) / 6.0,
        part.powi(3) / 6.0,
    ]
}

struct Chances {
    as_left: [u16; 4],
    as_up: [u16; 2],
    index: [[u16; 64]; 64],
}

impl Chances {
    fn new() -> Self {
        Self { as_left: [1024; 4], as_up: [1024; 2], index: [[1024; 64]; 64] }
    }
}

struct Decoder {
    rest: &'static [u8],
    range: u32,
    code: u32,
}

impl Decoder {
    fn new(bytes: &'static [u8]) -> Self {
        let mut decoder = Self { rest: bytes, range: u32::MAX, code: 0 };
        for _ in 0..4 {
            decoder.next();
        }
        decoder
    }

    fn next(&mut self) {
        let (byte, rest) = match self.rest.split_first() {
            Some((&byte, rest)) => (byte, rest),
            None => (0, self.rest),
        };
        self.rest = rest;
        self.code = self.code << 8 | u32::from(byte);
    }

    fn bit(&mut self, chance: &mut u16) -> usize {
        let bound = (self.range >> ABOVE) * u32::from(*chance);
        let bit = if self.code < bound {
            self.range = bound;
            *chance += (2048 - *chance) >> 4;
            0
        } else {
            self.code -= bound;
            self.range -= bound;
            *chance -= *chance >> 4;
            1
        };
        while self.range < 1 << 24 {
            self.range <<= 8;
            self.next();
        }
        bit
    }
}
