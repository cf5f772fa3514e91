//! What is said of a shape, a connection or the whole: shape, label, size, style.

use super::{Builder, Scope, key, syntax, unsupported};
use crate::fault::Fault;
use crate::model::{Direction, Style};
use crate::shapes;
use drawing::Place;

/// D2 has them, and the picture tells the same without.
const PASSED_OVER: [&str; 8] =
    ["icon", "link", "near", "tooltip", "source-arrowhead", "target-arrowhead", "top", "left"];
const STYLES_PASSED_OVER: [&str; 10] = [
    "3d",
    "animated",
    "double-border",
    "fill-pattern",
    "filled",
    "font",
    "multiple",
    "shadow",
    "text-transform",
    "underline",
];

impl Builder {
    /// Sets what `words` name; gives back whom a block behind it would speak of.
    pub(super) fn set(
        &mut self,
        target: &Scope,
        words: &[&str],
        value: Option<&str>,
        place: Place,
    ) -> Result<Scope, Fault> {
        let word = words.first().map(|word| word.to_lowercase()).unwrap_or_default();
        match word.as_str() {
            "style" if words.len() == 1 => return Ok(Scope::Style(Box::new(target.clone()))),
            "style" => self.set_style(target, &words[1..], value, place)?,
            "direction" => self.set_direction(target, value, place)?,
            "label" => self.set_label(target, value),
            "shape" => self.set_shape(target, value, place)?,
            "width" | "height" => self.set_side(target, &word, value, place)?,
            known if PASSED_OVER.contains(&known) => {
                self.faults.push(Fault::Ignored { place, what: format!("`{known}`") });
            }
            other => return Err(unsupported(place, &format!("`{other}`"))),
        }
        Ok(Scope::Nobody)
    }

    fn set_direction(
        &mut self,
        target: &Scope,
        value: Option<&str>,
        place: Place,
    ) -> Result<(), Fault> {
        let direction = value
            .map(key::unquoted)
            .and_then(|word| Direction::parse(&word))
            .ok_or_else(|| syntax(place, "`direction` is down, up, right or left"))?;
        if *target == Scope::Root {
            self.diagram.direction = direction;
        } else {
            let what = "the `direction` of a container".into();
            self.faults.push(Fault::Ignored { place, what });
        }
        Ok(())
    }

    fn set_label(&mut self, target: &Scope, value: Option<&str>) {
        let label = value.map(key::unquoted).unwrap_or_default();
        match target {
            Scope::Shape(id) => {
                if let Some(shape) = self.diagram.shape_mut(*id) {
                    shape.label = label;
                }
            }
            Scope::Connections(made) => {
                for (index, connection) in self.diagram.connections.iter_mut().enumerate() {
                    if made.contains(&index) {
                        connection.label.clone_from(&label);
                    }
                }
            }
            Scope::Root | Scope::Style(_) | Scope::Nobody => {}
        }
    }

    fn set_shape(
        &mut self,
        target: &Scope,
        value: Option<&str>,
        place: Place,
    ) -> Result<(), Fault> {
        let name = value.map(key::unquoted).unwrap_or_default().to_lowercase();
        let kind = shapes::find(&name).ok_or_else(|| {
            let known = shapes::names().join(", ");
            if shapes::NOT_DRAWN.contains(&name.as_str()) {
                unsupported(place, &format!("the shape `{name}`"))
            } else {
                syntax(place, &format!("there is no shape `{name}`; choose one of {known}"))
            }
        })?;
        if let Scope::Shape(id) = target
            && let Some(shape) = self.diagram.shape_mut(*id)
        {
            shape.kind = kind;
        }
        Ok(())
    }

    fn set_side(
        &mut self,
        target: &Scope,
        side: &str,
        value: Option<&str>,
        place: Place,
    ) -> Result<(), Fault> {
        let pixels = number(value, 1.0, 4_000.0)
            .ok_or_else(|| syntax(place, "a width or height is pixels from 1 to 4000"))?;
        if let Scope::Shape(id) = target
            && let Some(shape) = self.diagram.shape_mut(*id)
        {
            let own = if side == "width" { &mut shape.width } else { &mut shape.height };
            *own = Some(pixels);
        }
        Ok(())
    }

    pub(super) fn set_style(
        &mut self,
        target: &Scope,
        words: &[&str],
        value: Option<&str>,
        place: Place,
    ) -> Result<(), Fault> {
        let [word] = words else {
            return Err(syntax(place, "a style is one word, such as `style.fill`"));
        };
        let word = word.to_lowercase();
        let gradient = value.is_some_and(|value| value.contains("gradient("));
        if STYLES_PASSED_OVER.contains(&word.as_str()) || gradient {
            self.faults.push(Fault::Ignored { place, what: format!("the style `{word}`") });
            return Ok(());
        }
        let mut wanted = Style::default();
        read_style(&mut wanted, &word, value).map_err(|message| syntax(place, &message))?;
        for style in self.styles_of(target) {
            if let Err(message) = read_style(style, &word, value) {
                return Err(syntax(place, &message));
            }
        }
        Ok(())
    }
}

fn read_style(style: &mut Style, word: &str, value: Option<&str>) -> Result<(), String> {
    let colour = || {
        colour(value).ok_or_else(|| format!("`{word}` is #rgb, #rrggbb or the name of a colour"))
    };
    let amount = |least: f64, most: f64| {
        number(value, least, most)
            .map(Some)
            .ok_or_else(|| format!("`{word}` is a number from {least} to {most}"))
    };
    let truth = || match value {
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        _ => Err(format!("`{word}` is `true` or `false`")),
    };
    match word {
        "fill" => style.fill = Some(colour()?),
        "stroke" => style.stroke = Some(colour()?),
        "font-color" => style.font_color = Some(colour()?),
        "stroke-width" => style.stroke_width = amount(0.0, 15.0)?,
        "stroke-dash" => style.stroke_dash = amount(0.0, 10.0)?,
        "border-radius" => style.border_radius = amount(0.0, 100.0)?,
        "font-size" => style.font_size = amount(8.0, 100.0)?,
        "opacity" => style.opacity = amount(0.0, 1.0)?,
        "bold" => style.bold = truth()?,
        "italic" => style.italic = truth()?,
        other => return Err(format!("there is no style `{other}`")),
    }
    Ok(())
}

fn number(value: Option<&str>, least: f64, most: f64) -> Option<f64> {
    let number: f64 = key::unquoted(value?).parse().ok()?;
    (least..=most).contains(&number).then_some(number)
}

/// Whatever it is, it can't be more than a colour in the picture's markup.
fn colour(value: Option<&str>) -> Option<String> {
    let colour = key::unquoted(value?);
    let digits = colour.strip_prefix('#').filter(|digits| matches!(digits.len(), 3 | 4 | 6 | 8));
    let is_number = digits.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    let is_name =
        (3..=24).contains(&colour.len()) && colour.bytes().all(|b| b.is_ascii_alphabetic());
    (is_number || is_name).then_some(colour)
}
