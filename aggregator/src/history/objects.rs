//! Where segments lie: a folder, or a bucket that speaks S3.
//!
//! An object is written whole or not at all, and is durable when `put` comes back. Retries have
//! a bound; nothing here knows what the bytes mean.

use super::settings::HistorySettings;
use crate::caches::{CacheMeter, DiskCache, DiskCacheError};
use crate::clock::Clock;
use crate::resilience::{Circuits, Outside};
use bytes::Bytes;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::prefix::PrefixStore;
use object_store::{ClientOptions, ObjectStore, ObjectStoreExt, RetryConfig};
use serde::Deserialize;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The bound of one request with all its repetitions.
const PATIENCE: Duration = Duration::from_secs(30);
const RETRIES: usize = 5;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// What a bucket is asked for where nobody says.
const REGION: &str = "us-east-1";
/// Parts of a bucket's objects, under the state folder.
const CACHE: &str = "cache/history";

#[derive(Debug, thiserror::Error)]
pub enum ObjectsError {
    #[error("{operation} {path}")]
    Folder {
        operation: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("opening the object store {0}")]
    Open(String, #[source] object_store::Error),
    #[error("history.store is {0}: expected a folder or s3://bucket/prefix")]
    Address(String),
    #[error("the credentials in {path} cannot be read")]
    Credentials {
        path: PathBuf,
        #[source]
        source: Box<figment::Error>,
    },
    #[error("the cache of the history")]
    Cache(#[from] DiskCacheError),
    #[error("the object store has failed several times and is left alone for {0} s")]
    Shut(u64),
    #[error("{operation} the object {object}")]
    Object {
        operation: &'static str,
        object: String,
        #[source]
        source: object_store::Error,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    access_key_id: String,
    secret_access_key: String,
}

#[derive(Clone, Debug)]
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    /// As people know it.
    address: String,
    /// Where it is a folder, which one.
    folder: Option<PathBuf>,
    /// Where it is a bucket: who keeps calls away while it fails.
    circuit: Arc<OnceLock<(Circuits, Clock)>>,
    /// Where it is a bucket: what of it is kept here.
    kept: Option<Arc<DiskCache>>,
}

impl Objects {
    /// Opens what the settings name; a folder is made where it is not there.
    ///
    /// # Errors
    /// Where the address, the credentials or the folder can't be read.
    pub fn open(settings: &HistorySettings, state: &Path) -> Result<Self, ObjectsError> {
        match &settings.store {
            Some(address) if address.starts_with("s3://") => {
                let objects = Self::bucket(settings, address)?;
                let bytes = settings.disk_cache_bytes;
                let kept = (bytes > 0).then(|| DiskCache::open(&state.join(CACHE), bytes));
                Ok(Self { kept: kept.transpose()?.map(Arc::new), ..objects })
            }
            Some(address) if address.contains("://") => Err(ObjectsError::Address(address.clone())),
            Some(folder) => Self::folder(&state.join(folder)),
            None => Self::folder(&state.join("history")),
        }
    }

    fn folder(path: &Path) -> Result<Self, ObjectsError> {
        let failed =
            |operation, source| ObjectsError::Folder { operation, path: path.to_owned(), source };
        std::fs::create_dir_all(path).map_err(|source| failed("creating", source))?;
        let path = path.canonicalize().map_err(|source| failed("finding", source))?;
        let store = LocalFileSystem::new_with_prefix(&path)
            .map_err(|source| ObjectsError::Open(path.display().to_string(), source))?
            .with_fsync(true)
            .with_automatic_cleanup(true);
        let address = path.display().to_string();
        Ok(Self {
            store: Arc::new(store),
            address,
            folder: Some(path),
            circuit: Arc::default(),
            kept: None,
        })
    }

    fn bucket(settings: &HistorySettings, address: &str) -> Result<Self, ObjectsError> {
        let rest = address.trim_start_matches("s3://").trim_end_matches('/');
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(ObjectsError::Address(address.to_owned()));
        }
        let store = s3(settings, bucket)?;
        let store = store.map_err(|source| ObjectsError::Open(address.to_owned(), source))?;
        let store: Arc<dyn ObjectStore> = if prefix.is_empty() {
            Arc::new(store)
        } else {
            Arc::new(PrefixStore::new(store, prefix))
        };
        Ok(Self {
            store,
            address: address.to_owned(),
            folder: None,
            circuit: Arc::default(),
            kept: None,
        })
    }

    /// Lets `circuits` keep calls to a bucket away while it fails.
    pub(super) fn guard(&self, circuits: &Circuits, clock: &Clock) {
        if self.folder.is_none() {
            // Whoever was first guards it.
            let _ = self.circuit.set((circuits.clone(), clock.clone()));
        }
    }

    /// A call, unless the store is left alone now. What is not there was an answer too.
    async fn reach<T>(
        &self,
        call: impl Future<Output = Result<T, object_store::Error>>,
    ) -> Result<Result<T, object_store::Error>, ObjectsError> {
        let Some((circuits, clock)) = self.circuit.get() else { return Ok(call.await) };
        let now_ms = clock.now_ms();
        circuits.ask(Outside::Objects, &self.address, now_ms).map_err(|shut| {
            ObjectsError::Shut(shut.until_ms.saturating_sub(now_ms).div_ceil(1_000))
        })?;
        let done = call.await;
        match &done {
            Ok(_) | Err(object_store::Error::NotFound { .. }) => {
                circuits.succeeded(Outside::Objects, &self.address, clock.now_ms());
            }
            Err(_) => circuits.failed(Outside::Objects, &self.address, clock.now_ms()),
        }
        Ok(done)
    }

    /// The folder's path, or the bucket's address.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The folder, where it is one: its disk is this machine's.
    #[must_use]
    pub fn local_folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Writes an object, whole or not at all; it is durable when this comes back.
    ///
    /// # Errors
    /// Where that fails, also after repetitions.
    pub async fn put(&self, object: &str, bytes: Bytes) -> Result<(), ObjectsError> {
        let path = ObjectPath::from(object);
        let done = self.reach(self.store.put(&path, bytes.into())).await?;
        done.map(|_| ()).map_err(|source| failed("writing", object, source))
    }

    /// Parts of an object; those that lie close are asked for together.
    ///
    /// # Errors
    /// Where that fails or the object is shorter.
    pub async fn get(
        &self,
        object: &str,
        ranges: &[Range<u64>],
    ) -> Result<Vec<Bytes>, ObjectsError> {
        let path = ObjectPath::from(object);
        let got = self.reach(self.store.get_ranges(&path, ranges)).await?;
        got.map_err(|source| failed("reading", object, source))
    }

    /// The same of an object that never changes: what was read once may come from this machine's
    /// disk.
    ///
    /// # Errors
    /// Where that fails or the object is shorter.
    pub async fn parts(
        &self,
        object: &str,
        ranges: &[Range<u64>],
    ) -> Result<Vec<Bytes>, ObjectsError> {
        let Some(kept) = &self.kept else { return self.get(object, ranges).await };
        let (cache, name, asked) = (Arc::clone(kept), object.to_owned(), ranges.to_vec());
        let known = tokio::task::spawn_blocking(move || {
            asked.iter().map(|range| cache.get(&name, range)).collect::<Vec<_>>()
        });
        // A read that was cut off found nothing.
        let mut parts = known.await.unwrap_or_default();
        parts.resize(ranges.len(), None);
        let lacks =
            |(range, part): (&Range<u64>, &Option<Bytes>)| part.is_none().then(|| range.clone());
        let missing: Vec<Range<u64>> = ranges.iter().zip(&parts).filter_map(lacks).collect();
        let read = if missing.is_empty() { Vec::new() } else { self.get(object, &missing).await? };
        for (range, part) in missing.iter().zip(&read) {
            self.keep(object, range, part.clone());
        }
        let mut read = read.into_iter();
        Ok(parts.into_iter().filter_map(|part| part.or_else(|| read.next())).collect())
    }

    /// Keeps a part of an object on this machine's disk, where the store is not that already.
    pub fn keep(&self, object: &str, range: &Range<u64>, part: Bytes) {
        let Some(kept) = &self.kept else { return };
        let (cache, object, range) = (Arc::clone(kept), object.to_owned(), range.clone());
        tokio::task::spawn_blocking(move || cache.put(&object, &range, &part));
    }

    /// Of what is kept on this machine's disk, where anything is.
    pub(super) fn meter(&self) -> Option<&CacheMeter> {
        self.kept.as_ref().map(|kept| kept.meter())
    }

    /// How long an object is; `None` where there is none.
    ///
    /// # Errors
    /// Where the store does not say.
    pub async fn size(&self, object: &str) -> Result<Option<u64>, ObjectsError> {
        let path = ObjectPath::from(object);
        match self.reach(self.store.head(&path)).await? {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(failed("looking for", object, source)),
        }
    }

    /// Removes an object; one that is not there is removed already.
    ///
    /// # Errors
    /// Where the store refuses.
    pub async fn remove(&self, object: &str) -> Result<(), ObjectsError> {
        if let Some(kept) = &self.kept {
            let (cache, object) = (Arc::clone(kept), object.to_owned());
            // What stays of it is asked for by nobody, and goes with its age.
            let _ = tokio::task::spawn_blocking(move || cache.remove(&object)).await;
        }
        let path = ObjectPath::from(object);
        match self.reach(self.store.delete(&path)).await? {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(failed("removing", object, source)),
        }
    }
}

fn s3(
    settings: &HistorySettings,
    bucket: &str,
) -> Result<Result<AmazonS3, object_store::Error>, ObjectsError> {
    let retry =
        RetryConfig { max_retries: RETRIES, retry_timeout: PATIENCE, ..RetryConfig::default() };
    let client = ClientOptions::new().with_timeout(PATIENCE).with_connect_timeout(CONNECT_TIMEOUT);
    // The client takes the process' provider; a second installation is refused and does no harm.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(bucket)
        .with_retry(retry)
        .with_region(settings.region.as_deref().unwrap_or(REGION));
    let mut plain = false;
    if let Some(endpoint) = &settings.endpoint {
        plain = endpoint.starts_with("http://");
        builder = builder.with_endpoint(endpoint);
    }
    if let Some(path) = &settings.credentials_file {
        let credentials = credentials(path)?;
        builder = builder
            .with_access_key_id(credentials.access_key_id)
            .with_secret_access_key(credentials.secret_access_key);
    }
    Ok(builder.with_client_options(client.with_allow_http(plain)).build())
}

fn credentials(path: &Path) -> Result<Credentials, ObjectsError> {
    use figment::providers::{Format, Toml};
    figment::Figment::from(Toml::file_exact(path)).extract().map_err(|source| {
        ObjectsError::Credentials { path: path.to_owned(), source: Box::new(source) }
    })
}

fn failed(operation: &'static str, object: &str, source: object_store::Error) -> ObjectsError {
    ObjectsError::Object { operation, object: object.to_owned(), source }
}
