//! A page element by element, in one pass and without recursion.

use super::math::{linear, looks_like_latex};
use super::{Block, Definition, Formula, Link, MAX_BLOCKS, MAX_LINKS, Page, Picture};
use crate::text::{sentences, squeezed};
use scraper::{ElementRef, Html};

/// Blocks are built while elements open and close.
pub(super) struct Walk {
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
    pub(super) fn new(html: &Html) -> Self {
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

    pub(super) fn open(&mut self, element: ElementRef<'_>) {
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

    pub(super) fn text(&mut self, text: &str) {
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

    pub(super) fn close(&mut self, element: ElementRef<'_>) {
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

    pub(super) fn finish(mut self) -> Page {
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
