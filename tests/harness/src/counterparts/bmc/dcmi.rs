//! DCMI's power limit, which OpenIPMI's simulator does not have: a script in `ipmitool`'s place
//! that answers DCMI in that program's words and hands everything else to the real one.

use crate::counterparts::{CounterpartError, Program, write};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const TOOL: Program = Program::Debian { name: "ipmitool", package: "ipmitool" };

/// The limit at the start: set, and not active.
const AT_START: (&str, &str) = ("500\n", "No Active Power Limit\n");

const ACTIVE: &str = "Power Limit Active";

/// In `ipmitool`'s arguments DCMI's words stand last.
fn script(tool: &Path) -> String {
    format!(
        r#"#!/bin/sh
here=$(dirname "$0")
for last; do :; done
case "$*" in
    *" dcmi power reading")
        echo "    Instantaneous power reading:                   $(cat "$here/sensors/power") Watts"
        echo "    Power reading state is:                   activated" ;;
    *" dcmi power get_limit")
        echo "    Current Limit State: $(cat "$here/limit-state")"
        echo "    Exception actions:   No Action"
        echo "    Power Limit:         $(cat "$here/limit") Watts" ;;
    *" dcmi power set_limit limit "*)
        echo "limit=$last" >> "$here/orders"
        [ -e "$here/ignoring" ] || echo "$last" > "$here/limit" ;;
    *" dcmi power activate")
        [ -e "$here/ignoring" ] || echo "{ACTIVE}" > "$here/limit-state" ;;
    *" dcmi power deactivate") echo "No Active Power Limit" > "$here/limit-state" ;;
    *) exec "{}" "$@" ;;
esac
"#,
        tool.display()
    )
}

pub(super) fn tool(here: &Path) -> Result<PathBuf, CounterpartError> {
    write(here.join("limit"), AT_START.0)?;
    write(here.join("limit-state"), AT_START.1)?;
    let file = write(here.join("ipmitool"), &script(&TOOL.file()?))?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755))
        .map_err(|source| CounterpartError::Write { path: file.clone(), source })?;
    Ok(file)
}

/// The limit that is in force.
pub(super) fn limit(here: &Path) -> Option<u32> {
    let read = |name: &str| fs::read_to_string(here.join(name)).unwrap_or_default();
    let active = read("limit-state").trim() == ACTIVE;
    read("limit").trim().parse().ok().filter(|_| active)
}
