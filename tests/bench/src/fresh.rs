//! What the sandbox itself costs: one call of the smallest plugin, in an instance made for it and
//! dropped after it, in this very process and of code that is compiled already.

use crate::clock;
use crate::figure::{Bench, Figure, quantile};
use anyhow::{Context as _, Result, bail, ensure};
use flyball_plugin_host::{Nobody, Outside, Plugin};
use flyball_plugin_messages::frame::{Decoder, MAX_REPORT_BYTES};
use flyball_plugin_messages::{Answer, Ask, Context, Event, Failure, Render, Report, Request};
use std::cell::{Cell, RefCell};
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;
use tempfile::TempDir;

pub(crate) const BENCH: Bench = Bench { names: &["plugin.fresh_call_ms"], measure };

const PLUGIN: &str = "svg";
const SOURCE: &str = r#"<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><circle cx="20" cy="20" r="15"/></svg>"#;
const DEADLINE_MS: u32 = 10_000;
const WARM_UP: usize = 20;
const CALLS: usize = 500;

fn measure() -> Result<Vec<Figure>> {
    let built = std::env::var_os("FLYBALL_TARGET_DIR").context("call it through `cargo xtask`")?;
    let plugin = load(&PathBuf::from(built))?;
    for _ in 0..WARM_UP {
        call(&plugin)?;
    }
    let mut times = (0..CALLS).map(|_| call(&plugin)).collect::<Result<Vec<f64>>>()?;
    let worst = quantile(&mut times, 0.99);
    let how = format!(
        "the plugin {PLUGIN} checks a circle: instance made, called, dropped; median of {CALLS}, \
         p99 {worst:.3} ms"
    );
    Ok(vec![Figure::new("plugin.fresh_call_ms", quantile(&mut times, 0.5), "ms", how)])
}

/// Compiled by the built compiler, so that none is linked here.
fn load(built: &Path) -> Result<Plugin> {
    let component = built.join("plugins").join(format!("{PLUGIN}.wasm"));
    let folder = TempDir::with_prefix("flyball-fresh-")?;
    let output = folder.path().join("output");
    let status = Command::new(built.join("edge/flyball-compiler"))
        .arg("--component")
        .arg(&component)
        .stdin(Stdio::null())
        .stdout(File::create(&output)?)
        .status()
        .context("the compiler can't be started")?;
    ensure!(status.success(), "the compiler: {status}");
    let mut output = File::open(&output)?;
    let mut decoder = Decoder::new(MAX_REPORT_BYTES);
    // The code follows the report at once, so no byte of it may be taken with the report.
    let mut header = [0; 4];
    output.read_exact(&mut header)?;
    decoder.push(&header);
    let mut body = Vec::new();
    output.by_ref().take(u64::from(u32::from_le_bytes(header))).read_to_end(&mut body)?;
    decoder.push(&body);
    let world = match decoder.decode::<Report>()?.context("the compiler's report is cut off")? {
        Report::Compiled { world, .. } => world,
        Report::Rejected(fault) => bail!("{}: {fault}", component.display()),
    };
    let code = folder.path().join("code");
    let mut native = Vec::new();
    output.read_to_end(&mut native)?;
    fs::write(&code, native)?;
    Plugin::load(&code, world).with_context(|| format!("{} does not run", component.display()))
}

fn call(plugin: &Plugin) -> Result<f64> {
    let heard = Rc::new(Heard::default());
    let outside: Rc<dyn Outside> = Rc::clone(&heard) as Rc<dyn Outside>;
    let request = Request::Render(Render {
        format: PLUGIN.to_owned(),
        source: SOURCE.to_owned(),
        width: None,
        height: None,
        options: Vec::new(),
    });
    let started = clock::now();
    plugin.call(request, Context::default(), DEADLINE_MS, &outside);
    let ms = started.elapsed().as_secs_f64() * 1000.0;
    if let Some(failure) = heard.failed.take() {
        bail!("{PLUGIN}: {}", failure.message);
    }
    ensure!(heard.drawn.get(), "{PLUGIN} draws nothing");
    Ok(ms)
}

#[derive(Default)]
struct Heard {
    drawn: Cell<bool>,
    failed: RefCell<Option<Failure>>,
}

impl Outside for Heard {
    fn event(&self, event: Event) {
        match event {
            Event::Image(_) => self.drawn.set(true),
            Event::Failed(failure) => *self.failed.borrow_mut() = Some(failure),
            _ => {}
        }
    }

    fn ask(&self, ask: Ask) -> Answer {
        Nobody.ask(ask)
    }
}
