use super::*;
use crate::switches::Switches;
use crate::umcf::{NodeKind, Term};
use flyball_plugin::Attribute;

fn all() -> Enricher {
    let on = ["generateObjectives", "createCheckpoints", "generateSpokenText", "generateGlossary"];
    Enricher::new(&Switches::parse(&on.map(|name| Attribute::new(name, "true"))))
}

fn topic(segments: &[&str]) -> Node {
    let mut node = Node::new("t", "Lecture 3: Introduction to governors", NodeKind::Topic);
    node.segments = segments
        .iter()
        .map(|text| Segment::new(SegmentKind::Explanation, (*text).to_owned()))
        .collect();
    node
}

#[test]
fn nothing_is_added_without_its_switch_and_nothing_is_claimed() {
    let mut enricher = Enricher::new(&Switches::default());
    let mut node = topic(&["A governor is defined as a regulator, e.g. x^2.", "b", "c"]);
    let before = node.clone().into_json(0);
    enricher.enrich(&mut node);
    assert_eq!(node.into_json(0), before);
    assert_eq!(enricher.told(), None);
}

#[test]
fn a_checkpoint_stands_after_every_three_segments_and_asks_for_their_words() {
    let texts = [
        "The governor turns.",
        "Its governor spindle turns.",
        "A spindle of steel.",
        "Steam.",
        "Valves close.",
        "Valves open.",
        "The last.",
    ];
    let mut node = topic(&texts);
    all().enrich(&mut node);
    let kinds: Vec<bool> =
        node.segments.iter().map(|own| own.kind == SegmentKind::Checkpoint).collect();
    assert_eq!(kinds, [false, false, false, true, false, false, false, true, false]);
    let asked = node.segments[3].checkpoint.as_ref().unwrap();
    assert_eq!(asked.concepts, ["governor", "turns", "spindle"]);
    assert!(asked.prompt.contains("governor and turns"), "{}", asked.prompt);
}

#[test]
fn a_checkpoint_asks_for_a_word_of_the_glossary_where_there_is_one() {
    let mut node = topic(&["The sleeve slides.", "Up.", "Down."]);
    let definition = "It slides.".to_owned();
    node.terms.push(Term { term: "Sleeve".into(), definition, spoken: None });
    all().enrich(&mut node);
    assert!(node.segments[3].text.contains("“Sleeve”"));
}

#[test]
fn objectives_come_from_the_authors_list_the_abstract_and_the_headings() {
    let mut node = topic(&[]);
    node.description =
        Some("This lecture derives the equation of motion, and more. Steam is hot.".into());
    let mut listed = Node::new("l", "Learning objectives", NodeKind::Section);
    let item = Segment::new(SegmentKind::Explanation, "Design a governor.".into());
    listed.segments.push(item);
    node.children.push(listed);
    node.children.push(Node::new("c", "1.2 Springs vs. weights", NodeKind::Section));
    node.children.push(Node::new("d", "Summary", NodeKind::Section));
    all().enrich(&mut node);
    let told: Vec<(&str, &str)> =
        node.objectives.iter().map(|own| (own.statement.as_str(), own.level)).collect();
    let expected = [
        ("Design a governor", "create"),
        ("Derive the equation of motion", "analyze"),
        ("Describe governors", "understand"),
        ("Compare Springs with weights", "analyze"),
    ];
    assert_eq!(told, expected);
}

#[test]
fn formulas_and_abbreviations_are_said_in_words() {
    for (written, said) in [
        ("See e.g. Fig. 3.", "See for example figure 3."),
        ("E = mc^2 holds.", "E equals m c squared holds."),
        ("It weighs 3 kg, or 1 kg.", "It weighs 3 kilograms, or 1 kilogram."),
        ("A slope of 5% is small.", "A slope of 5 percent is small."),
        ("So $\\frac{a}{b} \\le \\sqrt{x}$.", "So a over b is at most the square root of x."),
        ("Then \\(\\sum_{i=1}^{n} i\\) grows.", "Then the sum from i equals 1 to n of i grows."),
        ("where θ ≥ 0 (i.e. up)", "where θ is at least 0 (that is up)"),
    ] {
        assert_eq!(speech::spoken(written).as_deref(), Some(said));
    }
    for plain in ["Nothing to say here.", "It cost $5 and then $6 more.", "Use a-b, please."] {
        assert_eq!(speech::spoken(plain), None, "{plain}");
    }
}

#[test]
fn a_formula_of_many_groups_ends() {
    let deep = format!("{}x{}", "\\frac{".repeat(2_000), "}".repeat(2_000));
    assert!(formulas::spoken(&deep).len() < 10_000);
    assert!(formulas::spoken(&"^".repeat(4_000)).len() < 100_000);
}

#[test]
fn words_are_taken_from_the_sentences_that_define_them() {
    let mut node = topic(&[
        "In steam, a governor is defined as a regulator of speed. It is hot.",
        "A sleeve that slides is called the collar. This is called fun by some people I know.",
    ]);
    all().enrich(&mut node);
    let terms: Vec<&str> = node.terms.iter().map(|own| own.term.as_str()).collect();
    assert_eq!(terms, ["governor", "collar"]);
}

#[test]
fn what_was_derived_says_so() {
    let mut enricher = all();
    enricher.enrich(&mut topic(&["a governor", "turns", "here"]));
    let told = enricher.told().unwrap();
    assert!(told["derivation"].as_str().unwrap().contains("without a language model"));
    assert_eq!(told["applied"]["createCheckpoints"]["count"], 1);
}
