//! KaTeX' shades by name (`\blueD{x}`), which the parser has only the seven plain ones of.

use ratex_parser::macro_expander::MacroExpander;

/// A colour's name and its shades, from A on.
const SHADES: [(&str, &[&str]); 9] = [
    ("blue", &["ccfaff", "80f6ff", "63d9ea", "11accd", "0c7f99"]),
    ("teal", &["94fff5", "26edd5", "01d1c1", "01a995", "208170"]),
    ("green", &["b6ffb0", "8af281", "74cf70", "1fab54", "0d923f"]),
    ("gold", &["ffd0a9", "ffbb71", "ff9c39", "e07d10", "a75a05"]),
    ("red", &["fca9a9", "ff8482", "f9685d", "e84d39", "bc2612"]),
    ("maroon", &["ffbde0", "ff92c6", "ed5fa6", "ca337c", "9e034e"]),
    ("purple", &["ddd7ff", "c6b9fc", "aa87ff", "7854ab", "543b78"]),
    ("mint", &["f5f9e8", "edf2df", "e0e5cc"]),
    (
        "gray",
        &["f6f7f7", "f0f1f2", "e3e5e6", "d6d8da", "babec2", "888d93", "626569", "3b3e40", "21242c"],
    ),
];
const OTHERS: [(&str, &str); 2] = [("\\kaBlue", "314453"), ("\\kaGreen", "71b307")];

/// Makes every shade a command of one argument.
pub(super) fn teach(expander: &mut MacroExpander<'_>) {
    let mut teach = |name: &str, shade: &str| {
        expander.set_text_macro(name, &format!("\\textcolor{{##{shade}}}{{#1}}"));
    };
    for (colour, shades) in SHADES {
        for (letter, shade) in ('A'..).zip(shades) {
            teach(&format!("\\{colour}{letter}"), shade);
        }
    }
    for (name, shade) in OTHERS {
        teach(name, shade);
    }
}
