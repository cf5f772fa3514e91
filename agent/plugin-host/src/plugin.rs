//! A compiled component, ready to be called. Every call has an instance of its own, under all
//! the limits, and leaves nothing behind but its events.

use crate::bindings::v0_1::{self, converted, importer, renderer};
use crate::engine::{Memory, Ticker, engine};
use crate::instance::State;
use crate::limits::{self, Exceeded, arm};
use flyball_plugin_messages::{
    Attribute, Diagnostic, Event, Failure, FailureKind, File, Manifest, Render, Request, World,
};
use std::path::Path;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Engine, Store, Trap};

/// Why compiled code does not run here.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("the engine does not start")]
    Engine(#[source] wasmtime::Error),
    #[error("the compiled code can't be loaded")]
    Code(#[source] wasmtime::Error),
    #[error("the component does not fit its world")]
    World(#[source] wasmtime::Error),
    #[error("no thread can be started")]
    Thread(#[source] std::io::Error),
}

impl LoadError {
    /// The whole chain in one line.
    #[must_use]
    pub fn chain(&self) -> String {
        match self {
            Self::Engine(source) | Self::Code(source) | Self::World(source) => {
                format!("{self}: {source:#}")
            }
            Self::Thread(source) => format!("{self}: {source}"),
        }
    }
}

#[derive(Debug)]
pub struct Plugin {
    engine: Engine,
    ticker: Ticker,
    world: Linked,
    cost: CostCell,
}

/// What one call has cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Linear memory, at its highest.
    pub memory_bytes: u64,
    /// `None` where the engine does not count.
    pub fuel: Option<u64>,
}

/// Written when a call ends; one call runs at a time.
#[derive(Debug, Default)]
struct CostCell(std::sync::Mutex<Cost>);

impl CostCell {
    fn set(&self, cost: Cost) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = cost;
    }

    fn get(&self) -> Cost {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

enum Linked {
    Renderer(renderer::RendererPre<State>),
    Importer(importer::ImporterPre<State>),
}

impl std::fmt::Debug for Linked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Renderer(_) => "Renderer",
            Self::Importer(_) => "Importer",
        })
    }
}

impl Plugin {
    /// Code that the compiler made, which the caller vouches for: loading it is trusting it as
    /// much as this program itself.
    ///
    /// # Errors
    /// Where it was made for another engine or processor, or is damaged in a way that shows.
    pub fn load(code: &Path, world: World) -> Result<Self, LoadError> {
        Self::load_into(engine(Memory::Pooled), code, world)
    }

    /// The same for code of an engine that counts.
    ///
    /// # Errors
    /// As for [`Plugin::load`].
    #[cfg(feature = "compile")]
    pub fn load_counting(code: &Path, world: World) -> Result<Self, LoadError> {
        Self::load_into(crate::engine::counting_engine(Memory::Pooled), code, world)
    }

    fn load_into(
        engine: wasmtime::Result<Engine>,
        code: &Path,
        world: World,
    ) -> Result<Self, LoadError> {
        let engine = engine.map_err(LoadError::Engine)?;
        #[expect(unsafe_code, reason = "the agent has checked the code's MAC")]
        // SAFETY: the file holds what `compile` wrote, proved by the agent's keyed MAC, in a
        // sealed memory file that nobody writes to any more.
        let component = unsafe { Component::deserialize_file(&engine, code) };
        Self::link(engine, &component.map_err(LoadError::Code)?, world)
    }

    pub(crate) fn link(
        engine: Engine,
        component: &Component,
        world: World,
    ) -> Result<Self, LoadError> {
        let mut linker = Linker::new(&engine);
        let linked = match world {
            World::Renderer => {
                renderer::Renderer::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)
                    .and_then(|()| linker.instantiate_pre(component))
                    .and_then(renderer::RendererPre::new)
                    .map(Linked::Renderer)
            }
            World::Importer => {
                importer::Importer::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)
                    .and_then(|()| linker.instantiate_pre(component))
                    .and_then(importer::ImporterPre::new)
                    .map(Linked::Importer)
            }
        };
        let ticker = Ticker::start(&engine).map_err(LoadError::Thread)?;
        Ok(Self {
            engine,
            ticker,
            world: linked.map_err(LoadError::World)?,
            cost: CostCell::default(),
        })
    }

    /// What the call that ended last has cost.
    #[must_use]
    pub fn last_cost(&self) -> Cost {
        self.cost.get()
    }

    /// What the plugin says of itself.
    ///
    /// # Errors
    /// Where it does not get that far within its limits.
    pub fn describe(&self) -> Result<Manifest, Failure> {
        let mut call = self.call_of(State::default(), limits::DESCRIBE_MS);
        let _ticking = self.ticker.tick();
        let manifest = match &self.world {
            Linked::Renderer(linked) => {
                let instance = call.guarded(|store| linked.instantiate(store))?;
                let guest = instance.flyball_plugin_rendering();
                call.guarded(|store| guest.call_describe(store))?
            }
            Linked::Importer(linked) => {
                let instance = call.guarded(|store| linked.instantiate(store))?;
                let guest = instance.flyball_plugin_importing();
                call.guarded(|store| guest.call_describe(store))?
            }
        };
        Ok(manifest.into())
    }

    /// Runs one call to its end. The last event is `Done` or `Failed`, and there is always one.
    pub fn call(&self, request: Request, deadline_ms: u32, events: &mut dyn FnMut(Event)) {
        let _ticking = self.ticker.tick();
        let outcome = match (&self.world, request) {
            (Linked::Renderer(linked), Request::Validate { format, source }) => {
                self.validate(linked, &format, &source, deadline_ms, events)
            }
            (Linked::Renderer(linked), Request::Render(render)) => {
                self.render(linked, render, deadline_ms, events)
            }
            (Linked::Importer(linked), Request::Catalog { files, query, page }) => {
                self.catalog(linked, files, &query, page, deadline_ms, events)
            }
            (Linked::Importer(linked), Request::DescribeCourse { files, id }) => {
                self.detail(linked, files, &id, deadline_ms, events)
            }
            (Linked::Importer(linked), Request::Import { files, id, selection, switches }) => {
                self.import(linked, files, &id, &selection, switches, deadline_ms, events)
            }
            (Linked::Renderer(_), _) => Err(unsupported("a renderer does not import")),
            (Linked::Importer(_), _) => Err(unsupported("an importer does not render")),
        };
        events(match outcome {
            Ok(()) => Event::Done,
            Err(failure) => Event::Failed(failure),
        });
    }

    fn validate(
        &self,
        linked: &renderer::RendererPre<State>,
        format: &str,
        source: &str,
        deadline_ms: u32,
        events: &mut dyn FnMut(Event),
    ) -> Result<(), Failure> {
        let mut call = self.call_of(State::default(), deadline_ms);
        let instance = call.guarded(|store| linked.instantiate(store))?;
        let guest = instance.flyball_plugin_rendering();
        let found = call.logged(events, |store| guest.call_validate(store, format, source))?;
        events(Event::Diagnostics(bounded(converted(found))));
        Ok(())
    }

    fn render(
        &self,
        linked: &renderer::RendererPre<State>,
        render: Render,
        deadline_ms: u32,
        events: &mut dyn FnMut(Event),
    ) -> Result<(), Failure> {
        let mut call = self.call_of(State::default(), deadline_ms);
        let instance = call.guarded(|store| linked.instantiate(store))?;
        let guest = instance.flyball_plugin_rendering();
        let request = v0_1::request(render);
        let image = call
            .logged(events, |store| guest.call_render(store, &request))?
            .map_err(|error| bounded_failure(error.into()))?;
        let (image, warnings) = v0_1::picture(image);
        call.account(image.data.len())?;
        if !warnings.is_empty() {
            events(Event::Diagnostics(bounded(warnings)));
        }
        events(Event::Image(image));
        Ok(())
    }

    fn catalog(
        &self,
        linked: &importer::ImporterPre<State>,
        files: Vec<File>,
        query: &str,
        page: u32,
        deadline_ms: u32,
        events: &mut dyn FnMut(Event),
    ) -> Result<(), Failure> {
        let mut call = self.call_of(State::with_files(files), deadline_ms);
        let instance = call.guarded(|store| linked.instantiate(store))?;
        let guest = instance.flyball_plugin_importing();
        let page = call
            .logged(events, |store| guest.call_catalog(store, query, page))?
            .map_err(|error| bounded_failure(error.into()))?;
        events(Event::Catalog { entries: converted(page.courses), total: page.total });
        Ok(())
    }

    fn detail(
        &self,
        linked: &importer::ImporterPre<State>,
        files: Vec<File>,
        id: &str,
        deadline_ms: u32,
        events: &mut dyn FnMut(Event),
    ) -> Result<(), Failure> {
        let mut call = self.call_of(State::with_files(files), deadline_ms);
        let instance = call.guarded(|store| linked.instantiate(store))?;
        let guest = instance.flyball_plugin_importing();
        let detail = call
            .logged(events, |store| guest.call_describe_course(store, id))?
            .map_err(|error| bounded_failure(error.into()))?;
        let entry = detail.course.into();
        events(Event::Detail { entry, parts: converted(detail.parts) });
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "the request's own fields")]
    fn import(
        &self,
        linked: &importer::ImporterPre<State>,
        files: Vec<File>,
        id: &str,
        selection: &[String],
        switches: Vec<Attribute>,
        deadline_ms: u32,
        events: &mut dyn FnMut(Event),
    ) -> Result<(), Failure> {
        use importer::exports::flyball::plugin::importing::Step;
        let mut call = self.call_of(State::with_files(files), deadline_ms);
        let instance = call.guarded(|store| linked.instantiate(store))?;
        let guest = instance.flyball_plugin_importing();
        let switches: Vec<_> = switches.into_iter().map(v0_1::to_guest).collect();
        let job = call
            .logged(events, |store| guest.call_start(store, id, selection, &switches))?
            .map_err(|error| bounded_failure(error.into()))?;
        for _ in 0..limits::STEPS {
            let step = call
                .logged(events, |store| guest.job().call_next(store, job))?
                .map_err(|error| bounded_failure(error.into()))?;
            match step {
                Step::Item(item) => {
                    call.account(item.data.len())?;
                    events(Event::Item(item.into()));
                }
                Step::Progress(progress) => events(Event::Progress {
                    done: progress.done,
                    total: progress.total,
                    note: progress.note,
                }),
                Step::Done => return Ok(()),
            }
        }
        Err(limit(Exceeded::Steps))
    }

    fn call_of(&self, state: State, deadline_ms: u32) -> Call<'_> {
        let mut store = Store::new(&self.engine, state);
        arm(&mut store, deadline_ms, State::limiter);
        Call { store, deadline_ms, output_bytes: 0, cost: &self.cost }
    }
}

/// One call on its way.
struct Call<'a> {
    store: Store<State>,
    deadline_ms: u32,
    output_bytes: usize,
    cost: &'a CostCell,
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.cost.set(Cost {
            memory_bytes: self.store.data().limiter.memory_bytes() as u64,
            fuel: self.store.get_fuel().ok().map(|left| u64::MAX - left),
        });
    }
}

impl Call<'_> {
    /// Runs guest code, and says plainly how it ended where it did not return.
    fn guarded<R>(
        &mut self,
        guest: impl FnOnce(&mut Store<State>) -> wasmtime::Result<R>,
    ) -> Result<R, Failure> {
        guest(&mut self.store).map_err(|error| ended(&error, self.store.data(), self.deadline_ms))
    }

    /// The same, and passes on what the guest logged.
    fn logged<R>(
        &mut self,
        events: &mut dyn FnMut(Event),
        guest: impl FnOnce(&mut Store<State>) -> wasmtime::Result<R>,
    ) -> Result<R, Failure> {
        let outcome = self.guarded(guest);
        self.store.data_mut().take_lines().for_each(events);
        outcome
    }

    fn account(&mut self, bytes: usize) -> Result<(), Failure> {
        self.output_bytes = self.output_bytes.saturating_add(bytes);
        if self.output_bytes > limits::OUTPUT_BYTES {
            return Err(limit(Exceeded::Output));
        }
        Ok(())
    }
}

fn ended(error: &wasmtime::Error, state: &State, deadline_ms: u32) -> Failure {
    if let Some(exceeded) = state.limiter.exceeded {
        return limit(exceeded);
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => limit(Exceeded::Time(deadline_ms)),
        Some(Trap::StackOverflow) => limit(Exceeded::Stack),
        Some(trap) => {
            let reason = state.panic().map_or_else(|| trap.to_string(), str::to_owned);
            Failure::new(FailureKind::Trapped, format!("the plugin broke: {reason}"))
        }
        None if is_lift_bound(error) => limit(Exceeded::Lift),
        None => Failure::new(FailureKind::Trapped, format!("the plugin broke: {error:#}")),
    }
}

/// wasmtime keeps this error's type to itself, so its text is what there is to tell it by; the
/// tests fail when the text changes.
fn is_lift_bound(error: &wasmtime::Error) -> bool {
    error.root_cause().to_string().contains("fuel allocated for hostcalls")
}

fn limit(exceeded: Exceeded) -> Failure {
    Failure::new(FailureKind::Limit, exceeded.to_string())
}

fn unsupported(message: &str) -> Failure {
    Failure::new(FailureKind::Unsupported, message)
}

fn bounded_failure(mut failure: Failure) -> Failure {
    failure.diagnostics = bounded(failure.diagnostics);
    failure
}

/// The first of them: an editor shows no more, and a plugin may have a million.
fn bounded(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.truncate(limits::DIAGNOSTICS);
    diagnostics
}
