//! The six styles: what each one shows, and in which colours.

use super::atlas::Colours;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Standard,
    Historical,
    Physical,
    Satellite,
    Minimal,
    Educational,
}

impl Style {
    pub(crate) const ALL: [Self; 6] = [
        Self::Standard,
        Self::Historical,
        Self::Physical,
        Self::Satellite,
        Self::Minimal,
        Self::Educational,
    ];
    pub(crate) const NAMES: &[&str] =
        &["standard", "historical", "physical", "satellite", "minimal", "educational"];
    /// Which of them also come dark.
    pub(crate) const fn has_dark(self) -> bool {
        matches!(self, Self::Standard | Self::Minimal)
    }

    pub(crate) const fn look(self, dark: bool) -> Look {
        match self {
            Self::Standard if dark => STANDARD_DARK,
            Self::Standard => STANDARD,
            Self::Historical => HISTORICAL,
            Self::Physical => PHYSICAL,
            Self::Satellite => SATELLITE,
            Self::Minimal if dark => MINIMAL_DARK,
            Self::Minimal => MINIMAL,
            Self::Educational => EDUCATIONAL,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Land {
    /// Neighbours differ.
    Political([&'static str; 7]),
    Plain(&'static str),
    /// A grid of colours, and one colour where it has none.
    Picture(Colours, &'static str),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Stroke {
    pub(crate) colour: &'static str,
    pub(crate) width: f64,
    pub(crate) dash: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shore {
    Plain,
    /// Level lines along the coast, as engravers drew them.
    Hatched,
    /// Lighter water near the land.
    Shelf(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edge {
    None,
    Thin,
    Double,
    /// Bars of black and white, a degree step each.
    Ruler,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Beyond the ends of the world.
    pub(crate) paper: &'static str,
    pub(crate) sea: &'static str,
    pub(crate) land: Land,
    pub(crate) shore: Shore,
    pub(crate) coast: Stroke,
    pub(crate) border: Option<Stroke>,
    pub(crate) lake: &'static str,
    pub(crate) river: Option<Stroke>,
    pub(crate) graticule: Option<Stroke>,
    pub(crate) figures: bool,
    pub(crate) font: &'static str,
    pub(crate) country: Option<&'static str>,
    pub(crate) country_size: f64,
    pub(crate) upper_case: bool,
    pub(crate) city: Option<&'static str>,
    pub(crate) sea_name: Option<&'static str>,
    pub(crate) ink: &'static str,
    pub(crate) halo: &'static str,
    pub(crate) plate: &'static str,
    pub(crate) edge: Edge,
    pub(crate) own_size: f64,
}

const SANS: &str = "sans-serif";
const SERIF: &str = "serif";

const STANDARD: Look = Look {
    paper: "#ffffff",
    sea: "#c3dcee",
    land: Land::Political([
        "#f6d7b0", "#d7e5b2", "#f3c3c0", "#dccfe8", "#fbeeac", "#c9e3d3", "#e8d3bd",
    ]),
    shore: Shore::Plain,
    coast: Stroke { colour: "#5f8fb4", width: 0.8, dash: "" },
    border: Some(Stroke { colour: "#9a8f9c", width: 0.9, dash: "" }),
    lake: "#c3dcee",
    river: Some(Stroke { colour: "#a5c8e1", width: 0.7, dash: "" }),
    graticule: None,
    figures: false,
    font: SANS,
    country: Some("#5b5560"),
    country_size: 12.0,
    upper_case: false,
    city: Some("#333338"),
    sea_name: Some("#6d97b8"),
    ink: "#1d1d22",
    halo: "#ffffff",
    plate: "#ffffff",
    edge: Edge::None,
    own_size: 13.0,
};

const STANDARD_DARK: Look = Look {
    paper: "#101418",
    sea: "#16232f",
    land: Land::Political([
        "#4a4034", "#3b4533", "#4b3739", "#403a4b", "#4b4730", "#33463f", "#453d36",
    ]),
    coast: Stroke { colour: "#5d7f99", width: 0.8, dash: "" },
    border: Some(Stroke { colour: "#83808a", width: 0.8, dash: "" }),
    lake: "#16232f",
    river: Some(Stroke { colour: "#2f4b61", width: 0.7, dash: "" }),
    country: Some("#bdb8c2"),
    city: Some("#dddde2"),
    sea_name: Some("#56789a"),
    ink: "#f4f4f6",
    halo: "#14181c",
    plate: "#1b2228",
    ..STANDARD
};

const HISTORICAL: Look = Look {
    paper: "#efe1bd",
    sea: "#ecdcb4",
    land: Land::Plain("#f5ead0"),
    shore: Shore::Hatched,
    coast: Stroke { colour: "#5a3f22", width: 1.2, dash: "" },
    border: Some(Stroke { colour: "#9c6b3c", width: 1.0, dash: "1.5 3" }),
    lake: "#e2cf9f",
    river: Some(Stroke { colour: "#8d7350", width: 0.7, dash: "" }),
    graticule: Some(Stroke { colour: "#b59a68", width: 0.4, dash: "" }),
    figures: false,
    font: SERIF,
    country: Some("#7a4f28"),
    country_size: 14.0,
    upper_case: true,
    city: Some("#4a3218"),
    sea_name: Some("#8a6d3d"),
    ink: "#3a2410",
    halo: "#f5ead0",
    plate: "#f7edd6",
    edge: Edge::Double,
    own_size: 14.0,
};

const PHYSICAL: Look = Look {
    paper: "#ffffff",
    sea: "#8fbbda",
    land: Land::Picture(Colours::Relief, "#cfd8bd"),
    shore: Shore::Shelf("#d5eaf5"),
    coast: Stroke { colour: "#4c7ea3", width: 0.7, dash: "" },
    border: Some(Stroke { colour: "#6b5d57", width: 0.6, dash: "4 2.5" }),
    lake: "#9cc6e2",
    river: Some(Stroke { colour: "#3f86b8", width: 1.1, dash: "" }),
    graticule: Some(Stroke { colour: "#ffffff", width: 0.5, dash: "" }),
    figures: false,
    font: SANS,
    country: None,
    country_size: 12.0,
    upper_case: false,
    city: Some("#2a2622"),
    sea_name: Some("#2f6088"),
    ink: "#1e1b18",
    halo: "#f7f5ee",
    plate: "#ffffff",
    edge: Edge::Thin,
    own_size: 13.0,
};

const SATELLITE: Look = Look {
    paper: "#03060c",
    sea: "#0d2347",
    land: Land::Picture(Colours::Imagery, "#5a6644"),
    shore: Shore::Shelf("#2a6285"),
    coast: Stroke { colour: "#0d2234", width: 0.5, dash: "" },
    border: None,
    lake: "#0c2140",
    river: None,
    graticule: None,
    figures: false,
    font: SANS,
    country: None,
    country_size: 12.0,
    upper_case: false,
    city: Some("#ffffff"),
    sea_name: None,
    ink: "#ffffff",
    halo: "#0b1320",
    plate: "#101a28",
    edge: Edge::None,
    own_size: 13.0,
};

const MINIMAL: Look = Look {
    paper: "#ffffff",
    sea: "#ffffff",
    land: Land::Plain("#e3e5e8"),
    shore: Shore::Plain,
    coast: Stroke { colour: "#e3e5e8", width: 0.4, dash: "" },
    border: Some(Stroke { colour: "#ffffff", width: 0.9, dash: "" }),
    lake: "#ffffff",
    river: None,
    graticule: None,
    figures: false,
    font: SANS,
    country: None,
    country_size: 12.0,
    upper_case: false,
    city: None,
    sea_name: None,
    ink: "#2a2d33",
    halo: "#ffffff",
    plate: "#ffffff",
    edge: Edge::None,
    own_size: 13.0,
};

const MINIMAL_DARK: Look = Look {
    paper: "#15171b",
    sea: "#15171b",
    land: Land::Plain("#31353c"),
    coast: Stroke { colour: "#31353c", width: 0.4, dash: "" },
    border: Some(Stroke { colour: "#15171b", width: 0.9, dash: "" }),
    lake: "#15171b",
    ink: "#eceef2",
    halo: "#15171b",
    plate: "#1d2025",
    ..MINIMAL
};

const EDUCATIONAL: Look = Look {
    paper: "#ffffff",
    sea: "#9fd8f5",
    land: Land::Political([
        "#ffd166", "#a8e06c", "#ff9f8f", "#cfa6f0", "#fff07a", "#7fdcb5", "#ffb8d8",
    ]),
    shore: Shore::Plain,
    coast: Stroke { colour: "#0b4f8a", width: 1.6, dash: "" },
    border: Some(Stroke { colour: "#4a3a3a", width: 1.8, dash: "" }),
    lake: "#9fd8f5",
    river: Some(Stroke { colour: "#2f8fd0", width: 1.2, dash: "" }),
    graticule: Some(Stroke { colour: "#3b7ea8", width: 0.6, dash: "3 3" }),
    figures: true,
    font: SANS,
    country: Some("#1c1c1c"),
    country_size: 16.0,
    upper_case: false,
    city: Some("#111111"),
    sea_name: Some("#0b5c94"),
    ink: "#000000",
    halo: "#ffffff",
    plate: "#ffffff",
    edge: Edge::Ruler,
    own_size: 16.0,
};
