//! Maps: what is on one is the plugin's source, as JSON.

use super::{MAP, Picture, shown, wanted};
use crate::http::Api;
use crate::http::accept::Accept;
use crate::http::auth::Member;
use crate::http::error::{FieldError, Problem};
use crate::http::extract::Body;
use crate::http::reply::{Answer, Flat, Many, Pictured, Resource};
use crate::media::{Output, RenderRequest};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Each with its name and what it is for.
pub(crate) const STYLES: [(&str, &str, &str); 6] = [
    ("standard", "Standard", "Modern political map"),
    ("historical", "Historical", "Aged parchment style"),
    ("physical", "Physical", "Terrain and elevation"),
    ("satellite", "Satellite", "Aerial imagery"),
    ("minimal", "Minimal", "Clean, minimal styling"),
    ("educational", "Educational", "Clear labels for learning"),
];
const WIDTH: u32 = 800;
const HEIGHT: u32 = 600;
const MIN_SIDE: u32 = 64;
const MAX_SIDE: u32 = 4096;
const MAX_MARKERS: usize = 500;
const MAX_SHAPES: usize = 100;
const MAX_POINTS: usize = 5_000;
const MAX_LABEL: usize = 200;

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MapBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    title: Option<String>,
    center: MapPoint,
    /// From 1, the world, to 12; each step halves what is seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 12)]
    zoom: Option<f64>,
    /// One of `GET …/maps/styles`; `standard` where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    style: Option<String>,
    /// `mercator` or `equirectangular`.
    #[serde(skip_serializing_if = "Option::is_none")]
    projection: Option<String>,
    #[serde(skip_serializing)]
    #[schema(minimum = 64, maximum = 4096)]
    width: Option<u32>,
    #[serde(skip_serializing)]
    #[schema(minimum = 64, maximum = 4096)]
    height: Option<u32>,
    /// `png` or `svg`; `png` where absent.
    #[serde(rename = "outputFormat", alias = "output_format", skip_serializing)]
    output_format: Option<String>,
    #[serde(default)]
    #[schema(max_items = 500)]
    markers: Vec<Marker>,
    #[serde(default)]
    #[schema(max_items = 100)]
    routes: Vec<Route>,
    #[serde(default)]
    #[schema(max_items = 100)]
    regions: Vec<Region>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MapPoint {
    #[serde(alias = "lat")]
    #[schema(minimum = -90, maximum = 90)]
    latitude: f64,
    #[serde(alias = "lon", alias = "lng")]
    #[schema(minimum = -180, maximum = 180)]
    longitude: f64,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Marker {
    #[serde(alias = "lat")]
    #[schema(minimum = -90, maximum = 90)]
    latitude: f64,
    #[serde(alias = "lon", alias = "lng")]
    #[schema(minimum = -180, maximum = 180)]
    longitude: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<String>,
}

/// Points as latitude and longitude.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Route {
    points: Vec<[f64; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 50)]
    width: Option<f64>,
}

/// Points as latitude and longitude.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Region {
    points: Vec<[f64; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    label: Option<String>,
    #[serde(rename = "fillColor", alias = "fill_color", skip_serializing_if = "Option::is_none")]
    fill_color: Option<String>,
    #[serde(
        rename = "fillOpacity",
        alias = "fill_opacity",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(minimum = 0, maximum = 1)]
    fill_opacity: Option<f64>,
}

/// Gathers what is wrong with a map, each by where it stands.
#[derive(Default)]
struct Faults(Vec<FieldError>);

impl Faults {
    fn say(&mut self, at: &str, message: &str) {
        if self.0.len() < 50 {
            self.0.push(FieldError::body(at, "out_of_range", message));
        }
    }

    fn place(&mut self, at: &str, latitude: f64, longitude: f64) {
        if !(-90.0..=90.0).contains(&latitude) {
            self.say(&format!("{at}.latitude"), "has to be -90 to 90");
        }
        if !(-180.0..=180.0).contains(&longitude) {
            self.say(&format!("{at}.longitude"), "has to be -180 to 180");
        }
    }

    fn label(&mut self, at: &str, label: Option<&String>) {
        if label.is_some_and(|label| label.chars().count() > MAX_LABEL) {
            self.say(&format!("{at}.label"), &format!("has at most {MAX_LABEL} characters"));
        }
    }

    fn points(&mut self, at: &str, points: &[[f64; 2]], least: usize) {
        if points.len() < least {
            self.say(&format!("{at}.points"), &format!("has at least {least} points"));
        }
        for (index, [latitude, longitude]) in points.iter().enumerate() {
            self.place(&format!("{at}.points.{index}"), *latitude, *longitude);
        }
    }
}

impl MapBody {
    fn check(&self) -> Result<(), Problem> {
        let mut faults = Faults::default();
        faults.place("center", self.center.latitude, self.center.longitude);
        faults.label("title", self.title.as_ref());
        if self.zoom.is_some_and(|zoom| !(1.0..=12.0).contains(&zoom)) {
            faults.say("zoom", "has to be 1 to 12");
        }
        if let Some(style) = &self.style
            && !STYLES.iter().any(|(id, ..)| id == style)
        {
            faults.say("style", &format!("is one of {}", STYLES.map(|(id, ..)| id).join(", ")));
        }
        for (side, value) in [("width", self.width), ("height", self.height)] {
            if value.is_some_and(|value| !(MIN_SIDE..=MAX_SIDE).contains(&value)) {
                faults.say(side, &format!("has to be {MIN_SIDE} to {MAX_SIDE}"));
            }
        }
        for (name, count, most) in [
            ("markers", self.markers.len(), MAX_MARKERS),
            ("routes", self.routes.len(), MAX_SHAPES),
            ("regions", self.regions.len(), MAX_SHAPES),
        ] {
            if count > most {
                faults.say(name, &format!("has at most {most} of them"));
            }
        }
        let shapes = self.routes.iter().map(|route| route.points.len());
        let shapes = shapes.chain(self.regions.iter().map(|region| region.points.len()));
        if shapes.sum::<usize>() > MAX_POINTS {
            faults.say("routes", &format!("and regions have at most {MAX_POINTS} points in all"));
        }
        for (index, marker) in self.markers.iter().enumerate().take(MAX_MARKERS) {
            let at = format!("markers.{index}");
            faults.place(&at, marker.latitude, marker.longitude);
            faults.label(&at, marker.label.as_ref());
        }
        for (index, route) in self.routes.iter().enumerate().take(MAX_SHAPES) {
            let at = format!("routes.{index}");
            faults.points(&at, &route.points, 2);
            faults.label(&at, route.label.as_ref());
            if route.width.is_some_and(|width| !(0.0..=50.0).contains(&width)) {
                faults.say(&format!("{at}.width"), "has to be 0 to 50");
            }
        }
        for (index, region) in self.regions.iter().enumerate().take(MAX_SHAPES) {
            let at = format!("regions.{index}");
            faults.points(&at, &region.points, 3);
            faults.label(&at, region.label.as_ref());
            if region.fill_opacity.is_some_and(|opacity| !(0.0..=1.0).contains(&opacity)) {
                faults.say(&format!("{at}.fillOpacity"), "has to be 0 to 1");
            }
        }
        if faults.0.is_empty() { Ok(()) } else { Err(Problem::invalid(faults.0)) }
    }
}

pub(crate) async fn render(
    State(api): State<Api>,
    Member(_): Member,
    accept: Accept,
    Body(map): Body<MapBody>,
) -> Answer<Pictured<Picture>> {
    map.check()?;
    let (output, prefers_image) = wanted(&accept, map.output_format.as_deref(), Output::Png)?;
    let (width, height) = (Some(map.width.unwrap_or(WIDTH)), Some(map.height.unwrap_or(HEIGHT)));
    let source = serde_json::to_string(&map).map_err(Problem::internal)?;
    let (format, theme, options) = (MAP.to_owned(), None, Vec::new());
    let order = RenderRequest { format, source, width, height, theme, options, output };
    shown(&api, &order, prefers_image).await
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MapStyle {
    id: &'static str,
    name: &'static str,
    description: &'static str,
}

impl Resource for MapStyle {
    const FLAT: Flat = Flat::named("style", "styles");
}

/// Those that a map can be asked for. Whether one is drawn now, the capabilities say.
pub(crate) async fn styles(Member(_): Member) -> Answer<Many<MapStyle>> {
    let styles = STYLES.map(|(id, name, description)| MapStyle { id, name, description });
    Ok(Many::whole(styles.into()))
}
