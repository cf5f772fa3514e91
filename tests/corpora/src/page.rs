//! The counts on the page: between two marks, written by a run and by nothing else.

use crate::counts::{Count, Counts, Reason};
use crate::samples::CORPORA;
use crate::verdict::Outcome;
use anyhow::{Context as _, Result};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const BEGIN: &str = "<!-- counts: written by `cargo xtask corpora` -->";
const END: &str = "<!-- end of counts -->";

/// Writes the counts into the page, and leaves the rest of it as it is.
pub(crate) fn write(path: &Path, counts: &Counts) -> Result<()> {
    let page =
        fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))?;
    let (before, _, after) = parts(&page)
        .with_context(|| format!("{} has no place for the counts: {BEGIN}", path.display()))?;
    fs::write(path, format!("{before}{BEGIN}\n{}{END}{after}", text(counts)))
        .with_context(|| format!("{} can't be written", path.display()))
}

/// Are they what stands on the page?
pub(crate) fn holds(page: &str, counts: &Counts) -> bool {
    parts(page).is_some_and(|(_, inside, _)| inside.trim() == text(counts).trim())
}

fn parts(page: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (inside, after) = rest.split_once(END)?;
    Some((before, inside, after))
}

fn text(counts: &Counts) -> String {
    let mut page = String::from("\n");
    let known = || CORPORA.iter().filter_map(|one| counts.get(one.name).map(|count| (one, count)));
    page.push_str("| language | sources |");
    for outcome in Outcome::ALL {
        let _ = write!(page, " {} |", outcome.heading());
    }
    page.push_str(" median | slowest |\n|---|");
    page.push_str(&"--:|".repeat(Outcome::ALL.len() + 3));
    page.push('\n');
    for (corpus, count) in known() {
        let _ = write!(page, "| {} | {} |", corpus.title, count.samples());
        for outcome in Outcome::ALL {
            let _ = write!(page, " {} |", count.of(outcome));
        }
        let _ = writeln!(page, " {} ms | {} ms |", count.median_ms, count.slowest_ms);
    }
    page.push_str(
        "\n| language | both draw it | both refuse it | only theirs draws it \
         | only ours draws it | no answer from theirs |\n|---|--:|--:|--:|--:|--:|\n",
    );
    for (corpus, count) in known() {
        let [both, neither] = [(true, true), (false, false)].map(|(a, b)| count.both(a, b));
        let [theirs, ours] = [(false, true), (true, false)].map(|(a, b)| count.both(a, b));
        let (title, unanswered) = (corpus.title, count.unanswered());
        let _ =
            writeln!(page, "| {title} | {both} | {neither} | {theirs} | {ours} | {unanswered} |");
    }
    for (corpus, count) in known() {
        let _ = write!(
            page,
            "\n### {}\n\nSources: {}. Against: {}.\n",
            corpus.title, corpus.from, corpus.peer
        );
        differing(&mut page, count);
    }
    page.push('\n');
    page
}

fn differing(page: &mut String, count: &Count) {
    let sides = [
        ("only theirs draws it; ours says", &count.only_theirs),
        ("only ours draws it; theirs says", &count.only_ours),
    ];
    for (heading, reasons) in sides {
        if reasons.is_empty() {
            continue;
        }
        let _ = write!(page, "\n| {heading} | sources | for example |\n|---|--:|---|\n");
        for Reason { reason, sources, example } in reasons {
            let reason = if reason.is_empty() { "nothing" } else { reason };
            let example = example.replace('|', "/");
            let _ = writeln!(page, "| {} | {sources} | `{example}` |", plain(reason));
        }
    }
}

/// What Markdown would take for marks of its own, shown as it is.
fn plain(text: &str) -> String {
    let mut shown = String::new();
    for letter in text.chars() {
        if matches!(letter, '\\' | '*' | '_' | '<' | '>' | '[' | ']' | '#' | '~') {
            shown.push('\\');
        }
        shown.push(letter);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counts;
    use std::path::PathBuf;

    fn of_this_clone(path: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
    }

    #[test]
    fn the_page_shows_what_the_command_counted() {
        let counts = counts::read(&of_this_clone("counts.json")).unwrap();
        let page = fs::read_to_string(of_this_clone("../../docs/renderers.md")).unwrap();
        assert!(
            holds(&page, &counts),
            "the counts of docs/renderers.md: run `cargo xtask corpora`"
        );
        for corpus in CORPORA {
            let count = &counts[corpus.name];
            assert_eq!(count.ours.len(), count.theirs.len(), "{}", corpus.title);
            let known: usize = Outcome::ALL.into_iter().map(|outcome| count.of(outcome)).sum();
            assert_eq!(known, count.samples(), "{}", corpus.title);
        }
    }

    #[test]
    fn a_changed_count_on_the_page_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("page.md");
        fs::write(&page, format!("before\n{BEGIN}\n{END}\nafter\n")).unwrap();
        let count = Count { ours: "dp".into(), theirs: "dd".into(), ..Count::default() };
        let counts = Counts::from([("dot".into(), count)]);
        write(&page, &counts).unwrap();
        let written = fs::read_to_string(&page).unwrap();
        assert!(written.starts_with("before") && written.ends_with("after\n"));
        assert!(holds(&written, &counts));
        assert!(!holds(&written.replace("| 2 |", "| 3 |"), &counts));
        assert!(!holds("no marks", &counts));
    }
}
