//! Keeps Debian from starting the servers that it installs (`invoke-rc.d` asks `policy-rc.d`).

use anyhow::{Context, Result};
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const POLICY: &str = "/usr/sbin/policy-rc.d";

/// As long as it lives no package starts its service. A policy that stands already is kept.
#[derive(Debug)]
pub(super) struct Quiet {
    ours: bool,
}

impl Quiet {
    pub(super) fn begin() -> Result<Self> {
        let policy = OpenOptions::new().write(true).create_new(true).mode(0o755).open(POLICY);
        match policy {
            Ok(mut file) => {
                let written = file.write_all(b"#!/bin/sh\nexit 101\n");
                written.with_context(|| format!("{POLICY} cannot be written"))?;
                Ok(Self { ours: true })
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Self { ours: false }),
            Err(error) => Err(error).with_context(|| format!("{POLICY} cannot be made")),
        }
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if self.ours
            && Path::new(POLICY).exists()
            && let Err(error) = fs::remove_file(POLICY)
        {
            eprintln!("{POLICY} is left behind, and keeps services from starting: {error}");
        }
    }
}
