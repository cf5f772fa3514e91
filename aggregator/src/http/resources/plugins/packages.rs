//! Components that are installed here: given, described by a machine, removed.

use super::audit;
use crate::http::Api;
use crate::http::auth::{Administrator, Reader};
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Body, ComponentWords, Path, Upload};
use crate::http::reply::{Answer, Created, Flat, Many, One, Resource};
use crate::http::time::rfc3339;
use crate::plugins::{
    self, MAX_COMPONENT_BYTES, MAX_PACKAGES, Manifest, Package as Kept, PackageState,
    Publisher as KeptPublisher,
};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

const MAX_PUBLISHERS: usize = 100;
const MAX_NAME: usize = 128;

/// An installed component.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Package {
    /// SHA-256 of the component, hexadecimal.
    hash: String,
    /// Bytes.
    size: u64,
    /// `waiting` until a machine with a sandbox has said what it is, then `described` or
    /// `rejected`.
    state: &'static str,
    /// Why it was rejected.
    reason: Option<String>,
    /// The id of its manifest, by which everything else names it.
    plugin_id: Option<String>,
    name: Option<String>,
    version: Option<String>,
    author: Option<String>,
    licence: Option<String>,
    description: Option<String>,
    /// `renderer`, `importer` or `collector`.
    kind: Option<&'static str>,
    /// Formats of a renderer, source ids of an importer.
    handles: Vec<String>,
    /// What it would reach: `http:host:port`, `mqtt:host:port`; `*` stands for hosts that the
    /// operator names.
    wants: Vec<String>,
    /// JSON Schema of its settings.
    #[schema(value_type = Option<Object>)]
    settings_schema: Option<Value>,
    /// The trusted publisher who signed it; nobody where unsigned components are taken.
    publisher: Option<String>,
    installed_by: String,
    installed_at: String,
}

impl Resource for Package {
    const FLAT: Flat = Flat::named("package", "packages");
}

fn shown(kept: Kept) -> Package {
    let (state, reason) = match kept.state {
        PackageState::Waiting => ("waiting", None),
        PackageState::Described => ("described", None),
        PackageState::Rejected(reason) => ("rejected", Some(reason)),
    };
    let manifest = kept.manifest;
    let of = |field: fn(&Manifest) -> &String| manifest.as_ref().map(|m| field(m).clone());
    Package {
        state,
        reason,
        plugin_id: of(|manifest| &manifest.id),
        name: of(|manifest| &manifest.name),
        version: of(|manifest| &manifest.version),
        author: of(|manifest| &manifest.author),
        licence: of(|manifest| &manifest.licence),
        description: of(|manifest| &manifest.description),
        kind: manifest.as_ref().map(|manifest| manifest.kind.name()),
        handles: manifest.as_ref().map(|manifest| manifest.handles.clone()).unwrap_or_default(),
        wants: manifest.as_ref().map(|manifest| manifest.wants.clone()).unwrap_or_default(),
        settings_schema: manifest.and_then(|manifest| manifest.settings_schema),
        hash: kept.hash,
        size: kept.size,
        publisher: kept.publisher,
        installed_by: kept.installed_by,
        installed_at: rfc3339(kept.installed_at_ms),
    }
}

pub(crate) async fn list(State(api): State<Api>, Reader(_): Reader) -> Answer<Many<Package>> {
    let packages = api.app.store.plugin_packages().await.map_err(Problem::internal)?;
    Ok(Many::whole(packages.into_iter().map(shown).collect()))
}

async fn found(api: &Api, hash: &str) -> Result<Kept, Problem> {
    let package = api.app.store.plugin_package(hash).await.map_err(Problem::internal)?;
    package.ok_or_else(|| Problem::not_found("package", hash))
}

pub(crate) async fn detail(
    State(api): State<Api>,
    Reader(_): Reader,
    Path(hash): Path<String>,
) -> Answer<One<Package>> {
    Ok(One(shown(found(&api, &hash).await?)))
}

fn refused(field: &str, message: String) -> Problem {
    Problem::invalid(vec![FieldError::body(field, "invalid_value", message)])
}

/// Whose signature it is. Without one it is taken only where the configuration says so.
async fn signed(
    api: &Api,
    bytes: &[u8],
    signature: Option<&String>,
) -> Result<Option<String>, Problem> {
    match signature {
        Some(signature) => {
            let trusted = api.app.store.plugin_publishers().await.map_err(Problem::internal)?;
            let signer = plugins::signer(bytes, signature, &trusted);
            let signer = signer.map_err(|error| refused("signature", error.to_string()))?;
            Ok(Some(signer.name.clone()))
        }
        None if api.app.config.plugins.unsigned => Ok(None),
        None => {
            let message = "is required: sign the component with `flyball plugin sign` or minisign, \
                           and add its public key as a publisher";
            let field = FieldError::body("signature", "missing_field", message);
            Err(Problem::new(ErrorCode::MissingField, "the component is not signed").field(field))
        }
    }
}

/// Takes a component. Nothing of it runs before it is rolled out.
pub(crate) async fn install(
    State(api): State<Api>,
    Administrator(caller): Administrator,
    upload: Upload<MAX_COMPONENT_BYTES, ComponentWords>,
) -> Answer<Created<Package>> {
    let bytes = upload.file.bytes;
    let hash = plugins::identify(&bytes).map_err(|error| refused("file", error.to_string()))?;
    let publisher = signed(&api, &bytes, upload.words.get("signature")).await?;
    let package = Kept {
        hash: hash.clone(),
        size: bytes.len() as u64,
        state: PackageState::Waiting,
        manifest: None,
        publisher,
        installed_by: caller.email.clone(),
        installed_at_ms: api.app.clock.now_ms(),
    };
    let added = api.app.store.add_plugin_package(&package, bytes, MAX_PACKAGES).await;
    if !added.map_err(Problem::internal)? {
        let there = api.app.store.plugin_package(&hash).await.map_err(Problem::internal)?;
        let message = match there {
            Some(_) => "this very component is installed".to_owned(),
            None => format!("{MAX_PACKAGES} components are installed; remove some first"),
        };
        return Err(Problem::new(ErrorCode::Conflict, message).detail("hash", hash));
    }
    let details = json!({ "size": package.size, "publisher": package.publisher });
    audit(&api, &caller, "install", &hash, details).await?;
    api.app.distribution.wake();
    let location = format!("/api/v1/plugins/packages/{hash}");
    Ok(Created { item: shown(package), location })
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PackageRemoved {
    hash: String,
    removed: bool,
}

impl Resource for PackageRemoved {
    const FLAT: Flat = Flat::fields();
}

pub(crate) async fn remove(
    State(api): State<Api>,
    Administrator(caller): Administrator,
    Path(hash): Path<String>,
) -> Answer<One<PackageRemoved>> {
    found(&api, &hash).await?;
    let removed = api.app.store.remove_plugin_package(&hash).await.map_err(Problem::internal)?;
    if !removed {
        let message = "the package is rolled out; roll out another version or remove the plugin";
        return Err(Problem::new(ErrorCode::Conflict, message));
    }
    audit(&api, &caller, "uninstall", &hash, json!({})).await?;
    Ok(One(PackageRemoved { hash, removed }))
}

/// Somebody whose signed components are taken.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Publisher {
    /// As minisign prints it.
    key_id: String,
    name: String,
    public_key: String,
    added_by: String,
    added_at: String,
}

impl Resource for Publisher {
    const FLAT: Flat = Flat::named("publisher", "publishers");
}

fn shown_publisher(kept: KeptPublisher) -> Publisher {
    Publisher {
        key_id: kept.key_id,
        name: kept.name,
        public_key: kept.public_key,
        added_by: kept.added_by,
        added_at: rfc3339(kept.added_at_ms),
    }
}

pub(crate) async fn publishers(
    State(api): State<Api>,
    Reader(_): Reader,
) -> Answer<Many<Publisher>> {
    let publishers = api.app.store.plugin_publishers().await.map_err(Problem::internal)?;
    Ok(Many::whole(publishers.into_iter().map(shown_publisher).collect()))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PublisherRequest {
    #[schema(min_length = 1, max_length = 128)]
    name: String,
    /// The second line of a `minisign.pub`, or the whole file.
    #[schema(max_length = 1024)]
    public_key: String,
}

pub(crate) async fn trust(
    State(api): State<Api>,
    Administrator(caller): Administrator,
    Body(request): Body<PublisherRequest>,
) -> Answer<Created<Publisher>> {
    let name = request.name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME {
        return Err(refused("name", format!("has 1 to {MAX_NAME} characters")));
    }
    let (key_id, public_key) = plugins::key_id(&request.public_key)
        .map_err(|error| refused("public_key", error.to_string()))?;
    let publisher = KeptPublisher {
        key_id: key_id.clone(),
        name: name.to_owned(),
        public_key,
        added_by: caller.email.clone(),
        added_at_ms: api.app.clock.now_ms(),
    };
    let added = api.app.store.add_plugin_publisher(&publisher, MAX_PUBLISHERS).await;
    if !added.map_err(Problem::internal)? {
        let message = format!("the key {key_id} is trusted already, or {MAX_PUBLISHERS} keys are");
        return Err(Problem::new(ErrorCode::Conflict, message));
    }
    audit(&api, &caller, "trust", &key_id, json!({ "name": publisher.name })).await?;
    let location = format!("/api/v1/plugins/publishers/{key_id}");
    Ok(Created { item: shown_publisher(publisher), location })
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PublisherRemoved {
    key_id: String,
    removed: bool,
}

impl Resource for PublisherRemoved {
    const FLAT: Flat = Flat::fields();
}

/// Its components that are installed stay; new ones are not taken.
pub(crate) async fn distrust(
    State(api): State<Api>,
    Administrator(caller): Administrator,
    Path(key_id): Path<String>,
) -> Answer<One<PublisherRemoved>> {
    let removed = api.app.store.remove_plugin_publisher(&key_id).await;
    if !removed.map_err(Problem::internal)? {
        return Err(Problem::not_found("publisher", key_id));
    }
    audit(&api, &caller, "distrust", &key_id, json!({})).await?;
    Ok(One(PublisherRemoved { key_id, removed: true }))
}
