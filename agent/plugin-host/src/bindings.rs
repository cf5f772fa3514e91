//! The worlds as the host sees them: one module per version of `wit/`, each with conversions
//! to the messages, which are the newest types.
//!
//! Versions have types of their own that read alike, so what is done with them is written once,
//! as macros over the names of the module that calls them.

pub(crate) mod v0_1;
pub(crate) mod v0_2;

use crate::call::Call;
use flyball_plugin_messages::{Failure, Manifest, Request};

/// A component that is linked against its world.
pub(crate) trait Linked: Send + Sync {
    fn describe(&self, call: &mut Call) -> Result<Manifest, Failure>;

    /// Runs a call to its end; what it gives back is told on the way.
    fn answer(&self, call: &mut Call, request: Request) -> Result<(), Failure>;
}

pub(crate) fn converted<A, B: From<A>>(values: Vec<A>) -> Vec<B> {
    values.into_iter().map(B::from).collect()
}

/// The words of `types`, `log`, `files`, `rendering` and `importing`.
macro_rules! vocabulary {
    () => {
        impl types::Host for State {}

        impl log::Host for State {
            fn write(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
                let level = match level {
                    log::Level::Debug => LogLevel::Debug,
                    log::Level::Info => LogLevel::Info,
                    log::Level::Warn => LogLevel::Warn,
                    log::Level::Error => LogLevel::Error,
                };
                Ok(self.log(level, &message)?)
            }
        }

        impl files::Host for State {
            fn list(&mut self) -> wasmtime::Result<Vec<files::Entry>> {
                let entry = |file: &flyball_plugin_messages::File| files::Entry {
                    path: file.path.clone(),
                    size: file.bytes.len() as u64,
                };
                Ok(self.files().iter().map(entry).collect())
            }

            fn read(
                &mut self,
                path: String,
                offset: u64,
                length: u32,
            ) -> wasmtime::Result<Result<Vec<u8>, types::Error>> {
                Ok(self.piece(&path, offset, length).map(<[u8]>::to_vec).ok_or_else(|| {
                    types::Error {
                        kind: types::ErrorKind::Denied,
                        message: format!("there is no file `{path}` among those of this import"),
                        diagnostics: Vec::new(),
                        retry_after_ms: None,
                    }
                }))
            }
        }

        fn request(render: flyball_plugin_messages::Render) -> rendering::Request {
            rendering::Request {
                format: render.format,
                source: render.source,
                width: render.width,
                height: render.height,
                options: render.options.into_iter().map(to_guest).collect(),
            }
        }

        fn to_guest(attribute: Attribute) -> types::Attribute {
            types::Attribute { key: attribute.key, value: attribute.value }
        }

        impl From<types::Attribute> for Attribute {
            fn from(attribute: types::Attribute) -> Self {
                Self { key: attribute.key, value: attribute.value }
            }
        }

        impl From<types::Manifest> for Manifest {
            fn from(manifest: types::Manifest) -> Self {
                Self {
                    id: manifest.id,
                    name: manifest.name,
                    version: manifest.version,
                    author: manifest.author,
                    licence: manifest.licence,
                    description: manifest.description,
                    handles: manifest.handles,
                    attributes: converted(manifest.attributes),
                }
            }
        }

        impl From<types::Diagnostic> for Diagnostic {
            fn from(diagnostic: types::Diagnostic) -> Self {
                Self {
                    severity: match diagnostic.severity {
                        types::Severity::Error => Severity::Error,
                        types::Severity::Warning => Severity::Warning,
                        types::Severity::Info => Severity::Info,
                        types::Severity::Hint => Severity::Hint,
                    },
                    code: diagnostic.code,
                    message: diagnostic.message,
                    line: diagnostic.start.map_or(0, |start| start.line),
                    column: diagnostic.start.map_or(0, |start| start.column),
                }
            }
        }

        impl From<types::Error> for Failure {
            fn from(error: types::Error) -> Self {
                Self {
                    kind: match error.kind {
                        types::ErrorKind::InvalidInput => FailureKind::InvalidInput,
                        types::ErrorKind::Unsupported => FailureKind::Unsupported,
                        types::ErrorKind::Denied => FailureKind::Denied,
                        types::ErrorKind::Cancelled => FailureKind::Cancelled,
                        types::ErrorKind::Limit => FailureKind::Limit,
                        types::ErrorKind::Upstream => FailureKind::Upstream,
                        types::ErrorKind::Internal => FailureKind::Internal,
                    },
                    message: error.message,
                    diagnostics: converted(error.diagnostics),
                }
            }
        }

        /// The picture, and what the plugin says about it.
        fn picture(image: rendering::Image) -> (Image, Vec<Diagnostic>) {
            let rendering::Image { media_type, width, height, data, warnings } = image;
            (Image { media_type, width, height, data }, converted(warnings))
        }

        impl From<importing::Course> for CatalogEntry {
            fn from(course: importing::Course) -> Self {
                Self {
                    id: course.id,
                    title: course.title,
                    description: course.description,
                    attributes: converted(course.attributes),
                }
            }
        }

        impl From<importing::Part> for Part {
            fn from(part: importing::Part) -> Self {
                Self { id: part.id, title: part.title, attributes: converted(part.attributes) }
            }
        }

        impl From<importing::Item> for Item {
            fn from(item: importing::Item) -> Self {
                Self {
                    id: item.id,
                    title: item.title,
                    media_type: item.media_type,
                    data: item.data,
                    attributes: converted(item.attributes),
                }
            }
        }
    };
}
pub(crate) use vocabulary;

/// The worlds `renderer` and `importer` as linked components.
macro_rules! renderer_and_importer {
    () => {
        pub(crate) fn link_renderer(
            engine: &Engine,
            component: &Component,
        ) -> wasmtime::Result<Box<dyn Linked>> {
            let mut linker = Linker::new(engine);
            renderer::Renderer::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
            let pre = renderer::RendererPre::new(linker.instantiate_pre(component)?)?;
            Ok(Box::new(Renderer(pre)))
        }

        pub(crate) fn link_importer(
            engine: &Engine,
            component: &Component,
        ) -> wasmtime::Result<Box<dyn Linked>> {
            let mut linker = Linker::new(engine);
            importer::Importer::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
            let pre = importer::ImporterPre::new(linker.instantiate_pre(component)?)?;
            Ok(Box::new(Importer(pre)))
        }

        struct Renderer(renderer::RendererPre<State>);

        impl Linked for Renderer {
            fn describe(&self, call: &mut Call) -> Result<Manifest, Failure> {
                let instance = call.guarded(|store| self.0.instantiate(store))?;
                let guest = instance.flyball_plugin_rendering();
                Ok(call.guarded(|store| guest.call_describe(store))?.into())
            }

            fn answer(&self, call: &mut Call, asked: Request) -> Result<(), Failure> {
                let instance = call.guarded(|store| self.0.instantiate(store))?;
                let guest = instance.flyball_plugin_rendering();
                match asked {
                    Request::Validate { format, source } => {
                        let found =
                            call.guarded(|store| guest.call_validate(store, &format, &source))?;
                        call.tell(Event::Diagnostics(bounded(converted(found))));
                        Ok(())
                    }
                    Request::Render(render) => {
                        let order = request(render);
                        let drawn = call.guarded(|store| guest.call_render(store, &order))?;
                        let drawn = drawn.map_err(|error| bounded_failure(error.into()))?;
                        let (image, warnings) = picture(drawn);
                        call.account(image.data.len())?;
                        if !warnings.is_empty() {
                            call.tell(Event::Diagnostics(bounded(warnings)));
                        }
                        call.tell(Event::Image(image));
                        Ok(())
                    }
                    _ => Err(unsupported("a renderer neither imports nor collects")),
                }
            }
        }

        struct Importer(importer::ImporterPre<State>);

        impl Linked for Importer {
            fn describe(&self, call: &mut Call) -> Result<Manifest, Failure> {
                let instance = call.guarded(|store| self.0.instantiate(store))?;
                let guest = instance.flyball_plugin_importing();
                Ok(call.guarded(|store| guest.call_describe(store))?.into())
            }

            fn answer(&self, call: &mut Call, asked: Request) -> Result<(), Failure> {
                let instance = call.guarded(|store| self.0.instantiate(store))?;
                let guest = instance.flyball_plugin_importing();
                let failed = |error: types::Error| bounded_failure(error.into());
                match asked {
                    Request::Catalog { query, page, .. } => {
                        let page = call.guarded(|store| guest.call_catalog(store, &query, page))?;
                        let page = page.map_err(failed)?;
                        let entries: Vec<CatalogEntry> = converted(page.courses);
                        call.account(entries.iter().map(CatalogEntry::size).sum())?;
                        call.tell(Event::Catalog { entries, total: page.total });
                        Ok(())
                    }
                    Request::DescribeCourse { id, .. } => {
                        let detail =
                            call.guarded(|store| guest.call_describe_course(store, &id))?;
                        let detail = detail.map_err(failed)?;
                        let entry: CatalogEntry = detail.course.into();
                        let parts: Vec<Part> = converted(detail.parts);
                        call.account(entry.size() + parts.iter().map(Part::size).sum::<usize>())?;
                        call.tell(Event::Detail { entry, parts });
                        Ok(())
                    }
                    Request::Import { id, selection, switches, .. } => {
                        let switches: Vec<_> = switches.into_iter().map(to_guest).collect();
                        let job = call
                            .guarded(|store| guest.call_start(store, &id, &selection, &switches))?;
                        let job = job.map_err(failed)?;
                        for _ in 0..limits::STEPS {
                            let step = call.guarded(|store| guest.job().call_next(store, job))?;
                            match step.map_err(failed)? {
                                importing::Step::Item(item) => {
                                    let item: Item = item.into();
                                    call.account(item.size())?;
                                    call.tell(Event::Item(item));
                                }
                                importing::Step::Progress(progress) => {
                                    call.tell(Event::Progress {
                                        done: progress.done,
                                        total: progress.total,
                                        note: cut(progress.note),
                                    });
                                }
                                importing::Step::Done => return Ok(()),
                            }
                        }
                        Err(limit(Exceeded::Steps))
                    }
                    _ => Err(unsupported("an importer neither draws nor collects")),
                }
            }
        }
    };
}
pub(crate) use renderer_and_importer;
