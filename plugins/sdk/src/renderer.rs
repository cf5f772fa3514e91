//! The world `renderer` as a trait.

use crate::{Diagnostic, Error, Manifest};

pub mod bindings {
    wit_bindgen::generate!({
        path: "../../wit/0.2",
        world: "renderer",
        pub_export_macro: true,
        export_macro_name: "export_renderer",
        default_bindings_module: "flyball_plugin::generated::renderer",
    });
}

pub use bindings::exports::flyball::plugin::rendering::{Image, Request as RenderRequest};

/// Source text to a picture. Every call has an instance of its own, so state between calls
/// does not exist.
pub trait Renderer {
    fn describe() -> Manifest;

    /// Everything that can be said of `source` without drawing it. Empty: it will render.
    fn validate(format: &str, source: &str) -> Vec<Diagnostic>;

    /// # Errors
    /// Kind `invalid-input` with diagnostics where the source does not parse.
    fn render(request: &RenderRequest) -> Result<Image, Error>;
}

impl<T: Renderer> bindings::exports::flyball::plugin::rendering::Guest for T {
    fn describe() -> Manifest {
        crate::panic::install();
        T::describe()
    }

    fn validate(format: String, source: String) -> Vec<Diagnostic> {
        crate::panic::install();
        T::validate(&format, &source)
    }

    fn render(request: RenderRequest) -> Result<Image, Error> {
        crate::panic::install();
        T::render(&request)
    }
}

/// Makes a component of the type, which implements [`Renderer`].
#[macro_export]
macro_rules! renderer {
    ($plugin:ident) => {
        $crate::generated::renderer::export_renderer!($plugin with_types_in $crate::generated::renderer);
    };
}
