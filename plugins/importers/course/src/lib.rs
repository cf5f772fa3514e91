//! What the importers of course packages share.
//!
//! A package is an archive, or the folder that it was unpacked to. [`package`] opens it within
//! bounds, [`xml`], [`html`], [`captions`] and [`pdf`] read what lies in it, [`umcf`] holds what
//! was found, [`enrichment`] adds what follows from it without a model, and [`work`] is the
//! import itself. What a format means stands in its importer, as a [`Format`].
//!
//! Nothing here trusts a byte of a package: every size, count and depth has a bound.

pub mod about;
pub mod archive;
pub mod captions;
pub mod catalog;
pub mod enrichment;
pub mod fault;
pub mod files;
pub mod format;
mod guard;
pub mod html;
pub mod licence;
pub mod media;
pub mod package;
pub mod pages;
#[cfg(feature = "pdf")]
pub mod pdf;
pub mod switches;
pub mod text;
pub mod umcf;
pub mod work;
pub mod xml;

pub use about::About;
pub use fault::{Fault, Hostility};
pub use format::{Extract, Format, Part, Profile};
pub use package::Package;
pub use switches::Switches;
pub use work::Work;

/// Makes an importer of a [`Format`], which is the whole of a plugin's `lib.rs`.
#[macro_export]
macro_rules! importer {
    ($format:ty) => {
        struct Plugin;
        flyball_plugin::importer!(Plugin);

        impl flyball_plugin::Importer for Plugin {
            type Job = $crate::Work<$format>;

            fn describe() -> flyball_plugin::Manifest {
                <$format as $crate::Format>::PROFILE.manifest(env!("CARGO_PKG_VERSION"))
            }

            fn catalog(
                query: &str,
                page: u32,
            ) -> Result<flyball_plugin::Page, flyball_plugin::Error> {
                Ok($crate::catalog::page::<$format>(&$crate::files::host(), query, page))
            }

            fn describe_course(id: &str) -> Result<flyball_plugin::Detail, flyball_plugin::Error> {
                $crate::catalog::detail::<$format>(&$crate::files::host(), id)
            }

            fn start(
                id: &str,
                selection: &[String],
                switches: &[flyball_plugin::Attribute],
            ) -> Result<Self::Job, flyball_plugin::Error> {
                $crate::Work::start($crate::files::host(), id, selection, switches)
            }
        }
    };
}
