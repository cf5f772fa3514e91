//! A compiled component, ready to be called. Every call has an instance of its own, under all
//! the limits, and leaves nothing behind but its events.

use crate::bindings::{Linked, v0_1, v0_2};
use crate::call::{Call, Cost, CostCell};
use crate::engine::{Memory, Ticker, engine};
use crate::instance::State;
use crate::limits;
use crate::outside::Outside;
use flyball_plugin_messages::{Context, Event, Failure, Manifest, Request, World};
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use wasmtime::Engine;
use wasmtime::component::Component;

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

pub struct Plugin {
    engine: Engine,
    ticker: Ticker,
    world: World,
    linked: Box<dyn Linked>,
    /// A collector's instance between two polls, with what it was opened for.
    kept: RefCell<Option<(Call, Context)>>,
    cost: CostCell,
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Plugin({:?})", self.world)
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
        // Linking resolves every import, so a component fits the one version that it names.
        let linked = match world {
            World::Renderer => v0_2::link_renderer(&engine, component)
                .or_else(|_| v0_1::link_renderer(&engine, component)),
            World::Importer => v0_2::link_importer(&engine, component)
                .or_else(|_| v0_1::link_importer(&engine, component)),
            World::Collector => v0_2::link_collector(&engine, component),
        };
        let ticker = Ticker::start(&engine).map_err(LoadError::Thread)?;
        Ok(Self {
            engine,
            ticker,
            world,
            linked: linked.map_err(LoadError::World)?,
            kept: RefCell::default(),
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
        let _ticking = self.ticker.tick();
        let mut call = Call::new(&self.engine, State::bare(), limits::DESCRIBE_MS);
        self.linked.describe(&mut call)
    }

    /// Runs one call to its end. The last event is `Done` or `Failed`, and there is always one.
    pub fn call(
        &self,
        mut request: Request,
        context: Context,
        deadline_ms: u32,
        outside: &Rc<dyn Outside>,
    ) {
        let _ticking = self.ticker.tick();
        let files = match &mut request {
            Request::Catalog { files, .. }
            | Request::DescribeCourse { files, .. }
            | Request::Import { files, .. } => std::mem::take(files),
            Request::Validate { .. } | Request::Render(_) | Request::Poll => Vec::new(),
        };
        // Other settings are another session.
        let kept = self.kept.take().filter(|(_, before)| before.settings == context.settings);
        let (mut call, context) = match kept {
            Some((mut call, before)) => {
                call.again(Rc::clone(outside), deadline_ms);
                (call, before)
            }
            None => {
                let state = State::new(context.clone(), files, Rc::clone(outside));
                (Call::new(&self.engine, state, deadline_ms), context)
            }
        };
        let outcome = self.linked.answer(&mut call, request);
        call.settle(&self.cost);
        outside.cost(self.cost.get());
        outside.event(match outcome {
            Ok(()) => {
                if self.world == World::Collector {
                    self.kept.replace(Some((call, context)));
                }
                Event::Done
            }
            Err(failure) => Event::Failed(failure),
        });
    }
}
