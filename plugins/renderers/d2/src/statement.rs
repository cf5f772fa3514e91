//! Statements to a diagram. What the subset has not is collected, line by line.

mod attribute;
mod key;

use crate::fault::{Fault, Faults};
use crate::model::{Connection, Diagram, MAX_CONNECTIONS, MAX_DEPTH, MAX_SHAPES, ShapeId, Style};
use crate::source::{End, Piece};
use drawing::Place;
use key::{Name, Side};

/// More faults than anybody reads at once.
const MAX_FAULTS: usize = 50;

/// Whom a block speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Scope {
    Root,
    Shape(ShapeId),
    /// Indexes into the diagram's connections.
    Connections(Vec<usize>),
    Style(Box<Scope>),
    /// What it says has been said to be unsupported already.
    Nobody,
}

/// A diagram, and what in it is passed over.
///
/// # Errors
/// All that is wrong or not in the subset.
pub(crate) fn diagram(pieces: &[Piece]) -> Result<(Diagram, Vec<Fault>), Faults> {
    let mut builder =
        Builder { diagram: Diagram::default(), scopes: vec![Scope::Root], faults: Vec::new() };
    for piece in pieces {
        builder.take(piece);
        if builder.faults.len() >= MAX_FAULTS {
            break;
        }
    }
    let (ignored, wrong): (Vec<_>, Vec<_>) =
        builder.faults.into_iter().partition(|fault| matches!(fault, Fault::Ignored { .. }));
    if wrong.is_empty() { Ok((builder.diagram, ignored)) } else { Err(Faults(wrong)) }
}

struct Builder {
    diagram: Diagram,
    scopes: Vec<Scope>,
    faults: Vec<Fault>,
}

impl Builder {
    fn take(&mut self, piece: &Piece) {
        if piece.end == End::Close {
            if self.scopes.len() > 1 {
                self.scopes.pop();
            }
            return;
        }
        let scope = self.scopes.last().cloned().unwrap_or(Scope::Root);
        let spoken_of = match self.statement(&scope, piece) {
            Ok(spoken_of) => spoken_of,
            Err(fault) => {
                self.faults.push(fault);
                Scope::Nobody
            }
        };
        if piece.end == End::Open {
            self.scopes.push(spoken_of);
        }
    }

    /// Whom a block behind this statement would speak of.
    fn statement(&mut self, scope: &Scope, piece: &Piece) -> Result<Scope, Fault> {
        let text = piece.text.as_str();
        if matches!(scope, Scope::Nobody) {
            return Ok(Scope::Nobody);
        }
        if text.is_empty() {
            return Err(syntax(piece.place, "a block needs a name before its `{`"));
        }
        for (start, what) in [
            ("...", "an import `...`"),
            ("@", "an import `@`"),
            ("(", "a connection by its number"),
            ("&", "a filter `&`"),
            ("!&", "a filter `!&`"),
        ] {
            if text.starts_with(start) {
                return Err(unsupported(piece.place, what));
            }
        }
        let (left, value) = key::split_value(text);
        let sides = key::sides(left);
        match &sides[..] {
            [] => Err(syntax(piece.place, "there is no name before the `:`")),
            [only] => self.said_of(scope, &only.names, value, piece.place),
            sides => self.connected(scope, sides, value, piece.place),
        }
    }

    fn said_of(
        &mut self,
        scope: &Scope,
        names: &[Name],
        value: Option<&str>,
        place: Place,
    ) -> Result<Scope, Fault> {
        let reserved = names.iter().position(Name::is_reserved).unwrap_or(names.len());
        let (path, attribute) = names.split_at(reserved);
        let target = match scope {
            Scope::Style(of) => {
                let words: Vec<&str> = names.iter().map(|name| name.text.as_str()).collect();
                self.set_style(of, &words, value, place)?;
                return Ok(Scope::Nobody);
            }
            Scope::Connections(_) if path.is_empty() => scope.clone(),
            Scope::Connections(_) => {
                return Err(syntax(place, "only a label and a style can be said of a connection"));
            }
            Scope::Root if path.is_empty() => Scope::Root,
            Scope::Root | Scope::Shape(_) | Scope::Nobody => {
                match self.resolve(scope, path, place)? {
                    Some(shape) => Scope::Shape(shape),
                    None => scope.clone(),
                }
            }
        };
        if attribute.is_empty() {
            if let (Scope::Shape(id), Some(label)) = (&target, value)
                && let Some(shape) = self.diagram.shape_mut(*id)
            {
                shape.label = key::unquoted(label);
            }
            return Ok(target);
        }
        let words: Vec<&str> = attribute.iter().map(|name| name.text.as_str()).collect();
        self.set(&target, &words, value, place)
    }

    /// The shape at the end of `path`, seen from `scope`. `None` for an empty path.
    fn resolve(
        &mut self,
        scope: &Scope,
        path: &[Name],
        place: Place,
    ) -> Result<Option<ShapeId>, Fault> {
        let mut at = match scope {
            Scope::Shape(shape) if !path.is_empty() => Some(*shape),
            _ => None,
        };
        for name in path {
            if !name.quoted && (name.text.contains('*') || name.text == "_") {
                let what = format!("the pattern `{}`", name.text);
                return Err(unsupported(place, &what));
            }
            if name.text.is_empty() {
                return Err(syntax(place, "a name is missing before or behind the `.`"));
            }
            if name.text.contains("${") {
                return Err(unsupported(place, "a variable `${…}`"));
            }
            at = Some(self.diagram.named(at, &name.text).ok_or(if path.len() > MAX_DEPTH {
                Fault::Bound { what: "levels", most: MAX_DEPTH }
            } else {
                Fault::Bound { what: "shapes or levels", most: MAX_SHAPES }
            })?);
        }
        Ok(at)
    }

    fn connected(
        &mut self,
        scope: &Scope,
        sides: &[Side],
        value: Option<&str>,
        place: Place,
    ) -> Result<Scope, Fault> {
        if matches!(scope, Scope::Connections(_) | Scope::Style(_)) {
            return Err(syntax(place, "a connection can't stand in a connection or a style"));
        }
        let mut ends = Vec::with_capacity(sides.len());
        for side in sides {
            if side.names.iter().any(Name::is_reserved) {
                return Err(syntax(place, "a connection joins shapes, not what is said of them"));
            }
            let end = self.resolve(scope, &side.names, place)?;
            ends.push(end.ok_or_else(|| {
                syntax(place, "a connection needs a shape on each side of its arrow")
            })?);
        }
        let label = value.map(key::unquoted).unwrap_or_default();
        let mut made = Vec::new();
        for (pair, side) in ends.windows(2).zip(sides) {
            let [from, to] = *pair else { continue };
            let nested = from != to
                && (self.diagram.is_within(from, to) || self.diagram.is_within(to, from));
            if nested {
                let what = "a connection between a container and what is in it";
                return Err(unsupported(place, what));
            }
            if self.diagram.connections.len() >= MAX_CONNECTIONS {
                return Err(Fault::Bound { what: "connections", most: MAX_CONNECTIONS });
            }
            made.push(self.diagram.connections.len());
            self.diagram.connections.push(Connection {
                from,
                to,
                arrow_at_start: side.arrow_at_start,
                arrow_at_end: side.arrow_at_end,
                label: label.clone(),
                style: Style::default(),
            });
        }
        Ok(Scope::Connections(made))
    }

    fn styles_of(&mut self, scope: &Scope) -> Vec<&mut Style> {
        match scope {
            Scope::Shape(id) => {
                self.diagram.shape_mut(*id).map(|shape| &mut shape.style).into_iter().collect()
            }
            Scope::Connections(made) => self
                .diagram
                .connections
                .iter_mut()
                .enumerate()
                .filter(|(index, _)| made.contains(index))
                .map(|(_, connection)| &mut connection.style)
                .collect(),
            Scope::Root | Scope::Style(_) | Scope::Nobody => Vec::new(),
        }
    }
}

fn syntax(place: Place, message: &str) -> Fault {
    Fault::Syntax { place, message: message.into() }
}

fn unsupported(place: Place, what: &str) -> Fault {
    Fault::Unsupported { place, what: what.into() }
}
