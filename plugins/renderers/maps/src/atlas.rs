//! The world as `data/pack.py` packed it: `FBMAP1`, the number of sections, their lengths (four
//! bytes each), the sections. Numbers are LEB128, signed ones in zigzag; a line is the count of
//! its points and the steps from where the line before it ended, in units of its section.
//!
//! Sections: countries, three levels of detail, two of waters, cities, two grids of colours.
//! Rings and arcs pass 180 degrees rather than jump there.

use super::grid::Grid;
use super::request::Geo;

static WORLD: &[u8] = include_bytes!("../data/world.bin");
const MAGIC: &[u8] = b"FBMAP1";

/// The file is not what the packer wrote.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Damaged;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    Coarse,
    Medium,
    Fine,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colours {
    Relief,
    Imagery,
}

#[derive(Debug)]
pub(crate) struct Country {
    pub(crate) name: &'static str,
    /// No neighbour has the same; seven of them.
    pub(crate) colour: usize,
    /// Tenths of square degrees at the equator.
    pub(crate) size: u32,
}

#[derive(Debug)]
pub(crate) struct City {
    pub(crate) name: &'static str,
    pub(crate) at: Geo,
}

#[derive(Debug)]
pub(crate) struct Arc {
    pub(crate) points: Vec<Geo>,
    pub(crate) bounds: Bounds,
    /// One country: coast. Two: a border between them.
    pub(crate) users: u32,
}

#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) country: usize,
    /// Rings of all its polygons, outlines and holes alike, as arcs; `!n` is arc n backwards.
    pub(crate) rings: Vec<Vec<i32>>,
}

#[derive(Debug)]
pub(crate) struct Level {
    pub(crate) arcs: Vec<Arc>,
    pub(crate) shapes: Vec<Shape>,
}

#[derive(Debug)]
pub(crate) struct Waters {
    pub(crate) lakes: Vec<Vec<Geo>>,
    pub(crate) rivers: Vec<Vec<Geo>>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) west: f64,
    pub(crate) east: f64,
    pub(crate) south: f64,
    pub(crate) north: f64,
}

impl Bounds {
    pub(crate) fn of(points: &[Geo]) -> Self {
        let none = Self { west: f64::MAX, east: f64::MIN, south: f64::MAX, north: f64::MIN };
        points.iter().fold(none, |b, p| Self {
            west: b.west.min(p.longitude),
            east: b.east.max(p.longitude),
            south: b.south.min(p.latitude),
            north: b.north.max(p.latitude),
        })
    }
}

pub(crate) fn countries() -> Result<Vec<Country>, Damaged> {
    let mut reader = section(0)?;
    (0..reader.count()?)
        .map(|_| {
            let name = reader.text()?;
            Ok(Country { name, colour: reader.number()? as usize, size: reader.number()? })
        })
        .collect()
}

pub(crate) fn cities() -> Result<Vec<City>, Damaged> {
    let mut reader = section(6)?;
    (0..reader.count()?)
        .map(|_| {
            let name = reader.text()?;
            let (x, y) = (reader.signed()?, reader.signed()?);
            Ok(City {
                name,
                at: Geo { longitude: f64::from(x) / 1000.0, latitude: f64::from(y) / 1000.0 },
            })
        })
        .collect()
}

pub(crate) fn level(detail: Detail) -> Result<Level, Damaged> {
    let mut reader = section(match detail {
        Detail::Coarse => 1,
        Detail::Medium => 2,
        Detail::Fine => 3,
    })?;
    let units = f64::from(reader.number()?);
    let count = reader.count()?;
    let mut pen = (0, 0);
    let mut arcs = Vec::with_capacity(count);
    for _ in 0..count {
        let points = reader.line(&mut pen, units)?;
        arcs.push(Arc { bounds: Bounds::of(&points), points, users: 0 });
    }
    let mut shapes = Vec::new();
    for _ in 0..reader.count()? {
        let country = reader.number()? as usize;
        let mut rings = Vec::new();
        for _ in 0..reader.count()? {
            for _ in 0..reader.count()? {
                rings.push(reader.ring(&mut arcs)?);
            }
        }
        shapes.push(Shape { country, rings });
    }
    Ok(Level { arcs, shapes })
}

pub(crate) fn waters(detail: Detail) -> Result<Waters, Damaged> {
    let mut reader = section(if detail == Detail::Coarse { 4 } else { 5 })?;
    let units = f64::from(reader.number()?);
    let mut lines = || {
        let mut pen = (0, 0);
        (0..reader.count()?).map(|_| reader.line(&mut pen, units)).collect::<Result<Vec<_>, _>>()
    };
    Ok(Waters { lakes: lines()?, rivers: lines()? })
}

pub(crate) fn grid(colours: Colours) -> Result<Grid, Damaged> {
    let section = section(match colours {
        Colours::Relief => 7,
        Colours::Imagery => 8,
    })?;
    Grid::open(section)
}

impl Level {
    /// A closed ring whose longitudes do not jump. A ring around a pole ends a turn away from
    /// where it began.
    pub(crate) fn ring(&self, references: &[i32]) -> Vec<Geo> {
        let mut ring: Vec<Geo> = Vec::new();
        for &reference in references {
            let Some(arc) = self.arc(reference) else { continue };
            if reference < 0 {
                append(&mut ring, arc.points.iter().rev());
            } else {
                append(&mut ring, arc.points.iter());
            }
        }
        ring
    }

    pub(crate) fn arc(&self, reference: i32) -> Option<&Arc> {
        self.arcs.get(index_of(reference))
    }
}

fn append<'a>(ring: &mut Vec<Geo>, points: impl Iterator<Item = &'a Geo>) {
    let mut offset = None;
    let mut points = points.peekable();
    if let (Some(last), Some(first)) = (ring.last(), points.peek()) {
        offset = Some(((last.longitude - first.longitude) / 360.0).round() * 360.0);
        points.next();
    }
    let offset = offset.unwrap_or(0.0);
    ring.extend(points.map(|p| Geo { longitude: p.longitude + offset, latitude: p.latitude }));
}

fn index_of(reference: i32) -> usize {
    (if reference < 0 { !reference } else { reference }) as usize
}

fn section(wanted: usize) -> Result<Reader, Damaged> {
    let rest = WORLD.strip_prefix(MAGIC).ok_or(Damaged)?;
    let (&count, rest) = rest.split_first().ok_or(Damaged)?;
    let (lengths, mut rest) = rest.split_at_checked(usize::from(count) * 4).ok_or(Damaged)?;
    for (index, length) in lengths.chunks_exact(4).enumerate() {
        let length = length.iter().rev().fold(0_usize, |sum, &byte| sum << 8 | usize::from(byte));
        let (section, after) = rest.split_at_checked(length).ok_or(Damaged)?;
        if index == wanted {
            return Ok(Reader { rest: section });
        }
        rest = after;
    }
    Err(Damaged)
}

#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) rest: &'static [u8],
}

impl Reader {
    pub(crate) fn number(&mut self) -> Result<u32, Damaged> {
        let mut value = 0_u32;
        for shift in (0..32).step_by(7) {
            let (&byte, rest) = self.rest.split_first().ok_or(Damaged)?;
            self.rest = rest;
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Damaged)
    }

    fn signed(&mut self) -> Result<i32, Damaged> {
        let value = self.number()?;
        Ok((value >> 1) as i32 ^ -((value & 1) as i32))
    }

    /// A count of things that take a byte each at least.
    fn count(&mut self) -> Result<usize, Damaged> {
        let count = self.number()? as usize;
        if count > self.rest.len() { Err(Damaged) } else { Ok(count) }
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Result<&'static [u8], Damaged> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(Damaged)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn text(&mut self) -> Result<&'static str, Damaged> {
        let length = self.count()?;
        std::str::from_utf8(self.bytes(length)?).map_err(|_| Damaged)
    }

    fn line(&mut self, pen: &mut (i32, i32), units: f64) -> Result<Vec<Geo>, Damaged> {
        (0..self.count()?)
            .map(|_| {
                pen.0 = pen.0.wrapping_add(self.signed()?);
                pen.1 = pen.1.wrapping_add(self.signed()?);
                Ok(Geo { longitude: f64::from(pen.0) / units, latitude: f64::from(pen.1) / units })
            })
            .collect()
    }

    fn ring(&mut self, arcs: &mut [Arc]) -> Result<Vec<i32>, Damaged> {
        let mut last = 0_i32;
        (0..self.count()?)
            .map(|_| {
                last = last.wrapping_add(self.signed()?);
                arcs.get_mut(index_of(last)).ok_or(Damaged)?.users += 1;
                Ok(last)
            })
            .collect()
    }
}
