//! `[host]` and `[services]` of the policy: commands that act on the machine itself.

use super::table::Table;
use std::time::Duration;

/// What each level of the host is reached by: a program and its arguments, never a shell.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct HostRule {
    pub(crate) quiesce: Vec<String>,
    pub(crate) resume: Vec<String>,
    pub(crate) suspend: Vec<String>,
    pub(crate) shutdown: Vec<String>,
    pub(crate) restart: Vec<String>,
    /// A command that runs for longer has failed and is killed.
    pub(crate) within: Option<Duration>,
}

/// Which services may be paused and stopped, and by which program.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ServicesRule {
    pub(crate) allow: Vec<String>,
    pub(crate) command: Vec<String>,
}

pub(super) fn read_host(table: &mut Table<'_, '_>) -> HostRule {
    let mut command = |key: &'static str| {
        let words = table.texts(key);
        if words.first().is_some_and(|program| !program.starts_with('/')) {
            table.fault(&format!("`{key}` needs the program by its whole path, from /"));
        }
        words
    };
    let (quiesce, resume) = (command("quiesce"), command("resume"));
    let (suspend, shutdown, restart) =
        (command("suspend"), command("shutdown"), command("restart"));
    let within = table.number("within_s", 1.0..=600.0).map(Duration::from_secs_f64);
    HostRule { quiesce, resume, suspend, shutdown, restart, within }
}

pub(super) fn read_services(table: &mut Table<'_, '_>) -> ServicesRule {
    let allow = table.texts("allow");
    for name in &allow {
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "@._:-".contains(c));
        if !plain || name.starts_with('-') {
            table.fault(&format!("`{name}` is no name of a unit"));
        }
    }
    ServicesRule { allow, command: table.texts("command") }
}
