//! A file that an author hands in: a document, or a document with its assets, compressed or not.

use super::umcf::{Document, DocumentError};
use super::{Asset, MAX_ASSET_BYTES, MAX_ASSETS, MAX_DOCUMENT_BYTES, MAX_TOTAL_BYTES, sniff};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use serde_json::Value;
use std::io::Read;
use thiserror::Error;

const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Base64 takes four bytes for three.
const MAX_INFLATED: usize = MAX_DOCUMENT_BYTES + MAX_TOTAL_BYTES / 3 * 4;

#[derive(Debug, Error)]
pub enum BundleError {
    #[error("the file is compressed by gzip and damaged")]
    Gzip(#[source] std::io::Error),
    #[error("the file has more than {MAX_INFLATED} bytes once it is inflated")]
    Inflated,
    #[error("the file is no text in UTF-8")]
    Utf8,
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error("the bundle's manifest is no document")]
    Manifest,
    #[error("the bundle has more than {MAX_ASSETS} assets")]
    TooMany,
    #[error("the asset {0} is not written in base64")]
    Base64(String),
    #[error(
        "the asset {0} has more than {MAX_ASSET_BYTES} bytes, or all have more than {MAX_TOTAL_BYTES}"
    )]
    TooLarge(String),
    #[error("the asset {0} can't be kept: {1}")]
    Asset(String, #[source] sniff::SniffError),
}

#[derive(Debug)]
pub struct Bundle {
    pub document: Document,
    pub assets: Vec<Asset>,
}

impl Bundle {
    /// # Errors
    /// Where the file is none, is damaged or passes a bound.
    pub fn read(file: Vec<u8>) -> Result<Self, BundleError> {
        let compressed = file.starts_with(&GZIP);
        let bytes = if compressed { inflated(&file)? } else { file };
        let text = String::from_utf8(bytes).map_err(|_| BundleError::Utf8)?;
        let max = if compressed { MAX_INFLATED } else { MAX_DOCUMENT_BYTES };
        match Document::parse(text.clone(), max) {
            Err(DocumentError::NoUmcf(why)) => match serde_json::from_str::<Value>(&text) {
                Ok(Value::Object(fields)) if fields.contains_key("manifest") => Self::of(&fields),
                _ => Err(DocumentError::NoUmcf(why).into()),
            },
            document if text.len() <= MAX_DOCUMENT_BYTES => {
                Ok(Self { document: document?, assets: Vec::new() })
            }
            _ => Err(DocumentError::Size { max: MAX_DOCUMENT_BYTES }.into()),
        }
    }

    fn of(fields: &serde_json::Map<String, Value>) -> Result<Self, BundleError> {
        let manifest = fields.get("manifest").filter(|m| m.is_object());
        let text = manifest.ok_or(BundleError::Manifest)?.to_string();
        let document = Document::parse(text, MAX_DOCUMENT_BYTES)?;
        let entries = fields.get("assets").and_then(Value::as_object);
        let (mut assets, mut total) = (Vec::new(), 0);
        for (id, value) in entries.into_iter().flatten() {
            if assets.len() == MAX_ASSETS {
                return Err(BundleError::TooMany);
            }
            let text = value.as_str().or_else(|| value["data"].as_str());
            let bytes = text.and_then(|text| STANDARD.decode(text.trim()).ok());
            let bytes = bytes.ok_or_else(|| BundleError::Base64(id.clone()))?;
            total += bytes.len();
            if bytes.len() > MAX_ASSET_BYTES || total > MAX_TOTAL_BYTES {
                return Err(BundleError::TooLarge(id.clone()));
            }
            let (media_type, bytes) =
                sniff::checked(bytes).map_err(|error| BundleError::Asset(id.clone(), error))?;
            assets.push(Asset {
                id: id.clone(),
                title: id.clone(),
                media_type: media_type.into(),
                bytes,
            });
        }
        Ok(Self { document, assets })
    }
}

fn inflated(file: &[u8]) -> Result<Vec<u8>, BundleError> {
    let mut bytes = Vec::new();
    let limit = MAX_INFLATED as u64 + 1;
    GzDecoder::new(file).take(limit).read_to_end(&mut bytes).map_err(BundleError::Gzip)?;
    if bytes.len() > MAX_INFLATED { Err(BundleError::Inflated) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use serde_json::json;
    use std::io::Write as _;

    const DOCUMENT: &str = r#"{ "formatIdentifier":"umcf","title":"a","content":[{}] }"#;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_document_comes_plain_compressed_or_with_its_assets() {
        for file in [DOCUMENT.as_bytes().to_vec(), gzip(DOCUMENT.as_bytes())] {
            let bundle = Bundle::read(file).unwrap();
            assert_eq!((bundle.document.text(), bundle.assets.len()), (DOCUMENT, 0));
        }
        let picture = STANDARD.encode("<svg xmlns='http://www.w3.org/2000/svg'><g/></svg>");
        let whole = json!({
            "manifest": serde_json::from_str::<Value>(DOCUMENT).unwrap(),
            "assets": { "cell": picture }, "metadata": {},
        });
        let bundle = Bundle::read(gzip(whole.to_string().as_bytes())).unwrap();
        assert_eq!(bundle.document.title(), "a");
        assert_eq!(
            (bundle.assets[0].id.as_str(), bundle.assets[0].media_type.as_str()),
            ("cell", "image/svg+xml")
        );
    }

    #[test]
    fn what_is_damaged_or_no_document_is_refused_by_what_it_is() {
        let mut cut = gzip(DOCUMENT.as_bytes());
        cut.truncate(cut.len() / 2);
        assert!(matches!(Bundle::read(cut), Err(BundleError::Gzip(_))));
        assert!(matches!(Bundle::read(vec![0xff, 0xfe]), Err(BundleError::Utf8)));
        assert!(matches!(Bundle::read(b"{}".to_vec()), Err(BundleError::Document(_))));
        let bad = json!({ "manifest": serde_json::from_str::<Value>(DOCUMENT).unwrap(), "assets": { "x": "%" } });
        assert!(matches!(Bundle::read(bad.to_string().into_bytes()), Err(BundleError::Base64(_))));
        let html = json!({ "manifest": serde_json::from_str::<Value>(DOCUMENT).unwrap(), "assets": { "x": STANDARD.encode("<html>") } });
        assert!(matches!(Bundle::read(html.to_string().into_bytes()), Err(BundleError::Asset(..))));
    }

    #[test]
    fn a_bomb_is_stopped_at_the_bound() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let zeros = vec![b' '; 1 << 20];
        for _ in 0..=(MAX_INFLATED >> 20) {
            encoder.write_all(&zeros).unwrap();
        }
        let bomb = encoder.finish().unwrap();
        assert!(bomb.len() < 2 << 20);
        assert!(matches!(Bundle::read(bomb), Err(BundleError::Inflated)));
    }
}
