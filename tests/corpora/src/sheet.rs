//! Contact sheets: pictures of every renderer side by side, in pixels as the product makes them.
//!
//! The pixels of each come from the aggregator's own child for that; here they are only laid
//! beside each other.

mod canvas;
mod content;
mod worlds;

use crate::ours::Renderer;
use anyhow::{Context as _, Result, bail, ensure};
use canvas::{Canvas, Picture};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Above it a page of documentation gets slow to load.
const MAX_SHEET_BYTES: usize = 600_000;
const CAPTION_HEIGHT: u32 = 22;
const GAP: u32 = 12;

/// One picture of a sheet.
#[derive(Clone, Debug)]
struct Entry {
    caption: String,
    /// The component, and the format that it is asked for.
    guest: &'static str,
    source: String,
    options: Vec<(&'static str, &'static str)>,
}

#[derive(Debug)]
struct Sheet {
    name: &'static str,
    columns: u32,
    cell: (u32, u32),
    entries: Vec<Entry>,
}

/// The program that makes pixels, and where the guests lie.
#[derive(Clone, Debug)]
pub(crate) struct Studio {
    pub(crate) aggregator: PathBuf,
    pub(crate) fonts: Vec<PathBuf>,
    pub(crate) components: PathBuf,
    pub(crate) code: PathBuf,
}

/// Draws every sheet into `folder`.
pub(crate) fn draw(studio: &Studio, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
    let mut renderers = BTreeMap::new();
    for sheet in content::sheets().into_iter().chain(worlds::sheets()) {
        let picture = lay_out(studio, &mut renderers, &sheet)?;
        let bytes = picture.png()?;
        ensure!(
            bytes.len() <= MAX_SHEET_BYTES,
            "the sheet {} has {} bytes, at most {MAX_SHEET_BYTES} are wanted",
            sheet.name,
            bytes.len()
        );
        let path = folder.join(format!("{}.png", sheet.name));
        fs::write(&path, &bytes).with_context(|| format!("{} can't be written", path.display()))?;
        println!("{}: {} pictures, {} KB", path.display(), sheet.entries.len(), bytes.len() / 1000);
    }
    Ok(())
}

fn lay_out(
    studio: &Studio,
    renderers: &mut BTreeMap<&'static str, Renderer>,
    sheet: &Sheet,
) -> Result<Canvas> {
    let (width, height) = sheet.cell;
    let columns = sheet.columns;
    let rows = u32::try_from(sheet.entries.len())?.div_ceil(columns);
    let (across, down) = (width + GAP, height + CAPTION_HEIGHT + GAP);
    let mut canvas = Canvas::white(columns * across + GAP, rows * down + GAP);
    for (index, entry) in (0_u32..).zip(&sheet.entries) {
        let picture = picture(studio, renderers, entry, sheet.cell)
            .with_context(|| format!("the picture {:?} of {}", entry.caption, sheet.name))?;
        let (x, y) = (GAP + index % columns * across, GAP + index / columns * down);
        let caption = pixels(studio, caption(&entry.caption, width).as_bytes())?;
        canvas.put(&caption, x, y);
        let picture = picture.fitted(width, height);
        let (left, top) = ((width - picture.width) / 2, (height - picture.height) / 2);
        canvas.put(&picture, x + left, y + CAPTION_HEIGHT + top);
    }
    Ok(canvas)
}

fn picture(
    studio: &Studio,
    renderers: &mut BTreeMap<&'static str, Renderer>,
    entry: &Entry,
    (width, height): (u32, u32),
) -> Result<Picture> {
    if !renderers.contains_key(entry.guest) {
        let format = match entry.guest {
            "maps" => "map",
            "charts" => "chart",
            named_alike => named_alike,
        };
        let loaded = Renderer::load(&studio.components, &studio.code, entry.guest, format)?;
        renderers.insert(entry.guest, loaded);
    }
    let Some(renderer) = renderers.get(entry.guest) else { bail!("no renderer {}", entry.guest) };
    // Maps fill what they are given; the others have a size of their own.
    let size = (entry.guest == "maps").then_some((width, height));
    let image = match renderer.render(&entry.source, &entry.options, size) {
        Ok(image) => image,
        Err(failure) => bail!("{}: {:?}", failure.message, failure.diagnostics),
    };
    pixels(studio, &image.data)
}

fn caption(text: &str, width: u32) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{CAPTION_HEIGHT}'>\
         <text x='0' y='15' font-family='sans-serif' font-size='13' fill='#333'>{text}</text></svg>"
    )
}

/// By the aggregator's child, as every picture of the product.
fn pixels(studio: &Studio, svg: &[u8]) -> Result<Picture> {
    let mut child = Command::new(&studio.aggregator)
        .arg("rasterise")
        .args(&studio.fonts)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{} can't be started", studio.aggregator.display()))?;
    let mut input = child.stdin.take().context("the child has no standard input")?;
    // It reads everything before it writes, so neither waits for the other.
    let sent = input.write_all(svg);
    drop(input);
    let output = child.wait_with_output().context("the child that makes pixels")?;
    let why = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "no pixels: {} {}", output.status, why.trim());
    sent.context("the drawing was not read")?;
    Picture::read(&output.stdout)
}
