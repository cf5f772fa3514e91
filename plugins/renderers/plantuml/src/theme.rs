//! Themes: PlantUML's own by name, and a dark page.

use plantuml_core::tim::resolver::{BundledResolver, Resolver as _};

const GROUND: &str = "#14171c";

/// Set before the source's own settings, which go over it.
const DARK: &str = "<style>
root {
  BackgroundColor #1f242c
  FontColor #c9d1d9
  LineColor #8b949e
  HyperlinkColor #58a6ff
}
document {
  BackgroundColor #14171c
}
</style>";

#[must_use]
pub(crate) fn names() -> Vec<String> {
    let mut names: Vec<String> = BundledResolver.all_theme_names();
    names.retain(|name| name != "_none_");
    names.sort_unstable();
    names.insert(0, "dark".into());
    names.insert(0, "default".into());
    names
}

/// What makes the theme when it stands behind the line that starts the diagram; empty for the
/// default. `None` where there is no such theme.
#[must_use]
pub(crate) fn preamble(name: &str) -> Option<String> {
    match name {
        "default" => Some(String::new()),
        "dark" => Some(DARK.into()),
        name => names().iter().any(|known| known == name).then(|| format!("!theme {name}")),
    }
}

/// The colour of the page where the theme has one of its own.
#[must_use]
pub(crate) fn ground(name: &str) -> Option<&'static str> {
    (name == "dark").then_some(GROUND)
}
