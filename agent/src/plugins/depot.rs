//! Components that came from the aggregator, and its orders which of them run.
//!
//! Both lie in the state folder: a machine that is cut off goes on with what it was told last.

use super::folder::{self, Listed};
use super::hash::{Hash, Hashing};
use crate::files;
use flyball_protocol::message::PluginOrder;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// What nobody ordered is kept this long: it was sent to be described, and may be ordered next.
const UNORDERED_MS: u64 = 60 * 60 * 1000;
const MAX_COMPONENTS: usize = 64;
const MAX_BYTES: u64 = 1024 * 1024 * 1024;
const MAX_ORDERS: usize = 64;
/// The orders' file: its first byte, and how long it may be.
const ORDERS_VERSION: u8 = 1;
const MAX_ORDERS_BYTES: u64 = 4 * 1024 * 1024;

#[derive(Clone, Debug)]
pub(super) struct Depot {
    folder: PathBuf,
    orders: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum DepotError {
    #[error("components can't be kept in the state folder")]
    File(#[from] io::Error),
    #[error(
        "{MAX_COMPONENTS} components or {MAX_BYTES} bytes of them are kept, and all are in use"
    )]
    Full,
    #[error("{0} orders came, at most {MAX_ORDERS} are taken")]
    TooMany(usize),
    #[error("the orders can't be written")]
    Encode(#[from] postcard::Error),
}

impl Depot {
    pub(super) fn of(state: &Path) -> Self {
        Self { folder: state.join("components"), orders: state.join("plugin-orders") }
    }

    /// Keeps a component by its hash, in place of the oldest that nobody ordered where there is no
    /// room.
    pub(super) fn keep(&self, bytes: &[u8]) -> Result<Hash, DepotError> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let mut hashing = Hashing::new();
        hashing.update(bytes);
        let hash = hashing.finish();
        if self.path(&hash.to_string()).is_file() {
            // Written whole once; what runs of it is not disturbed.
            return Ok(hash);
        }
        let orders = self.orders();
        let mut kept = self.list()?;
        loop {
            let size: u64 = kept.iter().map(Listed::bytes).sum::<u64>() + bytes.len() as u64;
            if kept.len() < MAX_COMPONENTS && size <= MAX_BYTES {
                break;
            }
            let idle = |listed: &&Listed| !orders.iter().any(|order| order.hash == listed.name());
            let oldest = kept.iter().filter(idle).min_by_key(|listed| listed.changed_ms());
            let oldest = oldest.cloned().ok_or(DepotError::Full)?;
            std::fs::remove_file(&oldest.path)?;
            kept.retain(|listed| *listed != oldest);
        }
        files::replace(&self.path(&hash.to_string()), bytes)?;
        Ok(hash)
    }

    fn path(&self, hash: &str) -> PathBuf {
        self.folder.join(format!("{hash}.wasm"))
    }

    pub(super) fn list(&self) -> io::Result<Vec<Listed>> {
        folder::list(&self.folder)
    }

    /// Writes down what shall run from now on; which of it is not here.
    pub(super) fn order(&self, orders: &[PluginOrder]) -> Result<Vec<String>, DepotError> {
        if orders.len() > MAX_ORDERS {
            return Err(DepotError::TooMany(orders.len()));
        }
        let bytes = postcard::to_extend(orders, vec![ORDERS_VERSION])?;
        files::replace(&self.orders, &bytes)?;
        let hashes = orders.iter().map(|order| order.hash.clone());
        // A hash is a file's name here.
        let plain = |hash: &String| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
        Ok(hashes.filter(plain).filter(|hash| !self.path(hash).is_file()).collect())
    }

    /// What shall run. Orders that can't be read are none: nothing runs that nobody ordered, and
    /// the aggregator gives them again.
    pub(super) fn orders(&self) -> Vec<PluginOrder> {
        match self.read() {
            Ok(orders) => orders,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                tracing::warn!(path = %self.orders.display(), %error, "orders can't be read");
                Vec::new()
            }
        }
    }

    fn read(&self) -> io::Result<Vec<PluginOrder>> {
        if std::fs::metadata(&self.orders)?.len() > MAX_ORDERS_BYTES {
            return Err(io::Error::other("the file is too long"));
        }
        match std::fs::read(&self.orders)?.split_first() {
            Some((&ORDERS_VERSION, rest)) => postcard::from_bytes(rest).map_err(io::Error::other),
            _ => Err(io::Error::other("the file is of another version")),
        }
    }

    /// Removes what nobody has ordered for an hour.
    pub(super) fn sweep(&self, orders: &[PluginOrder], now_ms: u64) -> io::Result<()> {
        for listed in self.list()? {
            let ordered = orders.iter().any(|order| order.hash == listed.name());
            if !ordered && listed.changed_ms().saturating_add(UNORDERED_MS) < now_ms {
                tracing::info!(component = listed.name(), "a component that nobody ordered goes");
                std::fs::remove_file(&listed.path)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(hash: &Hash) -> PluginOrder {
        PluginOrder {
            plugin: "demo".into(),
            hash: hash.to_string(),
            enabled: true,
            grants: vec!["http:example.org".into()],
            settings: vec![("key".into(), "\"geheim\"".into())],
        }
    }

    #[test]
    fn components_and_orders_outlive_the_agent() {
        let state = tempfile::tempdir().unwrap();
        let depot = Depot::of(state.path());
        assert!(depot.orders().is_empty() && depot.list().unwrap().is_empty());
        let hash = depot.keep(b"component").unwrap();
        assert_eq!(hash, Hash::of(b"component"));
        let other = Hash::of(b"other");
        let lacking = depot.order(&[order(&hash), order(&other)]).unwrap();
        assert_eq!(lacking, [other.to_string()]);
        let depot = Depot::of(state.path());
        assert_eq!(depot.orders(), [order(&hash), order(&other)]);
        assert_eq!(depot.list().unwrap()[0].name(), hash.to_string());
        std::fs::write(state.path().join("plugin-orders"), b"\x07?").unwrap();
        assert!(depot.orders().is_empty());
    }

    #[test]
    fn what_nobody_orders_goes_after_an_hour() {
        let state = tempfile::tempdir().unwrap();
        let depot = Depot::of(state.path());
        let (kept, idle) = (depot.keep(b"kept").unwrap(), depot.keep(b"idle").unwrap());
        let at_ms = depot.list().unwrap()[0].changed_ms();
        depot.sweep(&[order(&kept)], at_ms + 1_000).unwrap();
        assert_eq!(depot.list().unwrap().len(), 2);
        depot.sweep(&[order(&kept)], at_ms + 2 * UNORDERED_MS).unwrap();
        let left = depot.list().unwrap();
        assert_eq!((left.len(), left[0].name()), (1, kept.to_string()));
        assert_ne!(left[0].name(), idle.to_string());
    }

    #[test]
    fn a_hash_that_is_a_path_is_no_hash() {
        let state = tempfile::tempdir().unwrap();
        let depot = Depot::of(state.path());
        let strange = PluginOrder { hash: "../../etc/passwd".into(), ..order(&Hash::of(b"x")) };
        assert!(depot.order(&[strange]).unwrap().is_empty());
        let many = vec![order(&Hash::of(b"x")); MAX_ORDERS + 1];
        assert!(matches!(depot.order(&many), Err(DepotError::TooMany(65))));
    }
}
