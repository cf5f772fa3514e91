//! XML that describes a package: manifests, tables of contents, assessments.

use crate::fault::{Fault, Hostility};
use crate::guard::{Language, MAX_NODES, guarded};
use roxmltree::{Document, Error, Node, ParsingOptions};

pub use roxmltree;

/// The text with what a parser must not see taken out.
///
/// # Errors
/// Where it is too deep or too much, or declares entities.
pub fn guarded_text(entry: &str, text: &str) -> Result<String, Fault> {
    guarded(entry, text, Language::Xml)
}

/// # Errors
/// Where it is not well formed: with the line and the column.
pub fn parsed<'a>(entry: &str, guarded: &'a str) -> Result<Document<'a>, Fault> {
    let options =
        ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, entity_resolver: None };
    Document::parse_with_options(guarded, options).map_err(|error| match error {
        Error::NodesLimitReached => {
            let why = Hostility::Nodes { max: MAX_NODES };
            Fault::Hostile { entry: entry.to_owned(), why }
        }
        other => {
            let at = other.pos();
            let message = other.to_string();
            Fault::Xml { entry: entry.to_owned(), line: at.row, column: at.col, message }
        }
    })
}

/// Children of that local name, whatever their namespace.
pub fn children<'a, 'input: 'a>(
    node: Node<'a, 'input>,
    name: &'a str,
) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(move |child| child.is_element() && child.tag_name().name() == name)
}

#[must_use]
pub fn child<'a, 'input: 'a>(node: Node<'a, 'input>, name: &'a str) -> Option<Node<'a, 'input>> {
    children(node, name).next()
}

/// The first element of that local name at any depth.
#[must_use]
pub fn first<'a, 'input: 'a>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.descendants().find(|inner| inner.is_element() && inner.tag_name().name() == name)
}

/// Elements of that local name at any depth.
pub fn all<'a, 'input: 'a>(
    node: Node<'a, 'input>,
    name: &'a str,
) -> impl Iterator<Item = Node<'a, 'input>> {
    node.descendants().filter(move |inner| inner.is_element() && inner.tag_name().name() == name)
}

/// An attribute of that local name, whatever its namespace.
#[must_use]
pub fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    node.attributes().find(|own| own.name() == name).map(|own| own.value())
}

/// All text within, its blanks squeezed.
#[must_use]
pub fn text(node: Node<'_, '_>) -> String {
    let mut text = String::new();
    for inner in node.descendants().filter(Node::is_text) {
        text.push_str(inner.text().unwrap_or_default());
    }
    crate::text::squeezed(&text)
}
