//! What a file of a course is, by its name and by the words of the link to it.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileClass {
    Transcript,
    Captions,
    Notes,
    Assignment,
    Exam,
    /// Answers to an assignment or an exam.
    Solution,
    Other,
}

impl FileClass {
    pub(crate) fn of(name: &str, label: &str) -> Self {
        let own = own_name(name).to_lowercase();
        let text = format!("{own} {}", label.to_lowercase());
        let has = |marks: &[&str]| marks.iter().any(|mark| text.contains(mark));
        if own.ends_with(".vtt") || own.ends_with(".srt") {
            Self::Captions
        } else if has(&["transcript"]) {
            Self::Transcript
        } else if has(&["exam", "midterm", "quiz"]) || has_word(&text, "final") {
            if is_solution(&text) { Self::Solution } else { Self::Exam }
        } else if has(&["pset", "problem", "assignment", "homework", "_hw", "ps_"])
            || has_word(&text, "ps")
        {
            if is_solution(&text) { Self::Solution } else { Self::Assignment }
        } else if has(&["notes", "slides", "lecture", "summary"]) || has_word(&text, "lec") {
            Self::Notes
        } else {
            Self::Other
        }
    }
}

fn is_solution(text: &str) -> bool {
    has_word(text, "sol") || text.contains("solution") || text.contains("answer")
}

/// A word with nothing but digits behind it: `final`, `ps3`, `lec12`.
fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric()).any(|own| {
        own.strip_prefix(word).is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit()))
    })
}

/// Without the folder and the hash before it: `static_resources/<32 hex>_lec1.pdf` is `lec1.pdf`.
pub(crate) fn own_name(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.split_once('_') {
        Some((hash, own)) if hash.len() == 32 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => own,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_its_name_or_its_link() {
        let hash = "0123456789abcdef0123456789ABCDEF";
        for (name, label, class) in [
            ("lec1.pdf", "Download transcript", FileClass::Transcript),
            ("lec1.srt", "", FileClass::Captions),
            ("midterm_2.pdf", "", FileClass::Exam),
            ("final.pdf", "", FileClass::Exam),
            ("quiz1_sol.pdf", "", FileClass::Solution),
            ("pset3.pdf", "", FileClass::Assignment),
            ("x.pdf", "Homework 2", FileClass::Assignment),
            ("ps3.pdf", "", FileClass::Assignment),
            ("lec12.pdf", "", FileClass::Notes),
            ("x.pdf", "Lecture 3 notes (PDF)", FileClass::Notes),
            ("finality.pdf", "", FileClass::Other),
        ] {
            let path = format!("static_resources/{hash}_{name}");
            assert_eq!(FileClass::of(&path, label), class, "{name} {label}");
        }
        assert_eq!(own_name(&format!("a/{hash}_x_y.pdf")), "x_y.pdf");
        assert_eq!(own_name("a/short_x.pdf"), "short_x.pdf");
    }
}
