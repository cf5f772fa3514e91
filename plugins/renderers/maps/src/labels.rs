//! Places for names. Who comes first gets the place; who finds none is counted and left out.

use super::clip::{Dot, Frame};
use super::svg::{escaped, number};
use super::text;
use std::fmt::Write;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// How the letters of a label look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hand {
    pub(crate) size: f64,
    pub(crate) bold: bool,
    pub(crate) italic: bool,
    /// Between letters.
    pub(crate) spacing: f64,
    pub(crate) ink: &'static str,
    pub(crate) halo: &'static str,
    pub(crate) class: &'static str,
}

impl Hand {
    pub(crate) fn width(&self, line: &str) -> f64 {
        text::width(line, self.size, self.bold) + line.chars().count() as f64 * self.spacing
    }

    fn line_height(&self) -> f64 {
        self.size * 1.15
    }
}

/// Where the middle of the label's first line would begin, be centred or end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot {
    pub(crate) at: Dot,
    pub(crate) anchor: Anchor,
    /// Degrees clockwise, about the spot; for labels of one line.
    pub(crate) turn: f64,
}

#[derive(Debug)]
pub(crate) struct Board {
    picture: Frame,
    taken: Vec<Frame>,
    /// The labels that stand, with the boxes that they fill.
    pub(crate) svg: String,
    pub(crate) boxes: Vec<(String, Vec<Frame>)>,
}

impl Board {
    pub(crate) fn new(picture: Frame) -> Self {
        Self { picture, taken: Vec::new(), svg: String::new(), boxes: Vec::new() }
    }

    /// Nothing is written here.
    pub(crate) fn block(&mut self, frame: Frame) {
        self.taken.push(frame);
    }

    pub(crate) fn is_free(&self, frame: &Frame) -> bool {
        self.picture.contains(frame) && !self.taken.iter().any(|taken| taken.meets(frame))
    }

    /// Writes the lines at the first spot that is free.
    pub(crate) fn place(
        &mut self,
        lines: &[String],
        hand: &Hand,
        spots: impl IntoIterator<Item = Spot>,
    ) -> bool {
        for spot in spots {
            let boxes = boxes(lines, hand, &spot);
            if boxes.iter().all(|frame| self.is_free(frame)) {
                self.write(lines, hand, &spot);
                self.taken.extend(&boxes);
                self.boxes.push((lines.join(" "), boxes));
                return true;
            }
        }
        false
    }

    fn write(&mut self, lines: &[String], hand: &Hand, spot: &Spot) {
        let anchor = match spot.anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let (x, mut y) = (number(spot.at.x), spot.at.y + hand.size * 0.35);
        let svg = &mut self.svg;
        let mut style = String::new();
        if hand.bold {
            style.push_str(r#" font-weight="bold""#);
        }
        if hand.italic {
            style.push_str(r#" font-style="italic""#);
        }
        // Writing to a String does not fail.
        if hand.spacing > 0.0 {
            let _ = write!(style, r#" letter-spacing="{}""#, number(hand.spacing));
        }
        if spot.turn.abs() > 0.5 {
            let (turn, y) = (number(spot.turn), number(spot.at.y));
            let _ = write!(style, r#" transform="rotate({turn} {x} {y})""#);
        }
        let Hand { size, ink, halo, class, .. } = hand;
        let (size, halo_width) = (number(*size), number((size * 0.2).clamp(2.0, 3.5)));
        for line in lines {
            let (line, at) = (escaped(line), number(y));
            let _ = writeln!(
                svg,
                r#"<text class="{class}" x="{x}" y="{at}" font-size="{size}" text-anchor="{anchor}" fill="{ink}" stroke="{halo}" stroke-width="{halo_width}" stroke-opacity=".85" stroke-linejoin="round" paint-order="stroke"{style}>{line}</text>"#
            );
            y += hand.line_height();
        }
    }
}

fn boxes(lines: &[String], hand: &Hand, spot: &Spot) -> Vec<Frame> {
    const AIR: f64 = 1.5;
    let half = hand.size * 0.58 + AIR;
    let widest = lines.iter().map(|line| hand.width(line)).fold(0.0, f64::max);
    if spot.turn.abs() > 0.5 {
        return turned(widest, half, spot);
    }
    let left = match spot.anchor {
        Anchor::Start => spot.at.x,
        Anchor::Middle => spot.at.x - widest / 2.0,
        Anchor::End => spot.at.x - widest,
    };
    let more = hand.line_height() * lines.len().saturating_sub(1) as f64;
    vec![Frame {
        left: left - AIR,
        top: spot.at.y - half,
        right: left + widest + AIR,
        bottom: spot.at.y + more + half,
    }]
}

/// Squares along the turned line.
fn turned(width: f64, half: f64, spot: &Spot) -> Vec<Frame> {
    let (sin, cos) = spot.turn.to_radians().sin_cos();
    let steps = (width / half).ceil().max(1.0);
    (0..=steps as u32)
        .map(|step| {
            let along = width * (f64::from(step) / steps - 0.5);
            let (x, y) = (spot.at.x + along * cos, spot.at.y + along * sin);
            Frame { left: x - half, top: y - half, right: x + half, bottom: y + half }
        })
        .collect()
}
