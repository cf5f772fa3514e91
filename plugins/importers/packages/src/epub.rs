//! Textbooks as EPUB files, in the manner of CK-12's FlexBooks.

use crate::PNG;
use crate::prose::{Dice, paragraph, topic};
use crate::zip::{Entry, Zip};
use std::fmt::Write as _;

#[derive(Clone, Debug)]
pub struct Book {
    pub chapters: usize,
    pub lessons: usize,
    pub seed: u64,
    pub rights: &'static str,
    /// A table of contents as EPUB 2 has it in place of EPUB 3's.
    pub has_ncx_only: bool,
}

impl Default for Book {
    fn default() -> Self {
        Self {
            chapters: 10,
            lessons: 2,
            seed: 1,
            rights: "Creative Commons Attribution-NonCommercial 3.0",
            has_ncx_only: false,
        }
    }
}

#[must_use]
pub fn package(book: &Book) -> Vec<u8> {
    let mut zip = Zip::default();
    let mut dice = Dice::new(book.seed);
    zip.add(&Entry::stored("mimetype", b"application/epub+zip"));
    zip.file(
        "META-INF/container.xml",
        "<?xml version=\"1.0\"?><container version=\"1.0\" xmlns=\"urn:oasis:names:tc:opendocument:xmlns:container\">\
         <rootfiles><rootfile full-path=\"OEBPS/content.opf\" media-type=\"application/oebps-package+xml\"/></rootfiles></container>",
    );
    let (mut items, mut spine) = (String::new(), String::new());
    let (mut nav, mut points) = (String::new(), String::new());
    let mut add = |name: &str| {
        let id = name.replace(['.', '/'], "-");
        let _ = write!(
            items,
            "<item id=\"{id}\" href=\"{name}\" media-type=\"application/xhtml+xml\"/>"
        );
        let _ = write!(spine, "<itemref idref=\"{id}\"/>");
    };
    for chapter in 0..book.chapters {
        // Names run backwards, so that only the spine has the order.
        let name = format!("text/c{:04}.xhtml", 9_999 - chapter);
        let title = topic(chapter);
        add(&name);
        let _ = write!(nav, "<li><a href=\"{name}\">{title}</a><ol>");
        let _ = write!(
            points,
            "<navPoint><navLabel><text>{title}</text></navLabel><content src=\"{name}\"/>"
        );
        let opening = format!("<h1>{title}</h1><p>{}</p>", paragraph(&mut dice, 3));
        zip.file(&format!("OEBPS/{name}"), page(&title, &opening));
        for lesson in 0..book.lessons {
            let name = format!("text/c{:04}l{lesson}.xhtml", 9_999 - chapter);
            let title = format!("{}.{} {}", chapter + 1, lesson + 1, topic(chapter + lesson + 3));
            add(&name);
            let _ = write!(nav, "<li><a href=\"{name}#top\">{title}</a></li>");
            let _ = write!(
                points,
                "<navPoint><navLabel><text>{title}</text></navLabel><content src=\"{name}#top\"/></navPoint>"
            );
            zip.file(&format!("OEBPS/{name}"), page(&title, &body(&title, chapter, &mut dice)));
        }
        nav.push_str("</ol></li>");
        points.push_str("</navPoint>");
    }
    zip.file("OEBPS/images/wheel.png", PNG);
    zip.file("OEBPS/images/formula.png", PNG);
    let contents = if book.has_ncx_only {
        zip.file(
            "OEBPS/toc.ncx",
            format!(
                "<?xml version=\"1.0\"?><!DOCTYPE ncx PUBLIC \"-//NISO//DTD ncx 2005-1//EN\" \"http://www.daisy.org/z3986/2005/ncx-2005-1.dtd\">\
                 <ncx xmlns=\"http://www.daisy.org/z3986/2005/ncx/\"><navMap>{points}</navMap></ncx>"
            ),
        );
        "<item id=\"toc\" href=\"toc.ncx\" media-type=\"application/x-dtbncx+xml\"/>"
    } else {
        let list = format!(
            "<nav xmlns:epub=\"http://www.idpf.org/2007/ops\" epub:type=\"toc\"><ol>{nav}</ol></nav>"
        );
        zip.file("OEBPS/nav.xhtml", page("Contents", &list));
        "<item id=\"toc\" href=\"nav.xhtml\" media-type=\"application/xhtml+xml\" properties=\"nav\"/>"
    };
    zip.file(
        "OEBPS/content.opf",
        format!(
            "<?xml version=\"1.0\"?><package version=\"3.0\" xmlns=\"http://www.idpf.org/2007/opf\"><metadata xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\
             <dc:title>Engines for Everyone</dc:title><dc:creator>James Watt</dc:creator><dc:language>en</dc:language>\
             <dc:publisher>CK-12 Foundation</dc:publisher><dc:subject>Engineering</dc:subject>\
             <dc:description>This course explains engines.</dc:description><dc:rights>{}</dc:rights></metadata>\
             <manifest>{contents}{items}</manifest><spine toc=\"toc\">{spine}</spine></package>",
            book.rights
        ),
    );
    zip.finish()
}

fn body(title: &str, chapter: usize, dice: &mut Dice) -> String {
    format!(
        "<h1>{title}</h1><h2>Lesson Objectives</h2><ul><li>Define a governor.</li><li>Compare two springs.</li></ul>\
         <h2>Vocabulary</h2><ul><li>afflux: a flow towards something</li></ul>\
         <h2>What moves</h2><p>{}</p><p>A <dfn>flywheel</dfn> stores work. The law \
         <math xmlns=\"http://www.w3.org/1998/Math/MathML\" alttext=\"E = m c^{{2}}\"><mi>E</mi><mo>=</mo><mi>m</mi><msup><mi>c</mi><mn>2</mn></msup></math>\
         holds, and so does <img class=\"x-ck12-math\" src=\"../images/formula.png\" alt=\"\\frac{{a}}{{b}}\"/>.</p>\
         <figure><img src=\"../images/wheel.png\" alt=\"A wheel\"/><figcaption>Wheel {}.</figcaption></figure>\
         <h2>Review Questions</h2><ol><li>What does a governor do?</li><li>Name a spring.</li></ol>",
        paragraph(dice, 6),
        chapter + 1
    )
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><!DOCTYPE html><html xmlns=\"http://www.w3.org/1999/xhtml\">\
         <head><title>{title}</title><script src=\"x.js\"/></head><body>{body}</body></html>"
    )
}
