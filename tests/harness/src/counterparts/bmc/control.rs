//! The chassis of an IPMI BMC: a script that the simulator calls, and the files it keeps.

use crate::counterparts::{CounterpartError, write};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Called as `script SLAVE get power…` or `script SLAVE set power 1 …`.
const SCRIPT: &str = r#"#!/bin/sh
here=$(dirname "$0")
operation=$2
shift 2
while [ -n "$1" ]; do
    case $operation:$1 in
        get:power) echo "power:$(cat "$here/power")"; shift ;;
        get:boot) echo "boot:$(cat "$here/boot")"; shift ;;
        get:*) echo "no $1 here"; exit 1 ;;
        set:*)
            echo "$1=$2" >> "$here/orders"
            if [ ! -e "$here/ignoring" ]; then
                case $1 in
                    power) echo "$2" > "$here/power" ;;
                    boot) echo "$2" > "$here/boot" ;;
                    shutdown) [ -e "$here/listening" ] && echo 0 > "$here/power" ;;
                esac
            fi
            # Identifying has one argument too: an interval and whether it is for good.
            shift 2 ;;
    esac
done
"#;

pub(super) fn script(here: &Path) -> Result<PathBuf, CounterpartError> {
    turn(here, false)?;
    write(here.join("boot"), "default\n")?;
    let file = write(here.join("chassis"), SCRIPT)?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755))
        .map_err(|source| CounterpartError::Write { path: file.clone(), source })?;
    Ok(file)
}

pub(super) fn is_on(here: &Path) -> bool {
    fs::read_to_string(here.join("power")).is_ok_and(|text| text.trim() == "1")
}

pub(super) fn turn(here: &Path, on: bool) -> Result<(), CounterpartError> {
    write(here.join("power"), if on { "1\n" } else { "0\n" }).map(|_| ())
}

pub(super) fn ignore(here: &Path, ignore: bool) -> Result<(), CounterpartError> {
    mark(here.join("ignoring"), ignore)
}

pub(super) fn listen(here: &Path, listen: bool) -> Result<(), CounterpartError> {
    mark(here.join("listening"), listen)
}

/// Makes the file at `path`, or takes it away.
fn mark(path: PathBuf, there: bool) -> Result<(), CounterpartError> {
    if there {
        return write(path, "").map(|_| ());
    }
    match fs::remove_file(&path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(CounterpartError::Write { path, source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

pub(super) fn orders(here: &Path) -> Vec<String> {
    let text = fs::read_to_string(here.join("orders")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}
