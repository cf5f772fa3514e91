//! What an importer adds to what all of them share.

use crate::about::About;
use crate::fault::Fault;
use crate::package::Package;
use crate::switches::Switches;
use crate::umcf::Node;
use flyball_plugin::{Attribute, Manifest};

/// What an importer is and where its packages are known by.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    /// The plugin.
    pub id: &'static str,
    /// The source of the catalogue, the manifest's only handle.
    pub source: &'static str,
    pub name: &'static str,
    pub description: &'static str,
    /// How its packages end, in lower case.
    pub endings: &'static [&'static str],
    /// The file that every package has at its top.
    pub marker: &'static str,
    /// What the packages are in, as a document's provenance tells it.
    pub original_format: &'static str,
}

impl Profile {
    #[must_use]
    pub fn manifest(&self, version: &str) -> Manifest {
        Manifest {
            id: self.id.into(),
            name: self.name.into(),
            version: version.into(),
            author: "Flyball contributors".into(),
            licence: "(MIT OR Apache-2.0) AND MPL-2.0".into(),
            description: self.description.into(),
            handles: vec![self.source.into()],
            attributes: vec![
                Attribute::new("switches", crate::switches::known()),
                Attribute::new("endings", self.endings.join(" ")),
            ],
        }
    }
}

/// A part of a course that can be taken alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    pub id: String,
    pub title: String,
}

/// A file of the package that goes along with the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    pub id: String,
    pub title: String,
    /// In the package.
    pub entry: String,
    pub media_type: &'static str,
}

/// What was found in one part.
#[derive(Debug, Default)]
pub struct Extract {
    pub node: Option<Node>,
    pub assets: Vec<Asset>,
    /// What could not be read.
    pub warnings: Vec<String>,
    /// Was there anything, though a switch may have left it out?
    pub found: bool,
}

/// A kind of package. It is opened with what its manifest says; its parts are read one by one.
pub trait Format: Sized + 'static {
    const PROFILE: Profile;

    /// # Errors
    /// Where the package's manifest can't be read.
    fn open(package: Package) -> Result<Self, Fault>;

    fn package(&self) -> &Package;

    fn about(&self) -> &About;

    /// In reading order.
    fn parts(&self) -> &[Part];

    /// What a catalogue tells of a part, such as `has_transcript`; it may have to be read for it.
    ///
    /// # Errors
    /// Where the part can't be read.
    fn attributes(&self, part: usize) -> Result<Vec<(&'static str, String)>, Fault>;

    /// # Errors
    /// Where the part can't be read at all.
    fn extract(&self, part: usize, switches: &Switches) -> Result<Extract, Fault>;

    /// What belongs to the course rather than to one of its parts; its node's contents stand
    /// at the document's root.
    ///
    /// # Errors
    /// Where it can't be read at all.
    fn whole(&self, _switches: &Switches) -> Result<Extract, Fault> {
        Ok(Extract::default())
    }
}
