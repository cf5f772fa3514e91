//! PlantUML to a drawing, in plain values. Knows nothing of the plugin's world.

use crate::fault::Fault;
use crate::{delay, mention, place, recursion, theme};
use drawing::{Bounds, Pixels, Place, Root};
use plantuml_core::command::UmlSource;
use plantuml_core::diagram::DiagramType;
use plantuml_core::preproc::{is_start_directive, split_blocks};
use plantuml_core::psystem::factories;
use plantuml_core::text::{LineLocation, StringLocated};
use plantuml_core::tim::loader::{Defines, preprocess};
use plantuml_core::tim::resolver::BundledResolver;
use std::collections::HashMap;
use std::rc::Rc;

/// What stands behind `@start`.
pub(crate) const KINDS: [&str; 12] = [
    "uml",
    "json",
    "yaml",
    "hcl",
    "mindmap",
    "wbs",
    "gantt",
    "salt",
    "ebnf",
    "chen",
    "chart",
    "packetdiag",
];
/// What PlantUML has beyond that.
pub(crate) const MISSING_KINDS: [&str; 15] = [
    "nwdiag",
    "bpm",
    "wire",
    "ditaa",
    "dot",
    "jcckit",
    "creole",
    "math",
    "latex",
    "def",
    "chronology",
    "git",
    "board",
    "regex",
    "files",
];
const DATA_KINDS: [&str; 3] = ["JSON", "YAML", "HCL"];
pub(crate) const MAX_SOURCE_BYTES: usize = 128 * 1024;

/// How to draw.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options<'a> {
    pub(crate) theme: &'a str,
    pub(crate) bounds: Bounds,
}

#[derive(Clone, Debug)]
pub(crate) struct Drawing {
    pub(crate) svg: String,
    pub(crate) pixels: Pixels,
    pub(crate) warnings: Vec<Fault>,
}

/// Everything that can be said of `source` without drawing it.
#[must_use]
pub(crate) fn check(source: &str) -> Vec<Fault> {
    Text::of(source).and_then(|text| text.check()).err().into_iter().collect()
}

/// # Errors
/// Where the source does not parse or is of a kind that is not drawn.
pub(crate) fn draw(source: &str, options: &Options<'_>) -> Result<Drawing, Fault> {
    let preamble = theme::preamble(options.theme)
        .ok_or_else(|| Fault::Theme(options.theme.chars().take(40).collect()))?;
    let text = Text::of(source)?;
    let mut warnings = Vec::new();
    let mut ground = theme::ground(options.theme);
    let themed = text.with(&preamble).filter(|_| text.takes_themes() || preamble.is_empty());
    let svg = match themed.and_then(|themed| picture(&themed).ok()) {
        Some(svg) => text.sound(svg)?,
        // Not every kind takes a style; and what is wrong, the source says by itself.
        None => {
            let svg = text.svg()?;
            warnings.push(Fault::Unthemed(options.theme.to_owned()));
            ground = None;
            svg
        }
    };
    if is_description(&svg) && mention::has_use_cases(source) {
        warnings.push(Fault::UseCases);
    }
    let no_size = || Fault::Drawing("the drawing has no size".into());
    let root = Root::find(&svg).ok_or_else(no_size)?;
    let pixels = options.bounds.fit(root.size().ok_or_else(no_size)?);
    let svg = root.resized(pixels, ground).ok_or_else(no_size)?;
    Ok(Drawing { svg, pixels, warnings })
}

/// A source with the lines that begin and end a diagram.
struct Text<'a> {
    source: &'a str,
    whole: String,
}

impl<'a> Text<'a> {
    /// A source without a start is taken as `@startuml`, as on PlantUML's own servers.
    fn of(source: &'a str) -> Result<Self, Fault> {
        if source.len() > MAX_SOURCE_BYTES {
            return Err(Fault::Length(source.len()));
        }
        if let Some(place) = recursion::endless(source) {
            let message = "this calls itself without an end; put an `!if` around it".into();
            return Err(Fault::Syntax { place: Some(place), message });
        }
        if let Some(place) = delay::alone(source) {
            let message = "a delay stands between participants, and there are none".into();
            return Err(Fault::Syntax { place: Some(place), message });
        }
        let whole = if source.trim().is_empty() || has_start(source) {
            source.to_owned()
        } else {
            format!("@startuml\n{source}\n@enduml\n")
        };
        Ok(Self { source, whole })
    }

    fn check(&self) -> Result<(), Fault> {
        self.svg().map(drop)
    }

    fn svg(&self) -> Result<String, Fault> {
        picture(&self.whole).map_err(|error| self.fault(&error)).and_then(|svg| self.sound(svg))
    }

    /// Data that does not parse is drawn as a picture that says so, which is no diagram.
    fn sound(&self, svg: String) -> Result<String, Fault> {
        let phrase = DATA_KINDS.iter().find(|kind| {
            // With spaces that do not break, which hardly anybody writes.
            let says = format!(">Your data does not sound like {kind} data</text>");
            svg.contains(&says.replace(' ', "\u{a0}").replace("<\u{a0}", "<"))
        });
        match phrase {
            Some(kind) => Err(Fault::Syntax {
                place: place::of_json(self.source),
                message: format!("what is in the diagram is no {kind}"),
            }),
            None => Ok(svg),
        }
    }

    /// The text with `preamble` behind its first line that starts a diagram.
    fn with(&self, preamble: &str) -> Option<String> {
        if preamble.is_empty() {
            return Some(self.whole.clone());
        }
        let mut offset = 0;
        for line in self.whole.split_inclusive('\n') {
            offset += line.len();
            if is_start_directive(line.trim_end()) {
                let (before, behind) = self.whole.split_at(offset);
                return Some(format!("{before}{preamble}\n{behind}"));
            }
        }
        None
    }

    fn fault(&self, error: &plantuml_core::Error) -> Fault {
        match error {
            plantuml_core::Error::NoDiagram => Fault::NoDiagram(self.start()),
            plantuml_core::Error::Unsupported(name) => {
                Fault::Kind { place: Some(self.start()), name: name.clone() }
            }
            plantuml_core::Error::Syntax(message) => self.syntax_fault(message),
        }
    }

    /// The library's message has lost where it comes from: it is asked again, in its parts.
    fn syntax_fault(&self, message: &str) -> Fault {
        let words = message.split(" (line ").next().unwrap_or(message).trim();
        // "Syntax Error?" and codes such as "a002" tell nobody anything.
        let says_nothing = words.len() < 6 || words.starts_with("Syntax Error");
        let message = if says_nothing { "this line is not understood" } else { words };
        let line = self.faulty_line();
        let first_word = line.as_ref().and_then(|line| line.string().split_whitespace().next());
        let place = line.as_ref().and_then(|line| place::of_line(self.source, line));
        match first_word.filter(|word| MISSING_KINDS.contains(word)) {
            Some(kind) => Fault::Kind { place, name: kind.to_owned() },
            None => Fault::Syntax { place, message: message.to_owned() },
        }
    }

    fn faulty_line(&self) -> Option<StringLocated> {
        let block = split_blocks(&self.whole, &[]).into_iter().next()?;
        let resolver = Rc::new(BundledResolver);
        let read = preprocess(block, &Defines::new(), resolver, HashMap::new());
        let line = match read.error {
            Some(error) => Some(error.location),
            None => furthest_line(&UmlSource::from_lines(read.lines)),
        };
        line.map(|line| self.as_in_the_source(line))
    }

    /// Without the line that was put before the source.
    fn as_in_the_source(&self, line: StringLocated) -> StringLocated {
        match line.location() {
            Some(location) if self.whole != self.source => {
                let position = location.position.saturating_sub(1);
                StringLocated::new(line.string(), Some(LineLocation { position }))
            }
            _ => line,
        }
    }

    /// Sketches of windows are black on white, whatever the style says.
    fn takes_themes(&self) -> bool {
        !self
            .source
            .lines()
            .any(|line| is_start_directive(line) && line.trim_start()[1..].starts_with("startsalt"))
    }

    /// The line that starts the diagram, or the first.
    fn start(&self) -> Place {
        let lines = self.source.lines().enumerate();
        let start = lines.filter(|(_, line)| is_start_directive(line)).map(|(at, _)| at).next();
        let line = u32::try_from(start.unwrap_or(0)).unwrap_or(u32::MAX).saturating_add(1);
        Place { line, column: 1 }
    }
}

/// Every kind of diagram that the source could be has an error of its own; the one that comes
/// furthest understands the most of it. The library's own choice goes by scores, which are
/// mostly equal.
fn furthest_line(source: &UmlSource) -> Option<StringLocated> {
    let types = DiagramType::find_start_types(source.lines.first()?.string());
    factories()
        .iter()
        .filter(|factory| types.contains(&factory.diagram_type()))
        .filter_map(|factory| factory.create(source).err()?.line)
        .max_by_key(|line| source.lines.iter().rposition(|own| own == line))
}

fn picture(text: &str) -> Result<String, plantuml_core::Error> {
    let svg = plantuml_core::render(text)?;
    if !is_description(&svg) {
        return Ok(svg);
    }
    let declared = mention::declared(text).and_then(|text| plantuml_core::render(&text).ok());
    Ok(declared.filter(|svg| is_description(svg)).unwrap_or(svg))
}

fn is_description(svg: &str) -> bool {
    svg.contains("data-diagram-type=\"DESCRIPTION\"")
}

fn has_start(source: &str) -> bool {
    source.lines().any(is_start_directive)
}
