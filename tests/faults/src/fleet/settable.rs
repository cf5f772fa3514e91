//! A clock of a program's own, which can be set: libfaketime reads its offset from a file. Only
//! what tells the time is set, never what measures spans.

use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// What a program is started with, its clock right for now.
///
/// # Errors
/// Where the file can't be written.
pub(super) fn environment(library: &Path, file: &Path) -> Result<Vec<(String, String)>> {
    set(file, 0)?;
    Ok(vec![
        ("LD_PRELOAD".into(), library.display().to_string()),
        ("FAKETIME_TIMESTAMP_FILE".into(), file.display().to_string()),
        ("FAKETIME_CACHE_DURATION".into(), "1".into()),
        ("FAKETIME_DONT_FAKE_MONOTONIC".into(), "1".into()),
        ("FAKETIME_DONT_RESET".into(), "1".into()),
    ])
}

/// Sets the clock off by so much.
///
/// # Errors
/// Where the file can't be written.
pub(super) fn set(file: &Path, offset_s: i64) -> Result<()> {
    // Replaced in one step: nobody reads half of it.
    let beside = file.with_extension("new");
    fs::write(&beside, format!("{offset_s:+}\n"))?;
    fs::rename(beside, file).context("the clock can't be set")
}
