//! One call on its way: its store under all the limits, and how it ended.

use crate::instance::State;
use crate::limits::{self, Exceeded, arm};
use crate::outside::Outside;
use flyball_plugin_messages::{Diagnostic, Event, Failure, FailureKind};
use std::rc::Rc;
use std::sync::Mutex;
use wasmtime::{Engine, Store, Trap};

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
pub(crate) struct CostCell(Mutex<Cost>);

impl CostCell {
    fn set(&self, cost: Cost) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = cost;
    }

    pub(crate) fn get(&self) -> Cost {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

pub(crate) struct Call {
    store: Store<State>,
    outside: Rc<dyn Outside>,
    deadline_ms: u32,
    output_bytes: usize,
    /// Has nothing run in its instance yet?
    new: bool,
}

impl Call {
    pub(crate) fn new(engine: &Engine, mut state: State, deadline_ms: u32) -> Self {
        let outside = state.outside();
        state.begin(Rc::clone(&outside), deadline_ms);
        let mut store = Store::new(engine, state);
        arm(&mut store, deadline_ms, State::limiter);
        Self { store, outside, deadline_ms, output_bytes: 0, new: true }
    }

    /// The same instance for another call.
    pub(crate) fn again(&mut self, outside: Rc<dyn Outside>, deadline_ms: u32) {
        self.store.data_mut().begin(Rc::clone(&outside), deadline_ms);
        arm(&mut self.store, deadline_ms, State::limiter);
        (self.outside, self.deadline_ms, self.output_bytes) = (outside, deadline_ms, 0);
        self.new = false;
    }

    pub(crate) const fn is_new(&self) -> bool {
        self.new
    }

    /// Runs guest code, and says plainly how it ended where it did not return. What the guest
    /// logged is told either way.
    pub(crate) fn guarded<R>(
        &mut self,
        guest: impl FnOnce(&mut Store<State>) -> wasmtime::Result<R>,
    ) -> Result<R, Failure> {
        let outcome = guest(&mut self.store)
            .map_err(|error| ended(&error, self.store.data(), self.deadline_ms));
        for line in self.store.data_mut().take_lines() {
            self.outside.event(line);
        }
        for item in self.store.data_mut().take_items() {
            self.account(item.size())?;
            self.outside.event(Event::Item(item));
        }
        outcome
    }

    pub(crate) fn tell(&self, event: Event) {
        self.outside.event(event);
    }

    pub(crate) fn account(&mut self, bytes: usize) -> Result<(), Failure> {
        self.output_bytes = self.output_bytes.saturating_add(bytes);
        if self.output_bytes > limits::OUTPUT_BYTES {
            return Err(limit(Exceeded::Output));
        }
        Ok(())
    }

    pub(crate) fn settle(&self, cell: &CostCell) {
        cell.set(Cost {
            memory_bytes: self.store.data().limiter.memory_bytes() as u64,
            fuel: self.store.get_fuel().ok().map(|left| u64::MAX - left),
        });
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
        None if says(error, "fuel allocated for hostcalls") => limit(Exceeded::Lift),
        None if says(error, "store handle limit exceeded") => limit(Exceeded::Handles),
        None => Failure::new(FailureKind::Trapped, format!("the plugin broke: {error:#}")),
    }
}

/// wasmtime keeps these errors' types to itself, so their texts are what there is to tell them by;
/// the tests fail when a text changes.
fn says(error: &wasmtime::Error, text: &str) -> bool {
    error.root_cause().to_string().contains(text)
}

pub(crate) fn limit(exceeded: Exceeded) -> Failure {
    Failure::new(FailureKind::Limit, exceeded.to_string())
}

pub(crate) fn unsupported(message: &str) -> Failure {
    Failure::new(FailureKind::Unsupported, message)
}

pub(crate) fn bounded_failure(failure: Failure) -> Failure {
    Failure {
        kind: failure.kind,
        message: cut(failure.message),
        diagnostics: bounded(failure.diagnostics),
    }
}

/// The first of them: an editor shows no more, and a plugin may have a million.
pub(crate) fn bounded(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.truncate(limits::DIAGNOSTICS);
    for diagnostic in &mut diagnostics {
        diagnostic.code = cut(std::mem::take(&mut diagnostic.code));
        diagnostic.message = cut(std::mem::take(&mut diagnostic.message));
    }
    diagnostics
}

/// A text of a length that somebody reads; line breaks stay.
pub(crate) fn cut(mut text: String) -> String {
    let mut end = text.len().min(limits::MESSAGE_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}
