//! Cuts polygons and lines to a rectangle of the picture.

/// Pixels from the picture's upper left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Dot {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

impl Dot {
    pub(crate) fn distance(self, other: Self) -> f64 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Frame {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

impl Frame {
    pub(crate) fn grown(self, by: f64) -> Self {
        Self {
            left: self.left - by,
            top: self.top - by,
            right: self.right + by,
            bottom: self.bottom + by,
        }
    }

    pub(crate) fn holds(&self, dot: Dot) -> bool {
        (self.left..=self.right).contains(&dot.x) && (self.top..=self.bottom).contains(&dot.y)
    }

    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    pub(crate) fn contains(&self, other: &Self) -> bool {
        self.left <= other.left
            && other.right <= self.right
            && self.top <= other.top
            && other.bottom <= self.bottom
    }

    pub(crate) fn around<'a>(dots: impl IntoIterator<Item = &'a Dot>) -> Self {
        let none = Self { left: f64::MAX, top: f64::MAX, right: f64::MIN, bottom: f64::MIN };
        dots.into_iter().fold(none, |f, d| Self {
            left: f.left.min(d.x),
            top: f.top.min(d.y),
            right: f.right.max(d.x),
            bottom: f.bottom.max(d.y),
        })
    }
}

/// Sutherland and Hodgman, side by side. Edges that it adds lie on the frame.
pub(crate) fn polygon(dots: Vec<Dot>, frame: &Frame) -> Option<Vec<Dot>> {
    let around = Frame::around(&dots);
    if dots.len() < 3 || !around.meets(frame) {
        return None;
    }
    if frame.contains(&around) {
        return Some(dots);
    }
    let dots = side(&dots, |d| d.x - frame.left);
    let dots = side(&dots, |d| frame.right - d.x);
    let dots = side(&dots, |d| d.y - frame.top);
    let dots = side(&dots, |d| frame.bottom - d.y);
    (dots.len() >= 3).then_some(dots)
}

fn side(dots: &[Dot], inward: impl Fn(Dot) -> f64) -> Vec<Dot> {
    let mut kept = Vec::with_capacity(dots.len());
    let Some(&last) = dots.last() else { return kept };
    let (mut from, mut from_inward) = (last, inward(last));
    for &to in dots {
        let to_inward = inward(to);
        if (from_inward < 0.0) != (to_inward < 0.0) {
            kept.push(between(from, to, from_inward / (from_inward - to_inward)));
        }
        if to_inward >= 0.0 {
            kept.push(to);
        }
        (from, from_inward) = (to, to_inward);
    }
    kept
}

fn between(from: Dot, to: Dot, part: f64) -> Dot {
    Dot { x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part }
}

/// The pieces of a line that lie in the frame (Liang and Barsky, edge by edge).
pub(crate) fn line(dots: &[Dot], frame: &Frame) -> Vec<Vec<Dot>> {
    let mut pieces: Vec<Vec<Dot>> = Vec::new();
    let mut open = false;
    for pair in dots.windows(2) {
        let &[from, to] = pair else { continue };
        let Some((enter, leave)) = edge(from, to, frame) else {
            open = false;
            continue;
        };
        let end = between(from, to, leave);
        match pieces.last_mut() {
            Some(piece) if open && enter == 0.0 => piece.push(end),
            Some(_) | None => pieces.push(vec![between(from, to, enter), end]),
        }
        open = leave == 1.0;
    }
    pieces
}

fn edge(from: Dot, to: Dot, frame: &Frame) -> Option<(f64, f64)> {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    let sides = [
        (-dx, from.x - frame.left),
        (dx, frame.right - from.x),
        (-dy, from.y - frame.top),
        (dy, frame.bottom - from.y),
    ];
    for (outward, room) in sides {
        if outward == 0.0 {
            if room < 0.0 {
                return None;
            }
        } else if outward < 0.0 {
            enter = enter.max(room / outward);
        } else {
            leave = leave.min(room / outward);
        }
    }
    (enter <= leave).then_some((enter, leave))
}
