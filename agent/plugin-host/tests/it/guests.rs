//! Built guests, compiled once for all tests.

use flyball_plugin_host::Plugin;
use flyball_plugin_host::compile::compile;
use flyball_plugin_messages::{Event, Failure, Manifest, Render, Report, Request};
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

/// One plugin at a time: the limits under test are times, and two cores have no more to give.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

pub(crate) struct Guest {
    pub(crate) plugin: Plugin,
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
    let path = std::env::temp_dir().join(format!("flyball-{}-{name}.cwasm", std::process::id()));
    std::fs::write(&path, code).unwrap();
    let plugin = Plugin::load(&path, world).unwrap();
    std::fs::remove_file(path).unwrap();
    Guest { plugin, manifest }
}

macro_rules! guest {
    ($name:ident) => {
        pub(crate) fn $name() -> &'static Guest {
            static GUEST: OnceLock<Guest> = OnceLock::new();
            GUEST.get_or_init(|| load(stringify!($name)))
        }
    };
}
guest!(graphviz);
guest!(misbehaving);
guest!(umcf);

impl Guest {
    pub(crate) fn call(&self, request: Request, deadline_ms: u32) -> Vec<Event> {
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut events = Vec::new();
        self.plugin.call(request, deadline_ms, &mut |event| events.push(event));
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
