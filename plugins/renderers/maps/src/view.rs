//! From degrees to pixels and back, for the part of the world that a picture shows.
//!
//! The half-extent is 180 degrees of longitude at zoom 1 and half as much with each step; the
//! height follows from the projection, which keeps shapes at the centre. Rings and lines come
//! with longitudes that do not jump, so a view across 180 degrees draws each of them as often as
//! it is seen, and nothing is cut there. On the globe, what lies behind the horizon is laid
//! outside the disc rather than cut off, and the picture clips to the disc: polygons stay whole.

use super::clip::{self, Dot, Frame};
use super::request::{Geo, Wanted, near};
use super::ring::{around_pole, meridians, surrounds};

/// How far past the picture lines and fills reach, so that no edge of a cut shows.
const MARGIN: f64 = 24.0;
/// Mercator's plane is cut here, far outside any picture.
const MERCATOR_LATITUDE: f64 = 89.5;
/// Mercator's square world ends here; a view stays inside where it can.
const MERCATOR_END: f64 = 180.0;
/// Past this latitude of the centre the globe shows more than Mercator.
const POLAR_LATITUDE: f64 = 72.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Projection {
    Mercator,
    Equirectangular,
    Orthographic,
}

#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) projection: Projection,
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// Where the middle of the picture is, which may be nearer to the equator than was asked.
    pub(crate) center: Geo,
    /// At the centre, along its parallel for the cylinders.
    pub(crate) pixels_per_degree: f64,
    /// The picture and a margin.
    frame: Frame,
    /// The projected latitude of the centre.
    middle: f64,
    /// Stretch of latitudes in the equirectangular projection.
    stretch: f64,
    /// Sine and cosine of the centre's latitude.
    tilt: (f64, f64),
}

impl View {
    pub(crate) fn new(width: u32, height: u32, center: Geo, zoom: f64, wanted: Wanted) -> Self {
        let projection = match wanted {
            Wanted::Auto if center.latitude.abs() > POLAR_LATITUDE => Projection::Orthographic,
            Wanted::Auto | Wanted::Mercator => Projection::Mercator,
            Wanted::Equirectangular => Projection::Equirectangular,
            Wanted::Orthographic => Projection::Orthographic,
        };
        let (width, height) = (f64::from(width), f64::from(height));
        let half_extent = 180.0 / 2_f64.powf(zoom - 1.0);
        let mut pixels_per_degree = width / 2.0 / half_extent;
        if projection == Projection::Orthographic {
            let whole_globe = width.min(height) * 0.46;
            pixels_per_degree = pixels_per_degree.max(whole_globe.to_radians());
        }
        let longitude = near(center.longitude, 0.0);
        let mut view = Self {
            projection,
            width,
            height,
            center: Geo { longitude, latitude: center.latitude },
            pixels_per_degree,
            frame: Frame { left: 0.0, top: 0.0, right: width, bottom: height }.grown(MARGIN),
            middle: 0.0,
            stretch: 1.0 / center.latitude.to_radians().cos().max(0.2),
            tilt: center.latitude.to_radians().sin_cos(),
        };
        view.settle();
        view
    }

    /// Moves the centre so that as little as possible lies beyond the ends of the world.
    fn settle(&mut self) {
        let end = match self.projection {
            Projection::Orthographic => return,
            Projection::Mercator => MERCATOR_END,
            Projection::Equirectangular => 90.0 * self.stretch,
        };
        let room = (end - self.height / 2.0 / self.pixels_per_degree).max(0.0);
        self.middle = self.rise(self.center.latitude).clamp(-room, room);
        self.center.latitude = self.fall(self.middle);
        if self.projection == Projection::Equirectangular {
            let top = self.height / 2.0 - (end - self.middle) * self.pixels_per_degree;
            let bottom = self.height / 2.0 + (end + self.middle) * self.pixels_per_degree;
            self.frame.top = self.frame.top.max(top);
            self.frame.bottom = self.frame.bottom.min(bottom);
        }
    }

    /// The part of the picture that holds world, of the cylinders.
    pub(crate) fn world(&self) -> Frame {
        Frame {
            left: 0.0,
            top: self.frame.top.max(0.0),
            right: self.width,
            bottom: self.frame.bottom.min(self.height),
        }
    }

    /// The disc of the globe in pixels.
    pub(crate) fn radius(&self) -> f64 {
        self.pixels_per_degree.to_degrees()
    }

    /// Whether the picture reaches past the edge of the globe.
    pub(crate) fn shows_horizon(&self) -> bool {
        self.projection == Projection::Orthographic
            && (self.width / 2.0).hypot(self.height / 2.0) > self.radius()
    }

    fn rise(&self, latitude: f64) -> f64 {
        match self.projection {
            Projection::Equirectangular => latitude * self.stretch,
            Projection::Mercator | Projection::Orthographic => {
                let latitude = latitude.clamp(-MERCATOR_LATITUDE, MERCATOR_LATITUDE).to_radians();
                latitude.tan().asinh().to_degrees()
            }
        }
    }

    fn fall(&self, rise: f64) -> f64 {
        match self.projection {
            Projection::Equirectangular => rise / self.stretch,
            Projection::Mercator | Projection::Orthographic => {
                rise.to_radians().sinh().atan().to_degrees()
            }
        }
    }

    fn cylinder(&self, at: Geo, turn: f64) -> Dot {
        Dot {
            x: self.width / 2.0
                + (at.longitude + turn - self.center.longitude) * self.pixels_per_degree,
            y: self.height / 2.0 - (self.rise(at.latitude) - self.middle) * self.pixels_per_degree,
        }
    }

    /// Right, up and towards the eye, of a globe of radius 1.
    fn sphere(&self, at: Geo) -> [f64; 3] {
        let (sin, cos) = at.latitude.to_radians().sin_cos();
        let (across, along) = (at.longitude - self.center.longitude).to_radians().sin_cos();
        let (tilt_sin, tilt_cos) = self.tilt;
        [
            cos * across,
            tilt_cos * sin - tilt_sin * cos * along,
            tilt_sin * sin + tilt_cos * cos * along,
        ]
    }

    fn on_disc(&self, radius: f64, azimuth: f64) -> Dot {
        let (sin, cos) = azimuth.sin_cos();
        Dot {
            x: self.width / 2.0 + radius * self.radius() * cos,
            y: self.height / 2.0 - radius * self.radius() * sin,
        }
    }

    /// Where a point is, if the picture shows it.
    pub(crate) fn point(&self, at: Geo) -> Option<Dot> {
        let dot = match self.projection {
            Projection::Orthographic => {
                let [x, y, z] = self.sphere(at);
                if z < 0.0 {
                    return None;
                }
                Dot {
                    x: self.width / 2.0 + x * self.radius(),
                    y: self.height / 2.0 - y * self.radius(),
                }
            }
            Projection::Mercator | Projection::Equirectangular => {
                let longitude = near(at.longitude, self.center.longitude);
                self.cylinder(Geo { longitude, ..at }, 0.0)
            }
        };
        let picture = Frame { left: 0.0, top: 0.0, right: self.width, bottom: self.height };
        picture.holds(dot).then_some(dot)
    }

    /// What lies under a pixel; nothing beyond the ends of the world.
    pub(crate) fn place(&self, dot: Dot) -> Option<Geo> {
        let (right, up) = (dot.x - self.width / 2.0, self.height / 2.0 - dot.y);
        if self.projection == Projection::Orthographic {
            let (x, y) = (right / self.radius(), up / self.radius());
            let z = (1.0 - x * x - y * y).max(0.0).sqrt();
            if x.hypot(y) > 1.05 {
                return None;
            }
            let (sin, cos) = self.tilt;
            let latitude = (y * cos + z * sin).clamp(-1.0, 1.0).asin().to_degrees();
            let longitude = self.center.longitude + x.atan2(z * cos - y * sin).to_degrees();
            return Some(Geo { longitude, latitude });
        }
        let latitude = self.fall(self.middle + up / self.pixels_per_degree);
        let longitude = self.center.longitude + right / self.pixels_per_degree;
        (latitude.abs() <= 90.5).then_some(Geo { longitude, latitude: latitude.clamp(-90.0, 90.0) })
    }

    /// Turns of the world at which something between two meridians is seen.
    fn turns(&self, west: f64, east: f64) -> impl Iterator<Item = f64> + use<> {
        let half = self.width / 2.0 / self.pixels_per_degree + MARGIN / self.pixels_per_degree;
        let (low, high) = (self.center.longitude - half, self.center.longitude + half);
        (-3..=3)
            .map(|turn| f64::from(turn) * 360.0)
            .filter(move |turn| west + turn <= high && east + turn >= low)
    }

    /// Whether anything between these bounds can be seen.
    pub(crate) fn sees(&self, west: f64, east: f64, south: f64, north: f64) -> bool {
        if self.projection == Projection::Orthographic {
            return true;
        }
        let height = |latitude| self.cylinder(Geo { longitude: 0.0, latitude }, 0.0).y;
        let inside = height(north) <= self.frame.bottom && height(south) >= self.frame.top;
        inside && self.turns(west, east).next().is_some()
    }

    /// The visible parts of a closed ring, to be filled with the even-odd rule.
    pub(crate) fn ring(&self, ring: &[Geo]) -> Vec<Vec<Dot>> {
        match self.projection {
            Projection::Orthographic => self.ring_on_globe(ring),
            Projection::Mercator | Projection::Equirectangular => {
                let ring = around_pole(ring);
                let (west, east) = meridians(&ring);
                let copies = self.turns(west, east);
                copies
                    .filter_map(|turn| {
                        let dots = ring.iter().map(|&at| self.cylinder(at, turn)).collect();
                        clip::polygon(dots, &self.frame)
                    })
                    .collect()
            }
        }
    }

    fn ring_on_globe(&self, ring: &[Geo]) -> Vec<Vec<Dot>> {
        let mut dots = Vec::with_capacity(ring.len());
        let mut winding = 0.0;
        let mut seen = false;
        let last = ring.last().map(|&at| self.beyond(at));
        let Some(mut from) = last else { return Vec::new() };
        for &at in ring {
            let to = self.beyond(at);
            let swing = (to.1 - from.1 + std::f64::consts::PI).rem_euclid(std::f64::consts::TAU)
                - std::f64::consts::PI;
            winding += swing;
            let steps = if from.0 > 1.0 && to.0 > 1.0 {
                (swing.abs() / 0.2).ceil().clamp(1.0, 40.0)
            } else {
                1.0
            };
            for step in 1..steps as u32 {
                let part = f64::from(step) / steps;
                dots.push(self.on_disc(from.0 + (to.0 - from.0) * part, from.1 + swing * part));
            }
            dots.push(self.on_disc(to.0, to.1));
            seen |= to.0 <= 1.0;
            from = to;
        }
        let inside_out = winding.abs() > 3.0 && !surrounds(ring, self.center);
        // Behind the horizon. Around the far side it shows where it holds the near one.
        if !seen && (inside_out || winding.abs() < 3.0) {
            return Vec::new();
        }
        let mut parts: Vec<_> = clip::polygon(dots, &self.frame).into_iter().collect();
        if inside_out {
            let Frame { left, top, right, bottom } = self.frame;
            parts.push(vec![
                Dot { x: left, y: top },
                Dot { x: right, y: top },
                Dot { x: right, y: bottom },
                Dot { x: left, y: bottom },
            ]);
        }
        parts
    }

    /// Distance from the middle of the disc, past 1 behind the horizon, and direction.
    fn beyond(&self, at: Geo) -> (f64, f64) {
        let [x, y, z] = self.sphere(at);
        let radius = x.hypot(y);
        let radius = if z >= 0.0 { radius } else { 1.0 + (-z).atan2(radius) * 0.5 };
        (radius, y.atan2(x))
    }

    /// The visible pieces of a line.
    pub(crate) fn line(&self, line: &[Geo]) -> Vec<Vec<Dot>> {
        if self.projection == Projection::Orthographic {
            let mut pieces = vec![Vec::new()];
            for &at in line {
                let [x, y, z] = self.sphere(at);
                let dot = Dot {
                    x: self.width / 2.0 + x * self.radius(),
                    y: self.height / 2.0 - y * self.radius(),
                };
                match pieces.last_mut() {
                    Some(piece) if z >= 0.0 => piece.push(dot),
                    Some(piece) if piece.is_empty() => {}
                    Some(_) | None => pieces.push(Vec::new()),
                }
            }
            return pieces.iter().flat_map(|piece| clip::line(piece, &self.frame)).collect();
        }
        let (west, east) = meridians(line);
        let turns = self.turns(west, east);
        turns
            .flat_map(|turn| {
                let dots: Vec<_> = line.iter().map(|&at| self.cylinder(at, turn)).collect();
                clip::line(&dots, &self.frame)
            })
            .collect()
    }

    /// Between which pixels of a row there is world.
    pub(crate) fn row(&self, y: f64) -> (f64, f64) {
        if self.projection == Projection::Orthographic {
            let up = (y - self.height / 2.0) / self.radius();
            let half = (1.0 - up * up).max(0.0).sqrt() * self.radius();
            ((self.width / 2.0 - half).max(0.0), (self.width / 2.0 + half).min(self.width))
        } else {
            (0.0, self.width)
        }
    }

    /// Kilometres that one pixel is wide at the centre.
    pub(crate) fn kilometres_per_pixel(&self) -> f64 {
        const KILOMETRES_PER_DEGREE: f64 = 111.195;
        match self.projection {
            Projection::Orthographic => KILOMETRES_PER_DEGREE / self.pixels_per_degree,
            Projection::Mercator | Projection::Equirectangular => {
                KILOMETRES_PER_DEGREE * self.center.latitude.to_radians().cos()
                    / self.pixels_per_degree
            }
        }
    }
}
