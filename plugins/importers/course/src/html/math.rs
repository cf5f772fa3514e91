//! MathML as a line of text.

use ego_tree::iter::Edge;
use scraper::{ElementRef, Node};

pub(super) fn looks_like_latex(text: &str) -> bool {
    text.contains('\\') || text.contains("^{") || text.contains("_{")
}

/// MathML in a line: fractions with a stroke, powers with `^`.
pub(super) fn linear(math: ElementRef<'_>) -> String {
    let mut line = String::new();
    for edge in math.traverse() {
        match edge {
            Edge::Open(node) => match node.value() {
                Node::Text(text) => line.push_str(text.trim()),
                Node::Element(_) => {
                    let above = node.parent().and_then(ElementRef::wrap);
                    let is_later = node.prev_siblings().any(|other| other.value().is_element());
                    match above.map(|above| above.value().name()) {
                        Some("mfrac") if is_later => line.push('/'),
                        Some("msup") if is_later => line.push('^'),
                        Some("msub") if is_later => line.push('_'),
                        _ => {}
                    }
                    match node.value().as_element().map(scraper::node::Element::name) {
                        Some("msqrt") => line.push_str("√("),
                        Some("mfrac") => line.push('('),
                        Some("mo") => line.push(' '),
                        _ => {}
                    }
                }
                _ => {}
            },
            Edge::Close(node) => {
                match node.value().as_element().map(scraper::node::Element::name) {
                    Some("msqrt" | "mfrac") => line.push(')'),
                    Some("mo") => line.push(' '),
                    _ => {}
                }
            }
        }
    }
    line
}
