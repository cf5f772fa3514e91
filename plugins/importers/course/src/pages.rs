//! A page's pictures and formulas as media of a node, with the files that belong to them.

use crate::format::{Asset, Extract};
use crate::html::Page;
use crate::media;
use crate::package::{Package, resolved, stem};
use crate::text::slug;
use crate::umcf::{Media, Node};

/// Media of one page.
const MAX_MEDIA: usize = 500;

/// The file that a reference in the page means, where the package has it.
#[must_use]
pub fn target(package: &Package, from: &str, reference: &str) -> Option<String> {
    let path = resolved(from, reference)?;
    if package.has(&path) {
        return Some(path);
    }
    // A folder stands for its opening page.
    let opening = format!("{}/index.html", path.trim_end_matches('/'));
    package.has(&opening).then_some(opening)
}

/// The id of the file at that path; the same file has the same id wherever it is shown.
#[must_use]
pub fn asset_id(path: &str) -> String {
    slug(path)
}

/// Adds what the page shows to the node, and its files to the extract.
pub fn show(package: &Package, entry: &str, page: &Page, node: &mut Node, extract: &mut Extract) {
    for picture in &page.pictures {
        if node.media.len() >= MAX_MEDIA {
            extract.warnings.push(format!("{entry}: more than {MAX_MEDIA} pictures and formulas"));
            return;
        }
        let Some(path) = target(package, entry, &picture.source) else {
            if !picture.source.starts_with("data:") && !picture.source.contains("//") {
                extract
                    .warnings
                    .push(format!("{entry}: its picture {} is missing", picture.source));
            }
            continue;
        };
        let Some(kind) = media::picture(&path) else { continue };
        let id = asset_id(&path);
        let alt = if picture.alt.is_empty() {
            picture.caption.clone().unwrap_or_else(|| stem(&path).to_owned())
        } else {
            picture.alt.clone()
        };
        node.media.push(Media::Picture {
            id: id.clone(),
            alt: alt.clone(),
            caption: picture.caption.clone(),
            path: path.clone(),
            kind,
        });
        extract.assets.push(Asset { id, title: alt, entry: path, media_type: kind });
    }
    for (index, formula) in page.formulas.iter().enumerate() {
        if node.media.len() >= MAX_MEDIA {
            return;
        }
        let image = formula.image.as_deref().and_then(|image| target(package, entry, image));
        if let Some(path) = &image
            && let Some(media_type) = media::picture(path)
        {
            let (id, title) = (asset_id(path), formula.alt.clone());
            extract.assets.push(Asset { id, title, entry: path.clone(), media_type });
        }
        node.media.push(Media::Formula {
            id: format!("{}-formula-{}", node.id, index + 1),
            alt: formula.alt.clone(),
            latex: formula.latex.clone(),
            mathml: formula.mathml.clone(),
            path: image,
            spoken: None,
        });
    }
}
