//! The commands that `plugins/README.md` tells a stranger to type.

const README: &str = include_str!("../../../../../plugins/README.md");

/// The indented blocks below a heading of the third level, in order.
fn blocks(heading: &str) -> Vec<String> {
    let start = README.find(&format!("\n### {heading}\n")).unwrap_or_else(|| {
        panic!("plugins/README.md has no heading `{heading}`");
    });
    let section = README[start + 1..].lines().skip(1).take_while(|line| !line.starts_with('#'));
    let mut blocks = vec![String::new()];
    for line in section {
        match line.strip_prefix("    ") {
            Some(command) => *blocks.last_mut().unwrap() += &format!("{command}\n"),
            None if blocks.last().unwrap().is_empty() => {}
            None => blocks.push(String::new()),
        }
    }
    blocks.retain(|block| !block.is_empty());
    blocks
}

/// What is typed to make a plugin in this language, and to hand it on.
pub(crate) fn commands(language: &str) -> String {
    let [_tools, plugin] = &blocks(language)[..] else {
        panic!("{language} has no block for its tools and one for the plugin")
    };
    let [hand_on] = &blocks("Hand it on")[..] else { panic!("one block hands it on") };
    format!("{plugin}{hand_on}")
}

/// What is typed to make and try a plugin of another kind.
pub(crate) fn commands_of_kind(heading: &str) -> String {
    let [plugin] = &blocks(heading)[..] else { panic!("one block makes {heading}") };
    plugin.clone()
}

/// What is typed once to have the language's tools.
pub(crate) fn tools(language: &str) -> String {
    blocks(language)[0].clone()
}

#[test]
fn every_word_of_the_tool_is_typed_in_every_language() {
    for language in ["Rust", "JavaScript", "Python", "C"] {
        let commands = commands(language);
        for word in ["new", "build", "test", "pack", "keygen", "sign", "verify", "inspect"] {
            assert!(commands.contains(&format!("flyball plugin {word}")), "{language}: {word}");
        }
    }
}
