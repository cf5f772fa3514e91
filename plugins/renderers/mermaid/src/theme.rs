//! Mermaid's themes by name.

use serde_json::{Value, json};

/// As a picture outside a browser has them; Mermaid's own first choice is on few machines.
const FONTS: &str = "Liberation Sans, Arial, Helvetica, sans-serif";
const DARK_GROUND: &str = "#14171c";

#[must_use]
pub(crate) fn names() -> &'static [&'static str] {
    merman::supported_themes()
}

#[must_use]
pub(crate) fn is_known(name: &str) -> bool {
    names().contains(&name)
}

/// The colour of the page, where a theme's lines would not be seen on a white one.
#[must_use]
pub(crate) fn ground(name: Option<&str>) -> Option<&'static str> {
    name.is_some_and(|name| name.contains("dark")).then_some(DARK_GROUND)
}

/// What the source's own front matter and directives go over.
#[must_use]
pub(crate) fn site_config(name: Option<&str>) -> Value {
    json!({
        "fontFamily": FONTS,
        // The newer look draws its boxes with filters that only browsers have.
        "look": "classic",
        // Labels as text of the picture rather than as a page inside it.
        "htmlLabels": false,
        "theme": name.unwrap_or("default"),
    })
}
