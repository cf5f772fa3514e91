//! Words of SVG: escaped text, short numbers, compact paths.

use super::clip::Dot;
use std::fmt::Write;

/// Text for an element or an attribute. Characters that XML can't hold become a space.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => out.push(' '),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// A tenth of a pixel is as fine as a picture gets.
pub(crate) fn number(value: f64) -> String {
    let mut out = String::new();
    push_tenths(&mut out, tenths(value), false);
    out
}

fn tenths(value: f64) -> i32 {
    (value * 10.0).round().clamp(-1e8, 1e8) as i32
}

fn push_tenths(out: &mut String, value: i32, parted: bool) {
    if value < 0 {
        out.push('-');
    } else if parted {
        out.push(' ');
    }
    let value = value.unsigned_abs();
    // Writing to a String does not fail.
    let _ = match (value / 10, value % 10) {
        (whole, 0) => write!(out, "{whole}"),
        (0, part) => write!(out, ".{part}"),
        (whole, part) => write!(out, "{whole}.{part}"),
    };
}

/// The `d` of a path, in steps of a tenth of a pixel.
#[derive(Debug, Default)]
pub(crate) struct Path {
    pub(crate) d: String,
    at: (i32, i32),
}

impl Path {
    pub(crate) fn is_empty(&self) -> bool {
        self.d.is_empty()
    }

    pub(crate) fn ring(&mut self, dots: &[Dot]) {
        let before = self.d.len();
        if self.run(dots, 3) {
            self.d.push('z');
        } else {
            self.d.truncate(before);
        }
    }

    pub(crate) fn line(&mut self, dots: &[Dot]) {
        let before = self.d.len();
        if !self.run(dots, 2) {
            self.d.truncate(before);
        }
    }

    /// Points nearer than half a pixel to the one before are left out. False: too few are left.
    fn run(&mut self, dots: &[Dot], least: usize) -> bool {
        let mut count = 0;
        let mut from = Dot { x: f64::MAX, y: f64::MAX };
        for (index, &dot) in dots.iter().enumerate() {
            let last = index + 1 == dots.len();
            if count > 0 && !last && (dot.x - from.x).abs() + (dot.y - from.y).abs() < 0.6 {
                continue;
            }
            from = dot;
            let to = (tenths(dot.x), tenths(dot.y));
            if count == 0 {
                self.d.push('M');
                push_tenths(&mut self.d, to.0, false);
                push_tenths(&mut self.d, to.1, true);
            } else if to == self.at {
                continue;
            } else {
                if count == 1 {
                    self.d.push('l');
                }
                push_tenths(&mut self.d, to.0 - self.at.0, count > 1);
                push_tenths(&mut self.d, to.1 - self.at.1, true);
            }
            self.at = to;
            count += 1;
        }
        count >= least
    }

    /// A line through the middles of its edges, rounded at its points: for coarse data.
    pub(crate) fn smooth(&mut self, dots: &[Dot], closed: bool) {
        let mut kept: Vec<Dot> = Vec::with_capacity(dots.len());
        for &dot in dots {
            if kept.last().is_none_or(|last| last.distance(dot) > 1.2) {
                kept.push(dot);
            }
        }
        if kept.len() < 3 {
            return if closed { self.ring(dots) } else { self.line(dots) };
        }
        let middle =
            |a: Dot, b: Dot| Dot { x: f64::midpoint(a.x, b.x), y: f64::midpoint(a.y, b.y) };
        let (Some(&first), Some(&last)) = (kept.first(), kept.last()) else { return };
        let start = if closed { middle(last, first) } else { first };
        self.absolute('M', start);
        for (index, &dot) in kept.iter().enumerate() {
            let next = kept.get(index + 1).copied();
            let end = match next {
                Some(next) => middle(dot, next),
                None if closed => start,
                None => dot,
            };
            self.absolute('Q', dot);
            push_tenths(&mut self.d, tenths(end.x), true);
            push_tenths(&mut self.d, tenths(end.y), true);
        }
        if closed {
            self.d.push('z');
        }
    }

    fn absolute(&mut self, command: char, dot: Dot) {
        self.d.push(command);
        push_tenths(&mut self.d, tenths(dot.x), false);
        push_tenths(&mut self.d, tenths(dot.y), true);
    }
}
