//! A page of a course: its text in blocks, and what it shows and points at.

use crate::fault::Fault;
use crate::guard::{Language, guarded};
use crate::text::{sentences, squeezed};
use ego_tree::iter::Edge;
use scraper::{ElementRef, Html, Node};

/// What is told of one page; a longer one is a page of something else.
const MAX_BLOCKS: usize = 20_000;
const MAX_LINKS: usize = 5_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    Heading { level: u8, text: String },
    Paragraph(String),
    Item(String),
    Code(String),
    Quote(String),
}

impl Block {
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Heading { text, .. }
            | Self::Paragraph(text)
            | Self::Item(text)
            | Self::Code(text)
            | Self::Quote(text) => text,
        }
    }
}

/// A formula, in the words that its author gave for those who can't see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formula {
    /// The block that it stands in.
    pub at: usize,
    pub alt: String,
    pub latex: Option<String>,
    pub mathml: Option<String>,
    /// Its picture, where it is one.
    pub image: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    pub at: usize,
    pub source: String,
    pub alt: String,
    pub caption: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub target: String,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    pub term: String,
    pub definition: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub title: Option<String>,
    pub language: Option<String>,
    /// `name` or `property`, and `content`.
    pub metas: Vec<(String, String)>,
    pub blocks: Vec<Block>,
    pub formulas: Vec<Formula>,
    pub pictures: Vec<Picture>,
    pub definitions: Vec<Definition>,
    pub links: Vec<Link>,
    /// Sources of films and of frames that show one.
    pub players: Vec<String>,
    /// Captions of films.
    pub tracks: Vec<String>,
    /// What stands beside a class name: `course-info-level` and its like.
    pub classed: Vec<(String, String)>,
}

impl Page {
    /// # Errors
    /// Where it is too deep or too much, or declares entities.
    pub fn parse(entry: &str, text: &str) -> Result<Self, Fault> {
        let start = text.get(..text.floor_char_boundary(1_000)).unwrap_or_default();
        let is_xhtml = start.trim_start().starts_with("<?xml")
            || start.contains("http://www.w3.org/1999/xhtml");
        let language = if is_xhtml { Language::Xhtml } else { Language::Html };
        let safe = guarded(entry, text, language)?;
        let html = Html::parse_document(&safe);
        drop(safe);
        let mut walk = Walk::new(&html);
        for edge in html.tree.root().traverse() {
            match edge {
                Edge::Open(node) => match node.value() {
                    Node::Element(_) => {
                        if let Some(element) = ElementRef::wrap(node) {
                            walk.open(element);
                        }
                    }
                    Node::Text(text) => walk.text(text),
                    _ => {}
                },
                Edge::Close(node) => {
                    if let Some(element) = ElementRef::wrap(node) {
                        walk.close(element);
                    }
                }
            }
        }
        Ok(walk.finish())
    }

    /// The first heading, or else what the page calls itself.
    #[must_use]
    pub fn heading(&self) -> Option<&str> {
        let heading = self.blocks.iter().find_map(|block| match block {
            Block::Heading { text, .. } => Some(text.as_str()),
            _ => None,
        });
        heading.or(self.title.as_deref())
    }

    #[must_use]
    pub fn meta(&self, name: &str) -> Option<&str> {
        let found = self.metas.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, content)| content.as_str()).filter(|content| !content.is_empty())
    }
}

struct Walk {
    page: Page,
    text: String,
    /// Depth of elements whose text is not the page's: scripts, menus.
    silent: usize,
    /// Is there an element `main`, and how deep are we in it?
    has_main: bool,
    main: usize,
    link: Option<(String, String)>,
    term: Option<String>,
    /// Terms of the block that is open, to be found in its sentences.
    terms: Vec<String>,
    list_term: Option<String>,
    caption: Option<String>,
    figure_from: usize,
    in_title: bool,
    /// A formula that stands for itself: its inner text is not told.
    in_math: bool,
}

impl Walk {
    fn new(html: &Html) -> Self {
        let has_main = html
            .tree
            .root()
            .descendants()
            .any(|node| node.value().as_element().is_some_and(is_main));
        Self {
            page: Page::default(),
            text: String::new(),
            silent: 0,
            has_main,
            main: 0,
            link: None,
            term: None,
            terms: Vec::new(),
            list_term: None,
            caption: None,
            figure_from: 0,
            in_title: false,
            in_math: false,
        }
    }

    fn is_told(&self) -> bool {
        self.silent == 0 && !self.in_math && (!self.has_main || self.main > 0)
    }

    fn open(&mut self, element: ElementRef<'_>) {
        let value = element.value();
        let name = value.name();
        if is_main(value) {
            self.main += 1;
        }
        if is_silent(value) {
            self.silent += 1;
        }
        if let Some(class) = value.attr("class")
            && let Some(info) = class.split_whitespace().find(|class| class.starts_with("course-"))
            && self.page.classed.len() < MAX_LINKS
        {
            let text = beginning(element);
            // The innermost element has the value; a long text is a part of the page.
            if !text.is_empty() && text.chars().count() < 300 {
                self.page.classed.push((info.to_owned(), text));
            }
        }
        match name {
            "html" => self.page.language = value.attr("lang").map(str::to_owned),
            "title" => self.in_title = self.page.title.is_none(),
            "meta" => {
                let key = value.attr("name").or_else(|| value.attr("property"));
                if let (Some(key), Some(content)) = (key, value.attr("content")) {
                    self.page.metas.push((key.to_owned(), squeezed(content)));
                }
            }
            "a" => self.link = value.attr("href").map(|target| (target.to_owned(), String::new())),
            "img" => self.picture(element),
            "math" => self.math(element),
            "iframe" | "video" | "audio" | "source" => {
                let source = value.attr("src").or_else(|| value.attr("data-src"));
                self.page.players.extend(source.map(str::to_owned));
            }
            "track" => self.page.tracks.extend(value.attr("src").map(str::to_owned)),
            "dfn" => self.term = Some(String::new()),
            "figure" => self.figure_from = self.page.pictures.len(),
            "figcaption" => {
                self.end_block(Block::Paragraph);
                self.caption = Some(String::new());
            }
            "br" => self.text.push(' '),
            "td" | "th" => self.text.push(' '),
            _ => {}
        }
        if is_block(name) {
            self.end_block(Block::Paragraph);
        }
    }

    fn text(&mut self, text: &str) {
        if self.in_title {
            self.page.title.get_or_insert_default().push_str(text);
        }
        if let Some((_, shown)) = &mut self.link {
            shown.push_str(text);
        }
        if !self.is_told() {
            return;
        }
        for place in [&mut self.term, &mut self.caption].into_iter().flatten() {
            place.push_str(text);
        }
        if self.caption.is_none() {
            self.text.push_str(text);
        }
    }

    fn close(&mut self, element: ElementRef<'_>) {
        let value = element.value();
        match value.name() {
            "title" if self.in_title => {
                self.in_title = false;
                self.page.title =
                    self.page.title.take().map(|title| squeezed(&title)).filter(|t| !t.is_empty());
            }
            "a" => {
                if let Some((target, text)) = self.link.take()
                    && self.page.links.len() < MAX_LINKS
                {
                    let label = value.attr("aria-label").or_else(|| value.attr("title"));
                    let text = squeezed(&text);
                    let text = match label {
                        Some(label) if text.is_empty() => squeezed(label),
                        _ => text,
                    };
                    self.page.links.push(Link { target, text });
                }
            }
            "math" => self.in_math = false,
            "dfn" => {
                let term = self.term.take().map(|term| squeezed(&term));
                self.terms.extend(term.filter(|term| !term.is_empty()));
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                let level = value.name().as_bytes().get(1).map_or(1, |digit| digit - b'0');
                self.end_block(|text| Block::Heading { level, text });
            }
            "li" => self.end_block(Block::Item),
            "pre" => self.end_block(Block::Code),
            "blockquote" => self.end_block(Block::Quote),
            "dt" => {
                let term = squeezed(&self.text);
                self.text.clear();
                self.list_term = Some(term).filter(|term| !term.is_empty());
            }
            "dd" => self.end_definition(),
            "figcaption" => {
                let caption = self.caption.take().map(|caption| squeezed(&caption));
                let from = self.figure_from.min(self.page.pictures.len());
                if let (Some(caption), Some(picture)) = (
                    caption.filter(|text| !text.is_empty()),
                    self.page.pictures[from..].first_mut(),
                ) {
                    picture.caption = Some(caption);
                }
            }
            name if is_block(name) => self.end_block(Block::Paragraph),
            _ => {}
        }
        if is_silent(value) {
            self.silent = self.silent.saturating_sub(1);
        }
        if is_main(value) {
            self.main = self.main.saturating_sub(1);
        }
    }

    fn finish(mut self) -> Page {
        self.end_block(Block::Paragraph);
        self.page
    }

    fn end_block(&mut self, kind: impl FnOnce(String) -> Block) {
        let text = std::mem::take(&mut self.text);
        let block = kind(text);
        let tidy = match &block {
            Block::Code(code) => code.trim_matches('\n').trim_end().to_owned(),
            other => squeezed(other.text()),
        };
        let terms = std::mem::take(&mut self.terms);
        if tidy.is_empty() || self.page.blocks.len() >= MAX_BLOCKS {
            return;
        }
        for term in terms {
            let definition = sentences(&tidy).into_iter().find(|sentence| sentence.contains(&term));
            self.define(term, definition.unwrap_or_else(|| tidy.clone()));
        }
        self.page.blocks.push(match block {
            Block::Heading { level, .. } => Block::Heading { level, text: tidy },
            Block::Paragraph(_) => Block::Paragraph(tidy),
            Block::Item(_) => Block::Item(tidy),
            Block::Code(_) => Block::Code(tidy),
            Block::Quote(_) => Block::Quote(tidy),
        });
    }

    fn end_definition(&mut self) {
        let definition = squeezed(&self.text);
        if let Some(term) = self.list_term.clone()
            && !definition.is_empty()
        {
            self.text = format!("{term}: {definition}");
            self.define(term, definition);
        }
        self.end_block(Block::Item);
    }

    fn define(&mut self, term: String, definition: String) {
        let is_known = self.page.definitions.iter().any(|known| known.term == term);
        if !is_known && self.page.definitions.len() < MAX_LINKS {
            self.page.definitions.push(Definition { term, definition });
        }
    }

    fn picture(&mut self, element: ElementRef<'_>) {
        let value = element.value();
        let Some(source) = value.attr("src").or_else(|| value.attr("data-src")) else {
            return;
        };
        if !self.is_told() || self.page.pictures.len() >= MAX_LINKS {
            return;
        }
        let alt = squeezed(value.attr("alt").unwrap_or_default());
        let at = self.page.blocks.len();
        let class = value.attr("class").unwrap_or_default().to_lowercase();
        let is_formula =
            class.contains("math") || class.contains("equation") || class.contains("tex");
        if is_formula && !alt.is_empty() {
            self.text.push_str(&alt);
            let latex = looks_like_latex(&alt).then(|| alt.clone());
            let image = Some(source.to_owned());
            self.page.formulas.push(Formula { at, alt, latex, mathml: None, image });
        } else {
            let source = source.to_owned();
            self.page.pictures.push(Picture { at, source, alt, caption: None });
        }
    }

    fn math(&mut self, element: ElementRef<'_>) {
        if !self.is_told() || self.page.formulas.len() >= MAX_LINKS {
            return;
        }
        let value = element.value();
        let annotation = element.descendants().filter_map(ElementRef::wrap).find(|inner| {
            let encoding = inner.value().attr("encoding").unwrap_or_default().to_lowercase();
            inner.value().name() == "annotation" && encoding.contains("tex")
        });
        let latex = annotation.map(|inner| squeezed(&inner.text().collect::<String>()));
        let shown = || squeezed(&linear(element));
        let alt = value.attr("alttext").or_else(|| value.attr("alt")).map(squeezed);
        let alt = alt.filter(|alt| !alt.is_empty()).unwrap_or_else(shown);
        self.text.push_str(&alt);
        let latex = latex.or_else(|| looks_like_latex(&alt).then(|| alt.clone()));
        let at = self.page.blocks.len();
        let mathml = Some(element.html());
        self.page.formulas.push(Formula { at, alt, latex, mathml, image: None });
        self.in_math = true;
    }
}

/// As much of its text as tells that it is too long.
fn beginning(element: ElementRef<'_>) -> String {
    let mut text = String::new();
    for part in element.text() {
        text.push_str(part);
        if text.len() > 2_000 {
            break;
        }
    }
    squeezed(&text)
}

fn looks_like_latex(text: &str) -> bool {
    text.contains('\\') || text.contains("^{") || text.contains("_{")
}

/// MathML in a line: fractions with a stroke, powers with `^`.
fn linear(math: ElementRef<'_>) -> String {
    let mut line = String::new();
    for edge in math.traverse() {
        match edge {
            Edge::Open(node) => match node.value() {
                Node::Text(text) => line.push_str(text.trim()),
                Node::Element(_) => {
                    let above = node.parent().and_then(ElementRef::wrap);
                    let is_later = node.prev_siblings().any(|other| other.value().is_element());
                    match above.map(|above| above.value().name()) {
                        Some("mfrac") if is_later => line.push('/'),
                        Some("msup") if is_later => line.push('^'),
                        Some("msub") if is_later => line.push('_'),
                        _ => {}
                    }
                    match node.value().as_element().map(scraper::node::Element::name) {
                        Some("msqrt") => line.push_str("√("),
                        Some("mfrac") => line.push('('),
                        Some("mo") => line.push(' '),
                        _ => {}
                    }
                }
                _ => {}
            },
            Edge::Close(node) => {
                match node.value().as_element().map(scraper::node::Element::name) {
                    Some("msqrt" | "mfrac") => line.push(')'),
                    Some("mo") => line.push(' '),
                    _ => {}
                }
            }
        }
    }
    line
}

fn is_main(element: &scraper::node::Element) -> bool {
    element.name() == "main"
        || element.attr("role") == Some("main")
        || element.attr("id") == Some("course-content-section")
}

fn is_silent(element: &scraper::node::Element) -> bool {
    matches!(
        element.name(),
        "script" | "style" | "nav" | "noscript" | "template" | "head" | "footer" | "svg" | "object"
    ) || element.attr("hidden").is_some()
        || element.attr("aria-hidden") == Some("true")
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "p" | "div"
            | "section"
            | "article"
            | "main"
            | "header"
            | "aside"
            | "ul"
            | "ol"
            | "li"
            | "dl"
            | "dt"
            | "dd"
            | "table"
            | "tr"
            | "thead"
            | "tbody"
            | "caption"
            | "pre"
            | "blockquote"
            | "figure"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "hr"
            | "body"
            | "address"
            | "form"
            | "fieldset"
            | "details"
            | "summary"
    )
}

#[cfg(test)]
mod tests {
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
}
