//! Our renderers, run as the product runs them: the built component in its sandbox, under every
//! limit of one call.

use crate::clock::Watch;
use crate::samples::Sample;
use crate::verdict::{Ours, Outcome};
use anyhow::{Context as _, Result, bail};
use flyball_plugin_host::compile::compile;
use flyball_plugin_host::{Nobody, Outside, Plugin};
use flyball_plugin_messages::{
    Answer, Ask, Attribute, Context, Event, Failure, FailureKind, Image, Render, Report, Request,
    World,
};
use sha2::{Digest as _, Sha256};
use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::rc::Rc;

/// What a caller of the product waits at most.
const DEADLINE_MS: u32 = 10_000;
/// How a limit on time begins to say so; the kind alone does not tell it from the others.
const TIME: &str = "time:";

#[derive(Debug)]
pub(crate) struct Renderer {
    plugin: Plugin,
    format: String,
}

impl Renderer {
    /// The component `guest`, compiled into `kept` unless it is there from an earlier run of
    /// this very user.
    pub(crate) fn load(components: &Path, kept: &Path, guest: &str, format: &str) -> Result<Self> {
        let path = components.join(format!("{guest}.wasm"));
        let bytes = fs::read(&path).with_context(|| {
            format!("{} can't be read; `cargo xtask plugins` builds it", path.display())
        })?;
        let hash: String =
            Sha256::digest(&bytes).iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        let code = kept.join(format!("{guest}-{hash}.cwasm"));
        if let Ok(plugin) = Plugin::load(&code, World::Renderer) {
            return Ok(Self { plugin, format: format.to_owned() });
        }
        fs::create_dir_all(kept).with_context(|| format!("{} can't be made", kept.display()))?;
        let (report, native) = compile(&bytes);
        match report {
            Report::Compiled { .. } => {}
            Report::Rejected(fault) => bail!("{}: {fault}", path.display()),
        }
        fs::write(&code, native).with_context(|| format!("{} can't be written", code.display()))?;
        let plugin = Plugin::load(&code, World::Renderer)
            .with_context(|| format!("{} does not run", path.display()))?;
        Ok(Self { plugin, format: format.to_owned() })
    }

    pub(crate) fn judge(&self, sample: &Sample) -> Ours {
        let watch = Watch::start();
        let outcome = self.render(&sample.source, &[], None);
        let ms = watch.ms();
        match outcome {
            Ok(_) => Ours { outcome: Outcome::Drawn, reason: String::new(), ms },
            Err(failure) => Ours { outcome: outcome_of(&failure), reason: reason(&failure), ms },
        }
    }

    /// The picture, with options by their names and a size in pixels where one is wanted.
    pub(crate) fn render(
        &self,
        source: &str,
        options: &[(&str, &str)],
        size: Option<(u32, u32)>,
    ) -> std::result::Result<Image, Failure> {
        let option =
            |(key, value): &(&str, &str)| Attribute { key: (*key).into(), value: (*value).into() };
        let request = Request::Render(Render {
            format: self.format.clone(),
            source: source.to_owned(),
            width: size.map(|(width, _)| width),
            height: size.map(|(_, height)| height),
            options: options.iter().map(option).collect(),
        });
        let drawn = Rc::new(Drawn::default());
        let outside: Rc<dyn Outside> = Rc::clone(&drawn) as Rc<dyn Outside>;
        self.plugin.call(request, Context::default(), DEADLINE_MS, &outside);
        match (drawn.image.take(), drawn.failed.take()) {
            (_, Some(failure)) => Err(failure),
            (Some(image), None) => Ok(image),
            (None, None) => Err(Failure::new(FailureKind::Internal, "it drew nothing")),
        }
    }
}

/// What a call gives back; whatever it asks for is refused.
#[derive(Default)]
struct Drawn {
    image: RefCell<Option<Image>>,
    failed: RefCell<Option<Failure>>,
}

impl Outside for Drawn {
    fn event(&self, event: Event) {
        match event {
            Event::Image(image) => *self.image.borrow_mut() = Some(image),
            Event::Failed(failure) => *self.failed.borrow_mut() = Some(failure),
            _ => {}
        }
    }

    fn ask(&self, ask: Ask) -> Answer {
        Nobody.ask(ask)
    }
}

fn outcome_of(failure: &Failure) -> Outcome {
    match failure.kind {
        FailureKind::Trapped => Outcome::Broke,
        FailureKind::Limit if failure.message.starts_with(TIME) => Outcome::Slow,
        // A plugin's own limit on its source says where.
        FailureKind::Limit if failure.diagnostics.is_empty() => Outcome::Limit,
        _ if failure.diagnostics.iter().any(|one| one.line > 0) => Outcome::Placed,
        _ => Outcome::Unplaced,
    }
}

fn reason(failure: &Failure) -> String {
    match failure.diagnostics.first() {
        Some(first) => first.message.clone(),
        None => without_folders(&failure.message),
    }
}

/// A panic names a file by its path on the machine that built the component.
fn without_folders(message: &str) -> String {
    let name = |word: &str| match word.rsplit_once('/') {
        Some((_, name)) if word.starts_with('/') => name.to_owned(),
        _ => word.to_owned(),
    };
    message.split(' ').map(name).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use flyball_plugin_messages::{Diagnostic, Severity};

    fn failure(kind: FailureKind, message: &str, lines: &[u32]) -> Failure {
        let diagnostic = |line: &u32| Diagnostic {
            severity: Severity::Error,
            code: String::new(),
            message: "no".into(),
            line: *line,
            column: 1,
        };
        let diagnostics = lines.iter().map(diagnostic).collect();
        Failure { kind, message: message.into(), diagnostics }
    }

    #[test]
    fn a_failure_is_counted_by_what_its_user_sees() {
        let invalid = FailureKind::InvalidInput;
        assert_eq!(outcome_of(&failure(invalid, "no", &[3])), Outcome::Placed);
        assert_eq!(outcome_of(&failure(invalid, "no", &[0])), Outcome::Unplaced);
        assert_eq!(outcome_of(&failure(invalid, "no", &[])), Outcome::Unplaced);
        let stopped = "time: it was stopped after 10000 ms";
        assert_eq!(outcome_of(&failure(FailureKind::Limit, stopped, &[])), Outcome::Slow);
        assert_eq!(outcome_of(&failure(FailureKind::Limit, "memory: …", &[])), Outcome::Limit);
        assert_eq!(outcome_of(&failure(FailureKind::Trapped, "…", &[])), Outcome::Broke);
        let broke = failure(FailureKind::Trapped, "panicked at /a/b/c.rs:1:2: no a/b", &[]);
        assert_eq!(reason(&broke), "panicked at c.rs:1:2: no a/b");
    }
}
