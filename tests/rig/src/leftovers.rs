//! What a test left that was killed: a machine's folder, and a machine that still runs in it.

use crate::process;
use rustix::process::Pid;
use std::fs;
use std::path::Path;

/// How machines' folders begin.
pub(crate) const PREFIX: &str = "flyball-rig-";
/// The process that answers for a folder.
const OWNER: &str = "owner";

/// Puts this process's name on `folder`.
///
/// # Errors
/// Where it can't be written.
pub(crate) fn own(folder: &Path) -> std::io::Result<()> {
    fs::write(folder.join(OWNER), std::process::id().to_string())
}

/// Takes away the folders beside `folder` whose owner is gone, and ends what runs in them.
pub(crate) fn sweep(folder: &Path) {
    let Some(place) = folder.parent() else { return };
    // Whatever can't be read or removed is another user's, or was swept by another test just now.
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with(PREFIX) && is_ownerless(&path) {
            let _ = process::end_other(&path);
            let _ = fs::remove_dir_all(&path);
        }
    }
}

fn is_ownerless(folder: &Path) -> bool {
    // One that is just being made has no owner's name yet.
    let Ok(text) = fs::read_to_string(folder.join(OWNER)) else { return false };
    let owner = text.trim().parse().ok().and_then(Pid::from_raw);
    owner.is_some_and(|pid| rustix::process::test_kill_process(pid).is_err())
}
