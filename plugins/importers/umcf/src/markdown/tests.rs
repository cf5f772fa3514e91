use super::*;

fn made(files: &[(&str, &str)]) -> Value {
    let files: Vec<_> =
        files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    serde_json::from_slice(&document("Steam engines", &files).unwrap().to_bytes()).unwrap()
}

#[test]
fn headings_become_nodes_and_paragraphs_segments() {
    let text = "# Governor\n\nIt turns.\nAnd turns.\n\n## Balls\n\n- one\n- two\n  - three\n\n### Mass\n\nHeavy.\n\n## Sleeve\n\n> It *rises*.\n";
    let made = made(&[("steam/01.md", text)]);
    assert_eq!(made["formatIdentifier"], "umcf");
    let topic = &made["content"][0]["children"][0];
    assert_eq!(topic["title"], "Governor");
    assert_eq!(topic["transcript"]["segments"][0]["content"], "It turns. And turns.");
    assert_eq!(topic["transcript"]["segments"][0]["type"], "lecture");
    let balls = &topic["children"][0];
    let items: Vec<&str> = balls["transcript"]["segments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|segment| segment["content"].as_str().unwrap())
        .collect();
    assert_eq!(items, ["one", "two", "three"]);
    assert_eq!(balls["children"][0]["type"], "section");
    assert_eq!(topic["children"][1]["transcript"]["segments"][0]["content"], "It rises.");
}

#[test]
fn a_diagram_in_a_fence_becomes_media_and_other_code_an_example() {
    let text = "# Loop\n\n```dot\ndigraph { a -> b }\n```\n\n```rust\nfn main() {}\n```\n";
    let topic = &made(&[("a.md", text)])["content"][0]["children"][0];
    let source = &topic["media"]["embedded"][0]["sourceCode"];
    assert_eq!(source["format"], "graphviz");
    assert_eq!(source["code"], "digraph { a -> b }\n");
    assert_eq!(topic["transcript"]["segments"][0]["type"], "example");
}

#[test]
fn the_opening_page_names_the_course_and_ids_are_unique() {
    let made = made(&[
        ("steam/README.md", "# All about steam\n\nWelcome."),
        ("steam/1.md", "# Same\n\na"),
        ("steam/2.md", "# Same\n\nb"),
    ]);
    assert_eq!(made["title"], "All about steam");
    assert_eq!(made["content"][0]["children"][1]["id"]["value"], "2-same");
    assert_eq!(made["content"][0]["children"][2]["id"]["value"], "3-same");
}

#[test]
fn a_file_without_a_heading_is_named_by_its_file() {
    let topic = &made(&[("steam/first-steps.md", "Just text.")])["content"][0]["children"][0];
    assert_eq!(topic["title"], "first steps");
}

#[test]
fn a_folder_without_text_is_a_fault() {
    let files = [("a.md".to_owned(), b"# Only a heading\n".to_vec())];
    assert_eq!(document("a", &files).unwrap_err(), Fault::Empty);
}
