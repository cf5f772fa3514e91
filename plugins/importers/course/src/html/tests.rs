use super::*;

fn page(text: &str) -> Page {
    Page::parse("p.html", text).unwrap()
}

#[test]
fn a_page_is_its_headings_paragraphs_and_items_without_its_menus() {
    let page = page(
        "<html lang='en'><title> Heat | Course </title><nav>Menu<a href='a'>A</a></nav>\
         <h1>Heat</h1><p>It <b>flows</b>\n down.</p><ul><li>one<li>two</ul>\
         <pre>let a\n  = 1</pre><script>x()</script>",
    );
    assert_eq!(page.title.as_deref(), Some("Heat | Course"));
    assert_eq!(page.language.as_deref(), Some("en"));
    let expected = [
        Block::Heading { level: 1, text: "Heat".into() },
        Block::Paragraph("It flows down.".into()),
        Block::Item("one".into()),
        Block::Item("two".into()),
        Block::Code("let a\n  = 1".into()),
    ];
    assert_eq!(page.blocks, expected);
    assert_eq!(page.links, [Link { target: "a".into(), text: "A".into() }]);
}

#[test]
fn a_defined_word_has_the_sentence_that_it_stands_in() {
    let page = page(
        "<p>First. A <dfn>governor</dfn> keeps the speed. Last.</p>\
         <dl><dt>Sleeve</dt><dd>It slides.</dd></dl>",
    );
    let told: Vec<(&str, &str)> =
        page.definitions.iter().map(|d| (d.term.as_str(), d.definition.as_str())).collect();
    assert_eq!(told, [("governor", "A governor keeps the speed."), ("Sleeve", "It slides.")]);
}

#[test]
fn formulas_keep_the_words_of_their_author() {
    let page = page(
        "<p>Here <math alttext='E = mc^{2}'><mi>E</mi></math> and \
         <img class='equation' src='e.png' alt='a over b'/> and \
         <math><mfrac><mi>a</mi><mi>b</mi></mfrac><mo>=</mo><msup><mi>c</mi><mn>2</mn></msup></math>.</p>",
    );
    assert_eq!(page.blocks[0].text(), "Here E = mc^{2} and a over b and (a/b) = c^2.");
    assert_eq!(page.formulas[0].latex.as_deref(), Some("E = mc^{2}"));
    assert_eq!(page.formulas[1].image.as_deref(), Some("e.png"));
    assert!(page.formulas[2].mathml.as_deref().unwrap().contains("<mfrac>"));
}

#[test]
fn a_picture_has_its_caption_and_xhtml_is_read_as_such() {
    let page = page(
        "<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'><head><title/></head>\
         <body><figure><img src='a.png' alt='A'/><figcaption>The A.</figcaption></figure>\
         <p>Text.</p></body></html>",
    );
    assert_eq!(page.pictures[0].caption.as_deref(), Some("The A."));
    assert_eq!(page.blocks, [Block::Paragraph("Text.".into())]);
}
