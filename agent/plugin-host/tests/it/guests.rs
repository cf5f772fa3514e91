//! Built guests, compiled once for all tests.

use flyball_plugin_host::compile::compile;
use flyball_plugin_host::{Nobody, Outside, Plugin};
use flyball_plugin_messages::{
    Answer, Ask, Context, Event, Failure, Manifest, Render, Report, Request, World,
};
use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Mutex, OnceLock};

/// One plugin at a time: the limits under test are times, and two cores have no more to give.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

pub(crate) struct Guest {
    code: PathBuf,
    pub(crate) world: World,
    pub(crate) manifest: Manifest,
}

/// A component as `cargo xtask test` has built it.
pub(crate) fn component(name: &str) -> Vec<u8> {
    let folder = std::env::var_os("FLYBALL_GUESTS").map_or_else(default_folder, PathBuf::from);
    let path = folder.join(format!("{name}.wasm"));
    std::fs::read(&path).unwrap_or_else(|error| {
        panic!("{}: {error}; `cargo xtask test` builds the guests first", path.display())
    })
}

fn default_folder() -> PathBuf {
    let home = std::env::var_os("HOME").unwrap_or_default();
    PathBuf::from(home).join(".cache/flyball/guests/wasm32-unknown-unknown/release")
}

fn load(name: &str) -> Guest {
    let (report, code) = compile(&component(name));
    let Report::Compiled { manifest, world, .. } = report else { panic!("{report:?}") };
    let file = format!("flyball-{}-{name}.cwasm", std::process::id());
    let path = std::env::temp_dir().join(file);
    std::fs::write(&path, code).unwrap();
    Guest { code: path, world, manifest }
}

/// Keeps what a call gives back; asks are refused.
#[derive(Default)]
pub(crate) struct Heard(pub(crate) RefCell<Vec<Event>>);

impl Outside for Heard {
    fn event(&self, event: Event) {
        self.0.borrow_mut().push(event);
    }

    fn ask(&self, ask: Ask) -> Answer {
        Nobody.ask(ask)
    }
}

macro_rules! guest {
    ($name:ident) => {
        guest!($name, stringify!($name));
    };
    ($name:ident, $component:expr) => {
        pub(crate) fn $name() -> &'static Guest {
            static GUEST: OnceLock<Guest> = OnceLock::new();
            GUEST.get_or_init(|| load($component))
        }
    };
}
guest!(graphviz);
guest!(hoarding);
guest!(misbehaving);
guest!(mqtt_json, "mqtt-json");
guest!(prometheus);
guest!(prying);
guest!(umcf);
guest!(v0_1_importer, "v0-1-importer");
guest!(v0_1_renderer, "v0-1-renderer");
guest!(v0_2_importer, "v0-2-importer");

impl Guest {
    /// As its process would load it.
    pub(crate) fn plugin(&self) -> Plugin {
        Plugin::load(&self.code, self.world).unwrap()
    }

    pub(crate) fn call(&self, request: Request, deadline_ms: u32) -> Vec<Event> {
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let heard = Rc::new(Heard::default());
        let outside: Rc<dyn Outside> = Rc::clone(&heard) as Rc<dyn Outside>;
        self.plugin().call(request, Context::default(), deadline_ms, &outside);
        let events = heard.0.take();
        assert_eq!(events.iter().filter(|event| event.is_last()).count(), 1, "{events:?}");
        assert!(events.last().is_some_and(Event::is_last), "{events:?}");
        events
    }

    pub(crate) fn render(&self, source: &str, deadline_ms: u32) -> Vec<Event> {
        let render = Render {
            format: self.manifest.handles[0].clone(),
            source: source.into(),
            width: None,
            height: None,
            options: Vec::new(),
        };
        self.call(Request::Render(render), deadline_ms)
    }
}

pub(crate) fn failure(events: Vec<Event>) -> Failure {
    match events.into_iter().next_back() {
        Some(Event::Failed(failure)) => failure,
        other => panic!("it did not fail: {other:?}"),
    }
}
