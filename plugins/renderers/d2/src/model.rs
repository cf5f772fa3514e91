//! What a source says, with every name resolved.

use std::collections::BTreeMap;

pub(crate) const MAX_SHAPES: usize = 500;
pub(crate) const MAX_CONNECTIONS: usize = 1_000;
pub(crate) const MAX_DEPTH: usize = 16;

/// Index into [`Diagram::shapes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ShapeId(pub(crate) usize);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Direction {
    #[default]
    Down,
    Up,
    Right,
    Left,
}

impl Direction {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "down" => Self::Down,
            "up" => Self::Up,
            "right" => Self::Right,
            "left" => Self::Left,
            _ => return None,
        })
    }
}

/// What a source says of looks; what it does not say is the theme's.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Style {
    pub(crate) fill: Option<String>,
    pub(crate) stroke: Option<String>,
    pub(crate) font_color: Option<String>,
    pub(crate) stroke_width: Option<f64>,
    pub(crate) stroke_dash: Option<f64>,
    pub(crate) border_radius: Option<f64>,
    pub(crate) font_size: Option<f64>,
    pub(crate) opacity: Option<f64>,
    pub(crate) bold: Option<bool>,
    pub(crate) italic: Option<bool>,
}

#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) label: String,
    pub(crate) kind: &'static str,
    pub(crate) style: Style,
    pub(crate) parent: Option<ShapeId>,
    pub(crate) children: Vec<ShapeId>,
    pub(crate) width: Option<f64>,
    pub(crate) height: Option<f64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) from: ShapeId,
    pub(crate) to: ShapeId,
    pub(crate) arrow_at_start: bool,
    pub(crate) arrow_at_end: bool,
    pub(crate) label: String,
    pub(crate) style: Style,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Diagram {
    pub(crate) shapes: Vec<Shape>,
    pub(crate) connections: Vec<Connection>,
    pub(crate) direction: Direction,
    /// A shape by its container and its name in lower case, as D2 compares names.
    names: BTreeMap<(Option<ShapeId>, String), ShapeId>,
}

impl Diagram {
    pub(crate) fn shape(&self, id: ShapeId) -> Option<&Shape> {
        self.shapes.get(id.0)
    }

    pub(crate) fn shape_mut(&mut self, id: ShapeId) -> Option<&mut Shape> {
        self.shapes.get_mut(id.0)
    }

    /// The shape `name` in `parent`, which is made by being named. `None` where there are too
    /// many.
    pub(crate) fn named(&mut self, parent: Option<ShapeId>, name: &str) -> Option<ShapeId> {
        let key = (parent, name.to_lowercase());
        if let Some(known) = self.names.get(&key) {
            return Some(*known);
        }
        if self.shapes.len() >= MAX_SHAPES || self.depth(parent) >= MAX_DEPTH {
            return None;
        }
        let id = ShapeId(self.shapes.len());
        self.shapes.push(Shape {
            label: name.to_owned(),
            kind: "rectangle",
            style: Style::default(),
            parent,
            children: Vec::new(),
            width: None,
            height: None,
        });
        if let Some(parent) = parent.and_then(|parent| self.shape_mut(parent)) {
            parent.children.push(id);
        }
        self.names.insert(key, id);
        Some(id)
    }

    fn depth(&self, shape: Option<ShapeId>) -> usize {
        std::iter::successors(shape, |id| self.shape(*id)?.parent).take(MAX_DEPTH + 1).count()
    }

    /// Is `inner` within `outer`, or the same?
    pub(crate) fn is_within(&self, inner: ShapeId, outer: ShapeId) -> bool {
        std::iter::successors(Some(inner), |id| self.shape(*id)?.parent)
            .take(MAX_DEPTH + 1)
            .any(|id| id == outer)
    }
}
