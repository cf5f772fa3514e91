//! Pictures by a link that holds their whole source, as Kroki's do: compressed by deflate (with
//! zlib's header or without), in base64 for addresses. What is wrong with a source is drawn too,
//! for pages that show pictures alone.

use super::{Picture, shown};
use crate::http::Api;
use crate::http::auth::Member;
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Path, Query};
use crate::http::ranges::{Cut, Wanted};
use crate::http::reply::{Answer, Image, Pictured};
use crate::media::{MAX_SOURCE_BYTES, Output, RenderRequest};
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::{alphabet, engine};
use flate2::read::{DeflateDecoder, ZlibDecoder};
use serde::Deserialize;
use std::io::Read;
use utoipa::IntoParams;

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(engine::DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);
/// A line of the picture that tells of a fault, in characters.
const LINE: usize = 90;
const LINES: usize = 12;

#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Look {
    theme: Option<String>,
    #[param(minimum = 1, maximum = 8192)]
    width: Option<u32>,
    #[param(minimum = 1, maximum = 8192)]
    height: Option<u32>,
}

fn source(packed: &str) -> Result<String, Problem> {
    let refused = |message: &str| {
        Problem::new(ErrorCode::BadRequest, format!("the source in the address {message}"))
            .field(FieldError::query("source", "invalid_value", message))
    };
    let bytes = ENGINE.decode(packed).map_err(|_| refused("is not written in base64url"))?;
    let limit = MAX_SOURCE_BYTES as u64 + 1;
    let mut text = Vec::new();
    let zlib = ZlibDecoder::new(&bytes[..]).take(limit).read_to_end(&mut text);
    if zlib.is_err() {
        text.clear();
        DeflateDecoder::new(&bytes[..])
            .take(limit)
            .read_to_end(&mut text)
            .map_err(|_| refused("is not compressed by deflate"))?;
    }
    if text.len() > MAX_SOURCE_BYTES {
        return Err(refused(&format!("has more than {MAX_SOURCE_BYTES} bytes once inflated")));
    }
    String::from_utf8(text).map_err(|_| refused("is no text in UTF-8"))
}

pub(crate) async fn linked(
    State(api): State<Api>,
    Member(_): Member,
    Path((format, output, packed)): Path<(String, String, String)>,
    Query(look): Query<Look>,
    wanted: Wanted,
) -> Answer<Pictured<Picture>> {
    let output = Output::from_name(&output).ok_or_else(|| {
        let message = format!("{output} is not drawn; svg and png are");
        Problem::new(ErrorCode::UnsupportedFormat, message).detail("supported", vec!["svg", "png"])
    })?;
    let source = source(&packed)?;
    let theme = look.theme.filter(|theme| theme != "default" && !theme.is_empty());
    let (width, height, options) = (look.width, look.height, Vec::new());
    let order = RenderRequest { format, source, width, height, theme, options, output };
    match shown(&api, &order, true).await {
        Ok(Pictured::Image(image)) => {
            let size = image.bytes.len() as u64;
            let known = wanted.of(size, &image.tag) == Cut::Known;
            Ok(Pictured::Image(Image { known, ..image }))
        }
        Err(problem) if problem.code == ErrorCode::InvalidSource => {
            Ok(Pictured::Fault(drawn(problem.message())))
        }
        other => other,
    }
}

/// Words as a picture.
fn drawn(message: &str) -> Image {
    let letters: Vec<char> = message.chars().filter(|letter| !letter.is_control()).collect();
    let lines: Vec<String> = letters
        .chunks(LINE)
        .take(LINES)
        .map(|line| escaped(&line.iter().collect::<String>()))
        .collect();
    let height = 20 * lines.len() + 24;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"720\" height=\"{height}\">\
         <rect width=\"100%\" height=\"100%\" fill=\"#fdecea\"/>\
         <g font-family=\"monospace\" font-size=\"13\" fill=\"#8a1c12\">"
    );
    for (index, line) in lines.iter().enumerate() {
        svg.push_str(&format!("<text x=\"12\" y=\"{}\">{line}</text>", 26 + 20 * index));
    }
    svg.push_str("</g></svg>");
    let (media_type, tag) = ("image/svg+xml".to_owned(), String::new());
    Image { media_type, tag, known: false, bytes: svg.into_bytes() }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, ZlibEncoder};
    use std::io::Write as _;

    const TEXT: &str = "digraph { a -> b }";

    #[test]
    fn a_source_comes_back_from_an_address_in_every_form_that_clients_write() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
        zlib.write_all(TEXT.as_bytes()).unwrap();
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::best());
        deflate.write_all(TEXT.as_bytes()).unwrap();
        for bytes in [zlib.finish().unwrap(), deflate.finish().unwrap()] {
            let packed = ENGINE.encode(&bytes);
            assert_eq!(source(&packed).unwrap(), TEXT);
            assert_eq!(source(packed.trim_end_matches('=')).unwrap(), TEXT);
        }
    }

    #[test]
    fn what_is_no_source_is_refused_and_a_bomb_stops_at_the_bound() {
        for packed in ["%", "AAAA", ""] {
            assert!(source(packed).is_err(), "{packed}");
        }
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
        zlib.write_all(&vec![b' '; 64 << 20]).unwrap();
        let bomb = ENGINE.encode(zlib.finish().unwrap());
        assert!(source(&bomb).unwrap_err().message().contains("more than"));
    }

    #[test]
    fn a_fault_is_drawn_as_text_and_nothing_else() {
        let image = drawn("line 1, column 2: <script>x</script> & more");
        let text = String::from_utf8(image.bytes).unwrap();
        assert!(text.contains("&lt;script&gt;") && !text.contains("<script>"));
    }
}
