//! Running plugins: what a component may cost, how it is called, what is wrong with a file.
//!
//! Two programs stand on it. The compiler (feature `compile`) turns a component into native
//! code; the runner loads that code and never links a compiler. Both take their engine from
//! [`engine`], so that what one made the other can load. There is no WASI here: what a world
//! does not offer does not exist.

pub mod engine;
pub mod limits;

mod bindings;
mod call;
mod clock;
mod instance;
pub mod outside;
pub mod plugin;

pub mod confinement;

#[cfg(feature = "compile")]
pub mod compile;
#[cfg(feature = "compile")]
pub mod inspect;

pub use call::Cost;
pub use outside::{Nobody, Outside};
pub use plugin::{LoadError, Plugin};
