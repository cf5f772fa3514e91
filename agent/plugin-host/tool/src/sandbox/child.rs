//! The confined processes themselves.

use crate::case::script::{self, Line};
use crate::clock;
use anyhow::{Context as _, Result};
use clap::{Subcommand, ValueEnum};
use flyball_plugin_host::compile::{compile, compile_counting};
use flyball_plugin_host::{Outside, Plugin, confinement};
use flyball_plugin_messages::frame::{Decoder, MAX_FRAME_BYTES, MAX_REPORT_BYTES, encode};
use flyball_plugin_messages::{Answer, Ask, Context, Event, Request, World};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::rc::Rc;

#[derive(Subcommand)]
pub(crate) enum Word {
    /// A component in, a framed report and native code out.
    Compile {
        #[arg(long)]
        component: PathBuf,
        #[arg(long)]
        counting: bool,
    },
    /// One call after another.
    Call {
        #[arg(long)]
        code: PathBuf,
        #[arg(long)]
        world: WorldName,
        #[arg(long)]
        counting: bool,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum WorldName {
    Renderer,
    Importer,
    Collector,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ToChild {
    pub(super) deadline_ms: u32,
    pub(super) request: Request,
    pub(super) context: Context,
    /// What is answered where the plugin asks.
    pub(super) script: Vec<Line>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum FromChild {
    Ready,
    NotLoaded(String),
    Event(Event),
    /// What the plugin asked for, and what is wrong with that.
    Asked(String),
    /// After the last event of a call.
    Ended {
        time_us: u64,
        memory_bytes: u64,
        fuel: Option<u64>,
        /// Lines of the script that nobody asked for yet.
        left: usize,
    },
}

pub(crate) fn run(word: &Word) -> Result<()> {
    confinement::follow_parent()?;
    match word {
        Word::Compile { component, counting } => compile_one(component, *counting),
        Word::Call { code, world, counting } => answer_calls(code, *world, *counting),
    }
}

fn compile_one(component: &Path, counting: bool) -> Result<()> {
    let component = crate::project::read(component)?;
    confinement::confine_compiler()?;
    let (report, code) = if counting { compile_counting(&component) } else { compile(&component) };
    let mut out = std::io::stdout().lock();
    out.write_all(&encode(&report, MAX_REPORT_BYTES)?).context("the report can't be written")?;
    out.write_all(&code).and_then(|()| out.flush()).context("the code can't be written")
}

fn answer_calls(code: &Path, world: WorldName, counting: bool) -> Result<()> {
    let world = match world {
        WorldName::Renderer => World::Renderer,
        WorldName::Importer => World::Importer,
        WorldName::Collector => World::Collector,
    };
    let load = if counting { Plugin::load_counting } else { Plugin::load };
    let plugin = match load(code, world) {
        Ok(plugin) => plugin,
        Err(error) => return send(&FromChild::NotLoaded(error.chain())),
    };
    confinement::confine_plugin()?;
    send(&FromChild::Ready)?;
    let mut decoder = Decoder::new(MAX_FRAME_BYTES);
    let mut buffer = [0; 64 * 1024];
    loop {
        if let Some(call) = decoder.decode::<ToChild>().context("a call can't be understood")? {
            answer(&plugin, call)?;
            continue;
        }
        match std::io::stdin().lock().read(&mut buffer).context("no calls can be read")? {
            0 => return Ok(()),
            count => decoder.push(&buffer[..count]),
        }
    }
}

/// The parent as a call reaches it: its events go there. What it asks is answered by a script.
struct Parent {
    fault: RefCell<Option<anyhow::Error>>,
    script: RefCell<std::vec::IntoIter<Line>>,
}

impl Parent {
    fn tell(&self, message: &FromChild) {
        let fault = &mut *self.fault.borrow_mut();
        if fault.is_none() {
            *fault = send(message).err();
        }
    }
}

impl Outside for Parent {
    fn event(&self, event: Event) {
        self.tell(&FromChild::Event(event));
    }

    fn ask(&self, ask: Ask) -> Answer {
        let (answer, shown) = script::answer(&mut *self.script.borrow_mut(), &ask);
        self.tell(&FromChild::Asked(shown));
        answer
    }
}

fn answer(plugin: &Plugin, call: ToChild) -> Result<()> {
    let script = RefCell::new(call.script.into_iter());
    let parent = Rc::new(Parent { fault: RefCell::default(), script });
    let outside: Rc<dyn Outside> = Rc::clone(&parent) as Rc<dyn Outside>;
    let began = clock::now();
    plugin.call(call.request, call.context, call.deadline_ms, &outside);
    let time = clock::now().duration_since(began);
    if let Some(fault) = parent.fault.borrow_mut().take() {
        return Err(fault);
    }
    let cost = plugin.last_cost();
    send(&FromChild::Ended {
        time_us: u64::try_from(time.as_micros()).unwrap_or(u64::MAX),
        memory_bytes: cost.memory_bytes,
        fuel: cost.fuel,
        left: parent.script.borrow().len(),
    })
}

fn send(message: &FromChild) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(&encode(message, MAX_FRAME_BYTES)?)
        .and_then(|()| out.flush())
        .context("the answer can't be written")
}
