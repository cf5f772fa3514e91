//! Log lines on standard error, by `tracing`. `FLYBALL_LOG` sets levels per target
//! (`info,flyball_agent::uplink=debug`); a value that cannot be read falls back to the default.

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

const DEFAULT: &str = "info,quinn=warn,quinn_proto=warn,rustls=warn,sled=warn";

/// Installs the subscriber. A second call, as tests make, changes nothing.
pub fn start() {
    let asked = std::env::var("FLYBALL_LOG").ok();
    let parsed = asked.as_deref().map(str::parse::<Targets>);
    let refused = matches!(parsed, Some(Err(_)));
    let targets = match parsed {
        Some(Ok(targets)) => targets,
        Some(Err(_)) | None => default_targets(),
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    let installed = tracing_subscriber::registry().with(lines).with(targets).try_init();
    if refused && installed.is_ok() {
        tracing::warn!(
            value = asked,
            "FLYBALL_LOG is no list of target=level pairs; the default `{DEFAULT}` holds"
        );
    }
}

fn default_targets() -> Targets {
    DEFAULT.parse().unwrap_or_else(|_| Targets::new().with_default(tracing::Level::INFO))
}

/// An error with everything behind it, for one log line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
