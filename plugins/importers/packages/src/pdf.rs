//! PDF files as a typesetter makes them: two fonts, ligatures, kerning, gaps in place of
//! blanks, words that are hyphenated at a line's end, as many pages as it takes.

use crate::prose::Dice;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use std::fmt::Write as _;
use std::io::Write as _;

const LINE_CHARS: usize = 72;
const PAGE_LINES: usize = 40;

#[derive(Clone, Debug)]
pub struct Pdf {
    pub bytes: Vec<u8>,
    /// Every word in reading order; one that is broken at a line's end is one, and two where
    /// the page ends there.
    pub words: Vec<String>,
}

#[must_use]
pub fn typeset(title: &str, paragraphs: &[String], seed: u64) -> Pdf {
    let mut dice = Dice::new(seed);
    let mut lines: Vec<(Style, String)> = vec![(Style::Title, title.to_owned())];
    for paragraph in paragraphs {
        lines.push((Style::Gap, String::new()));
        lines.extend(broken(paragraph, &mut dice).into_iter().map(|line| (Style::Text, line)));
    }
    let words = lines.chunks(PAGE_LINES).flat_map(page_words).collect();
    let pages: Vec<Vec<u8>> =
        lines.chunks(PAGE_LINES).map(|lines| content(lines, &mut dice)).collect();
    Pdf { bytes: file(&pages, dice.below(2) == 0), words }
}

fn page_words(lines: &[(Style, String)]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut is_broken = false;
    for (style, line) in lines {
        for (index, word) in line.split_whitespace().enumerate() {
            match words.last_mut() {
                Some(last) if is_broken && index == 0 => {
                    last.pop();
                    last.push_str(word);
                }
                _ => words.push(word.to_owned()),
            }
        }
        is_broken = *style == Style::Text && line.ends_with('-');
    }
    words
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Title,
    Text,
    Gap,
}

/// Lines of about equal length; a long word at the end is hyphenated now and then.
fn broken(paragraph: &str, dice: &mut Dice) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in paragraph.split_whitespace() {
        if line.len() + word.len() >= LINE_CHARS {
            let splits = word.len() > 8 && word.is_ascii() && dice.below(2) == 0;
            let (head, tail) = word.split_at(if splits { 4 } else { 0 });
            if splits {
                line.push(' ');
                line.push_str(head);
                line.push('-');
            }
            lines.push(std::mem::replace(&mut line, tail.to_owned()));
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

fn content(lines: &[(Style, String)], dice: &mut Dice) -> Vec<u8> {
    let mut text = Vec::from(&b"BT\n"[..]);
    let mut y = 780;
    for (style, line) in lines {
        y -= 16;
        if *style == Style::Gap {
            y -= 10;
            continue;
        }
        let font = if *style == Style::Title { "/F2 16 Tf" } else { "/F1 11 Tf" };
        text.extend(format!("{font} 1 0 0 1 72 {y} Tm\n").bytes());
        // TeX draws no blanks, it moves on.
        let has_gaps = dice.below(2) == 0;
        text.extend_from_slice(b"[(");
        for (index, word) in line.split_whitespace().enumerate() {
            if index > 0 {
                text.extend_from_slice(if has_gaps { b") -280 (" } else { b" " });
            }
            glyphs(&mut text, word, dice);
        }
        text.extend_from_slice(b")] TJ\n");
    }
    text.extend_from_slice(b"ET\n");
    text
}

/// A word's codes: `fi` and `fl` are one glyph each, and some pairs are kerned.
fn glyphs(text: &mut Vec<u8>, word: &str, dice: &mut Dice) {
    let mut rest = word;
    while let Some(c) = rest.chars().next() {
        let length = if rest.starts_with("fi") {
            text.push(1);
            2
        } else if rest.starts_with("fl") {
            text.push(2);
            2
        } else {
            if matches!(c, '(' | ')' | '\\') {
                text.push(b'\\');
            }
            // Latin-1 is what the fonts' encoding agrees with.
            text.push(u8::try_from(u32::from(c)).unwrap_or(b'?'));
            c.len_utf8()
        };
        rest = &rest[length..];
        if !rest.is_empty() && dice.below(6) == 0 {
            text.extend_from_slice(if dice.below(2) == 0 { b") 20 (" } else { b") -15 (" });
        }
    }
}

fn file(pages: &[Vec<u8>], names_ligatures: bool) -> Vec<u8> {
    let to_unicode = "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n\
        /CMapName /L def /CMapType 2 def\n1 begincodespacerange <00> <ff> endcodespacerange\n\
        2 beginbfchar <01> <00660069> <02> <0066006c> endbfchar\n\
        1 beginbfrange <20> <7e> <0020> endbfrange\n\
        endcmap CMapName currentdict /CMap defineresource pop end end\n";
    let kids: Vec<String> =
        (0..pages.len()).map(|index| format!("{} 0 R", 7 + index * 2)).collect();
    let map = if names_ligatures { " /ToUnicode 6 0 R" } else { "" };
    let font = |name: &str| {
        format!(
            "<< /Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding << /Type /Encoding \
             /BaseEncoding /WinAnsiEncoding /Differences [1 /fi /fl] >>{map} >>"
        )
        .into_bytes()
    };
    let mut objects: Vec<Vec<u8>> = vec![
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        format!("<< /Type /Pages /Count {} /Kids [{}] >>", pages.len(), kids.join(" "))
            .into_bytes(),
        b"<< /Font << /F1 4 0 R /F2 5 0 R >> >>".to_vec(),
        font("Times-Roman"),
        font("Helvetica-Bold"),
        stream(to_unicode.as_bytes()),
    ];
    for (index, page) in pages.iter().enumerate() {
        let contents = 8 + index * 2;
        objects.push(
            format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources 3 0 R \
                 /Contents {contents} 0 R >>"
            )
            .into_bytes(),
        );
        objects.push(stream(page));
    }
    let mut bytes = Vec::from(&b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n"[..]);
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (index, object) in objects.iter().enumerate() {
        let _ = writeln!(table, "{:010} 00000 n ", bytes.len());
        bytes.extend(format!("{} 0 obj\n", index + 1).bytes());
        bytes.extend_from_slice(object);
        bytes.extend_from_slice(b"\nendobj\n");
    }
    let at = bytes.len();
    bytes.extend(table.bytes());
    let count = objects.len() + 1;
    let trailer = format!("trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{at}\n%%EOF\n");
    bytes.extend(trailer.bytes());
    bytes
}

/// A packed stream with its dictionary.
#[must_use]
pub fn stream(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail.
    let packed = encoder.write_all(data).and_then(|()| encoder.finish()).unwrap_or_default();
    let mut object =
        format!("<< /Length {} /Filter /FlateDecode >>\nstream\n", packed.len()).into_bytes();
    object.extend_from_slice(&packed);
    object.extend_from_slice(b"\nendstream");
    object
}
