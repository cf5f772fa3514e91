//! Pixels side by side.

use anyhow::{Context as _, Result, ensure};
use std::io::Cursor;

/// Red, green, blue and how opaque, of each pixel, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Picture {
    pub(super) width: u32,
    pub(super) height: u32,
    pixels: Vec<[u8; 4]>,
}

impl Picture {
    pub(super) fn read(bytes: &[u8]) -> Result<Self> {
        let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info().context("no PNG")?;
        let size = reader.output_buffer_size().context("the picture is too large")?;
        let mut buffer = vec![0; size];
        let info = reader.next_frame(&mut buffer).context("a damaged PNG")?;
        let eight =
            info.color_type == png::ColorType::Rgba && info.bit_depth == png::BitDepth::Eight;
        ensure!(eight, "a PNG of another kind: {:?}", info.color_type);
        let pixels = buffer.as_chunks().0.to_vec();
        Ok(Self { width: info.width, height: info.height, pixels })
    }

    /// Made smaller where it is larger than that, each pixel the mean of those that it covers.
    pub(super) fn fitted(self, width: u32, height: u32) -> Self {
        if self.width <= width && self.height <= height {
            return self;
        }
        let scale = (f64::from(self.width) / f64::from(width))
            .max(f64::from(self.height) / f64::from(height));
        let side = |own: u32| ((f64::from(own) / scale) as u32).max(1);
        let (new_width, new_height) = (side(self.width), side(self.height));
        let covered = |new: u32, own: u32| {
            let from = (f64::from(new) * scale) as u32;
            let to = ((f64::from(new + 1) * scale).ceil() as u32).min(own).max(from + 1);
            from..to
        };
        let mut pixels = Vec::new();
        for y in 0..new_height {
            for x in 0..new_width {
                let (mut sum, mut count) = ([0_u32; 4], 0);
                for row in covered(y, self.height) {
                    for column in covered(x, self.width) {
                        let pixel = over_white(self.at(column, row));
                        for (sum, part) in sum.iter_mut().zip(pixel) {
                            *sum += u32::from(part);
                        }
                        count += 1;
                    }
                }
                pixels.push(sum.map(|sum| (sum / count.max(1)) as u8));
            }
        }
        Self { width: new_width, height: new_height, pixels }
    }

    fn at(&self, x: u32, y: u32) -> [u8; 4] {
        let index = y as usize * self.width as usize + x as usize;
        self.pixels.get(index).copied().unwrap_or_default()
    }
}

#[derive(Debug)]
pub(super) struct Canvas {
    width: u32,
    height: u32,
    pixels: Vec<[u8; 3]>,
}

impl Canvas {
    pub(super) fn white(width: u32, height: u32) -> Self {
        Self { width, height, pixels: vec![[255; 3]; width as usize * height as usize] }
    }

    /// What lies outside is cut off.
    pub(super) fn put(&mut self, picture: &Picture, left: u32, top: u32) {
        for y in 0..picture.height {
            for x in 0..picture.width {
                let [red, green, blue, _] = over_white(picture.at(x, y));
                let (x, y) = (left + x, top + y);
                if x < self.width && y < self.height {
                    let index = y as usize * self.width as usize + x as usize;
                    if let Some(pixel) = self.pixels.get_mut(index) {
                        *pixel = [red, green, blue];
                    }
                }
            }
        }
    }

    /// In 32 shades of each colour, which a page shows as well and which take a third.
    pub(super) fn png(&self) -> Result<Vec<u8>> {
        let shade = |part: u8| (u32::from(part) * 31 + 127) / 255;
        let coarse = |part: u8| ((shade(part) * 255 + 15) / 31) as u8;
        let bytes: Vec<u8> = self.pixels.iter().flat_map(|pixel| pixel.map(coarse)).collect();
        let mut out = Vec::new();
        let mut encoder = png::Encoder::new(&mut out, self.width, self.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::High);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&bytes)?;
        writer.finish()?;
        Ok(out)
    }
}

fn over_white([red, green, blue, alpha]: [u8; 4]) -> [u8; 4] {
    let alpha = u32::from(alpha);
    let mixed = |part: u8| ((u32::from(part) * alpha + 255 * (255 - alpha)) / 255) as u8;
    [mixed(red), mixed(green), mixed(blue), 255]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(width: u32, height: u32, pixel: [u8; 4]) -> Picture {
        Picture { width, height, pixels: vec![pixel; (width * height) as usize] }
    }

    #[test]
    fn a_picture_too_large_is_made_to_fit_and_a_small_one_stays() {
        let large = plain(400, 100, [255, 0, 0, 255]).fitted(100, 100);
        assert_eq!((large.width, large.height), (100, 25));
        assert_eq!(large.at(50, 10), [255, 0, 0, 255]);
        let small = plain(40, 10, [0, 0, 0, 255]);
        assert_eq!(small.clone().fitted(100, 100), small);
    }

    #[test]
    fn what_is_put_beside_the_canvas_is_cut_off_and_what_is_clear_is_white() {
        let mut canvas = Canvas::white(10, 10);
        canvas.put(&plain(5, 5, [0, 0, 255, 255]), 8, 8);
        canvas.put(&plain(2, 2, [0, 0, 0, 0]), 0, 0);
        assert_eq!(canvas.pixels[99], [0, 0, 255]);
        assert_eq!(canvas.pixels[0], [255, 255, 255]);
        let png = canvas.png().unwrap();
        assert!(png.starts_with(b"\x89PNG"));
    }
}
