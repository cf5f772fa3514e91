//! The world `collector` as two traits.

use crate::{Error, Manifest};
use std::cell::RefCell;

pub mod bindings {
    wit_bindgen::generate!({
        path: "../../wit/0.2",
        world: "collector",
        pub_export_macro: true,
        export_macro_name: "export_collector",
        default_bindings_module: "flyball_plugin::generated::collector",
    });
}

use bindings::exports::flyball::plugin::collecting as exported;
pub use exported::{Absence, Kind, Reading, Value};

/// Readings of what the host can't read itself.
pub trait Collector: 'static {
    type Session: Session;

    fn describe() -> Manifest;

    /// What is read stands in the settings.
    ///
    /// # Errors
    /// Where the settings are not sound.
    fn open() -> Result<Self::Session, Error>;
}

/// A connection to what is read. It keeps its instance from one poll to the next.
pub trait Session: 'static {
    /// Everything as it is now.
    ///
    /// # Errors
    /// An error ends the session; another is opened for the next poll. A source that does not
    /// answer is no error but readings that are absent.
    fn poll(&mut self) -> Result<Vec<Reading>, Error>;
}

/// The exported resource around a plugin's session.
#[doc(hidden)]
#[derive(Debug)]
pub struct SessionResource<S>(RefCell<S>);

impl<S: Session> exported::GuestSession for SessionResource<S> {
    fn poll(&self) -> Result<Vec<Reading>, Error> {
        self.0.borrow_mut().poll()
    }
}

impl<T: Collector> exported::Guest for T {
    type Session = SessionResource<T::Session>;

    fn describe() -> Manifest {
        crate::panic::install();
        T::describe()
    }

    fn open() -> Result<exported::Session, Error> {
        crate::panic::install();
        let session = T::open()?;
        Ok(exported::Session::new(SessionResource(RefCell::new(session))))
    }
}

/// Makes a component of the type, which implements [`Collector`].
#[macro_export]
macro_rules! collector {
    ($plugin:ident) => {
        $crate::generated::collector::export_collector!($plugin with_types_in $crate::generated::collector);
    };
}
