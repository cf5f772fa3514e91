//! Rings and lines in degrees, whose longitudes run on past 180 instead of jumping.

use super::request::{Geo, near};

pub(crate) fn meridians(points: &[Geo]) -> (f64, f64) {
    points.iter().fold((f64::MAX, f64::MIN), |(west, east), p| {
        (west.min(p.longitude), east.max(p.longitude))
    })
}

/// A ring that ends a turn away from where it began holds a pole: it is led there and back.
pub(crate) fn around_pole(ring: &[Geo]) -> Vec<Geo> {
    let mut ring = ring.to_vec();
    if let (Some(&first), Some(&last)) = (ring.first(), ring.last())
        && (last.longitude - first.longitude).abs() > 180.0
    {
        let sum: f64 = ring.iter().map(|p| p.latitude).sum();
        let pole = if sum < 0.0 { -90.0 } else { 90.0 };
        ring.push(Geo { longitude: last.longitude, latitude: pole });
        ring.push(Geo { longitude: first.longitude, latitude: pole });
    }
    ring
}

pub(crate) fn surrounds(ring: &[Geo], at: Geo) -> bool {
    // A ring that is led to a pole ends there.
    let at = Geo { latitude: at.latitude.clamp(-89.99, 89.99), ..at };
    let ring = around_pole(ring);
    let Some(&last) = ring.last() else { return false };
    (-2..=2).any(|turn| {
        let longitude = at.longitude + f64::from(turn) * 360.0;
        let mut inside = false;
        let mut from = last;
        for &to in &ring {
            if (from.latitude > at.latitude) != (to.latitude > at.latitude) {
                let part = (at.latitude - from.latitude) / (to.latitude - from.latitude);
                inside ^= longitude < from.longitude + (to.longitude - from.longitude) * part;
            }
            from = to;
        }
        inside
    })
}

/// Longitudes that take the short way instead of jumping at 180 degrees.
pub(crate) fn unwrapped(points: &[Geo]) -> Vec<Geo> {
    let mut last: Option<f64> = None;
    points
        .iter()
        .map(|p| {
            let longitude = last.map_or(p.longitude, |last| near(p.longitude, last));
            last = Some(longitude);
            Geo { longitude, ..*p }
        })
        .collect()
}
