//! The map that was asked for: JSON parsed once, bounded, every fault told with its path.

mod reader;

use super::colour;
use super::fault::{Fault, Place};
use super::json::{self, Kind, Value};
use super::style::Style;
use reader::Reader;

const MARKERS: usize = 500;
const ROUTES: usize = 100;
const REGIONS: usize = 100;
const POINTS: usize = 5_000;
const LABEL_CHARACTERS: usize = 200;
const TITLE_CHARACTERS: usize = 200;
pub(crate) const ZOOMS: [f64; 2] = [1.0, 18.0];
pub(crate) const SIDES: [u32; 2] = [64, 4096];

/// Degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Geo {
    pub(crate) longitude: f64,
    pub(crate) latitude: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Mercator, and the globe where Mercator ends.
    Auto,
    Mercator,
    Equirectangular,
    Orthographic,
}

#[derive(Clone, Debug)]
pub(crate) struct Marker {
    pub(crate) at: Geo,
    pub(crate) label: Option<String>,
    pub(crate) colour: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) points: Vec<Geo>,
    pub(crate) label: Option<String>,
    pub(crate) colour: String,
    pub(crate) width: f64,
    pub(crate) great_circle: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Region {
    pub(crate) points: Vec<Geo>,
    pub(crate) label: Option<String>,
    pub(crate) fill: String,
    pub(crate) opacity: f64,
}

#[derive(Clone, Debug)]
pub(crate) struct MapRequest {
    pub(crate) title: Option<String>,
    pub(crate) center: Geo,
    pub(crate) zoom: f64,
    pub(crate) style: Style,
    pub(crate) projection: Wanted,
    pub(crate) dark: bool,
    pub(crate) width: Option<u32>,
    pub(crate) height: Option<u32>,
    pub(crate) markers: Vec<Marker>,
    pub(crate) routes: Vec<Route>,
    pub(crate) regions: Vec<Region>,
    pub(crate) legend: bool,
}

/// What the caller says beside the source. The source itself goes before it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options<'a> {
    pub(crate) style: Option<&'a str>,
    pub(crate) projection: Option<&'a str>,
    pub(crate) theme: Option<&'a str>,
}

impl MapRequest {
    /// The map and what is odd about it, or every fault that it has.
    pub(crate) fn parse(
        source: &str,
        options: Options<'_>,
    ) -> Result<(Self, Vec<Fault>), Vec<Fault>> {
        let value = json::parse(source).map_err(|fault| vec![fault])?;
        let mut reader = Reader::default();
        let request = read_map(&value, options, &mut reader);
        reader.finish(request)
    }

    /// Every point that the author gave.
    pub(crate) fn own_points(&self) -> impl Iterator<Item = Geo> {
        let markers = self.markers.iter().map(|marker| marker.at);
        let routes = self.routes.iter().flat_map(|route| route.points.iter().copied());
        let regions = self.regions.iter().flat_map(|region| region.points.iter().copied());
        markers.chain(routes).chain(regions)
    }
}

const MAP_KEYS: &[&str] = &[
    "title",
    "center",
    "zoom",
    "style",
    "projection",
    "theme",
    "width",
    "height",
    "markers",
    "routes",
    "regions",
    "legend",
    "greatCircle",
    "great_circle",
    "outputFormat",
    "output_format",
];
const MARKER_KEYS: &[&str] =
    &["latitude", "lat", "longitude", "lng", "lon", "label", "color", "colour"];
const ROUTE_KEYS: &[&str] =
    &["points", "label", "color", "colour", "width", "greatCircle", "great_circle"];
const REGION_KEYS: &[&str] = &[
    "points",
    "label",
    "fillColor",
    "fill_color",
    "fillOpacity",
    "fill_opacity",
    "color",
    "colour",
];

fn read_map(value: &Value, options: Options<'_>, reader: &mut Reader) -> Option<MapRequest> {
    let Kind::Object(_) = &value.kind else {
        reader.wrong("the map", value, "an object");
        return None;
    };
    reader.known("", value, MAP_KEYS);
    let great_circle = reader.flag("", value, &["greatCircle", "great_circle"]).unwrap_or(false);
    let markers = reader.list("", value, "markers", MARKERS);
    let markers: Vec<_> =
        markers.filter_map(|(path, item)| read_marker(&path, item, reader)).collect();
    let routes = reader.list("", value, "routes", ROUTES);
    let routes: Vec<_> =
        routes.filter_map(|(path, item)| read_route(&path, item, great_circle, reader)).collect();
    let regions = reader.list("", value, "regions", REGIONS);
    let regions: Vec<_> =
        regions.filter_map(|(path, item)| read_region(&path, item, reader)).collect();
    let style = reader
        .choice("style", value, options.style, Style::NAMES)
        .map_or(Style::Standard, |at| Style::ALL[at]);
    let projections = &["auto", "mercator", "equirectangular", "orthographic"];
    let projection = match reader.choice("projection", value, options.projection, projections) {
        Some(1) => Wanted::Mercator,
        Some(2) => Wanted::Equirectangular,
        Some(3) => Wanted::Orthographic,
        Some(_) | None => Wanted::Auto,
    };
    let dark = reader.choice("theme", value, options.theme, &["light", "dark"]) == Some(1);
    let side = |reader: &mut Reader, key| {
        reader
            .number("", value, &[key], [f64::from(SIDES[0]), f64::from(SIDES[1])])
            .map(|side| side.round() as u32)
    };
    let mut request = MapRequest {
        title: reader.text("", value, &["title"], TITLE_CHARACTERS),
        center: Geo { longitude: 0.0, latitude: 0.0 },
        zoom: reader.number("", value, &["zoom"], ZOOMS).unwrap_or(5.0),
        style,
        projection,
        dark,
        width: side(reader, "width"),
        height: side(reader, "height"),
        markers,
        routes,
        regions,
        legend: reader.flag("", value, &["legend"]).unwrap_or(true),
    };
    request.center = match reader.member(value, &["center"]) {
        Some((_, center)) => reader.point("center", center)?,
        None => middle(&request)?,
    };
    if request.own_points().count() > POINTS {
        let message = format!("{} points in all, {POINTS} at most", request.own_points().count());
        reader.fault("limit", message, value.place);
    }
    Some(request)
}

/// Where the author's own points lie, when no centre is given.
fn middle(request: &MapRequest) -> Option<Geo> {
    let Some(first) = request.own_points().next() else {
        return Some(Geo { longitude: 0.0, latitude: 0.0 });
    };
    let (mut low, mut high) = (first, first);
    for point in request.own_points() {
        let longitude = near(point.longitude, first.longitude);
        low.longitude = low.longitude.min(longitude);
        high.longitude = high.longitude.max(longitude);
        low.latitude = low.latitude.min(point.latitude);
        high.latitude = high.latitude.max(point.latitude);
    }
    Some(Geo {
        longitude: f64::midpoint(low.longitude, high.longitude),
        latitude: f64::midpoint(low.latitude, high.latitude),
    })
}

/// The same meridian, at most half a turn away from another.
pub(crate) fn near(longitude: f64, other: f64) -> f64 {
    other + (longitude - other + 180.0).rem_euclid(360.0) - 180.0
}

fn read_marker(path: &str, value: &Value, reader: &mut Reader) -> Option<Marker> {
    let at = reader.point(path, value);
    reader.known(path, value, MARKER_KEYS);
    let label = reader.text(path, value, &["label"], LABEL_CHARACTERS);
    let colour = reader.colour(path, value, &["color", "colour"]);
    Some(Marker { at: at?, label, colour: colour.unwrap_or_else(|| "#E74C3C".into()) })
}

fn read_route(path: &str, value: &Value, great_circle: bool, reader: &mut Reader) -> Option<Route> {
    reader.known(path, value, ROUTE_KEYS);
    let points = reader.points(path, value, 2);
    let label = reader.text(path, value, &["label"], LABEL_CHARACTERS);
    let colour = reader.colour(path, value, &["color", "colour"]);
    let width = reader.number(path, value, &["width"], [0.1, 40.0]);
    let flag = reader.flag(path, value, &["greatCircle", "great_circle"]);
    Some(Route {
        points: points?,
        label,
        colour: colour.unwrap_or_else(|| "#3498DB".into()),
        width: width.unwrap_or(2.0),
        great_circle: flag.unwrap_or(great_circle),
    })
}

fn read_region(path: &str, value: &Value, reader: &mut Reader) -> Option<Region> {
    reader.known(path, value, REGION_KEYS);
    let points = reader.points(path, value, 3);
    let label = reader.text(path, value, &["label"], LABEL_CHARACTERS);
    let fill = reader.colour(path, value, &["fillColor", "fill_color", "color", "colour"]);
    let opacity = reader.number(path, value, &["fillOpacity", "fill_opacity"], [0.0, 1.0]);
    Some(Region {
        points: points?,
        label,
        fill: fill.unwrap_or_else(|| "#3498DB".into()),
        opacity: opacity.unwrap_or(0.3),
    })
}
