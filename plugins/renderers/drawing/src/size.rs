//! Sizes of drawings, and the page that they have to fit.

/// No side of a picture is longer, whatever was asked for.
pub const MAX_PIXELS: u32 = 16_384;

/// What a drawing measures by itself, in pixels at 96 per inch. Both sides are finite and more
/// than nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    width: f64,
    height: f64,
}

/// What the page allows; absent means any length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    pub width: Option<u32>,
    pub height: Option<u32>,
}

/// A size in whole pixels, each from 1 to [`MAX_PIXELS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pixels {
    pub width: u32,
    pub height: u32,
}

impl Size {
    #[must_use]
    pub fn new(width: f64, height: f64) -> Option<Self> {
        let sound = |side: f64| side.is_finite() && side > 0.0;
        (sound(width) && sound(height)).then_some(Self { width, height })
    }

    #[must_use]
    pub fn width(self) -> f64 {
        self.width
    }

    #[must_use]
    pub fn height(self) -> f64 {
        self.height
    }
}

impl Bounds {
    /// `size` in its own proportions, as large as the bounds let it be, and as large as it is
    /// where there are none.
    #[must_use]
    pub fn fit(self, size: Size) -> Pixels {
        let across = self.width.map(|bound| f64::from(bound) / size.width);
        let down = self.height.map(|bound| f64::from(bound) / size.height);
        let wanted = match (across, down) {
            (Some(across), Some(down)) => across.min(down),
            (Some(scale), None) | (None, Some(scale)) => scale,
            (None, None) => 1.0,
        };
        let longest = size.width.max(size.height);
        let scale = wanted.min(f64::from(MAX_PIXELS) / longest);
        Pixels { width: whole(size.width * scale), height: whole(size.height * scale) }
    }
}

fn whole(pixels: f64) -> u32 {
    // `as` saturates, and a picture has at least one pixel.
    pixels.round().clamp(1.0, f64::from(MAX_PIXELS)) as u32
}
