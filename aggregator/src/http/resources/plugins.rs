//! Plugins: those that connected machines have, and what operators decided of them.

pub(crate) mod packages;
pub(crate) mod rollouts;

use crate::access::Caller;
use crate::audit::{AuditEntry, Decision};
use crate::http::Api;
use crate::http::auth::{Administrator, Reader};
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Body, Path};
use crate::http::reply::{Answer, Flat, Many, One, Resource};
use crate::plugins::{Calls, Choices, PluginsError, SettingFault};
use axum::extract::State;
use flyball_protocol::message::{PluginKind, PluginState, PluginStatus};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;
use uuid::Uuid;

const MAX_ENABLED: usize = 1_000;
const MAX_PRIORITY: u32 = 1_000_000;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Plugin {
    plugin_id: String,
    name: String,
    version: String,
    description: String,
    author: String,
    enabled: bool,
    /// Of plugins for the same format the one with the greatest is asked.
    priority: u32,
    /// What every call of it is given as options, where the call does not say otherwise. Texts are
    /// shown as `***`: they may be keys.
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
    has_config: bool,
    licence: String,
    /// `renderer` or `importer`.
    kind: &'static str,
    /// Formats of a renderer, sources of an importer.
    handles: Vec<String>,
    /// SHA-256 of the component.
    hash: String,
    /// `compiling`, `ready`, `rejected` or `quarantined`.
    state: &'static str,
    /// Why it is not ready.
    reason: Option<String>,
    /// The machines that have it.
    devices: Vec<Uuid>,
    /// Since this server started.
    usage: PluginUsage,
}

/// Calls by how they ended, and their time from order to result.
#[derive(Debug, Serialize, ToSchema)]
struct PluginUsage {
    calls: u64,
    done: u64,
    /// Wrong or unknown input.
    refused: u64,
    /// Stopped at a limit.
    limited: u64,
    trapped: u64,
    failed: u64,
    total_ms: u64,
    longest_ms: u64,
}

impl From<Calls> for PluginUsage {
    fn from(calls: Calls) -> Self {
        let ms = |took: std::time::Duration| u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        Self {
            calls: calls.all(),
            done: calls.done,
            refused: calls.refused,
            limited: calls.limited,
            trapped: calls.trapped,
            failed: calls.failed,
            total_ms: ms(calls.took),
            longest_ms: ms(calls.longest),
        }
    }
}

impl Resource for Plugin {
    const FLAT: Flat = Flat::named("plugin", "plugins");
}

fn plugin(status: PluginStatus, choices: &Choices, calls: Calls) -> Plugin {
    let (state, reason) = match status.state {
        PluginState::Compiling => ("compiling", None),
        PluginState::Ready => ("ready", None),
        PluginState::Rejected(reason) => ("rejected", Some(reason)),
        PluginState::Quarantined(reason) => ("quarantined", Some(reason)),
    };
    let choice = choices.of(&status.id);
    let shown = |value: Value| if value.is_string() { json!("***") } else { value };
    Plugin {
        plugin_id: status.id,
        name: status.name,
        version: status.version,
        description: status.description,
        author: status.author,
        enabled: state == "ready" && choice.enabled,
        priority: choice.priority,
        has_config: !choice.settings.is_empty(),
        settings: choice.settings.into_iter().map(|(name, value)| (name, shown(value))).collect(),
        licence: status.licence,
        kind: match status.kind {
            PluginKind::Renderer => "renderer",
            PluginKind::Importer => "importer",
            PluginKind::Collector => "collector",
        },
        handles: status.handles,
        hash: status.hash,
        state,
        reason,
        devices: Vec::new(),
        usage: calls.into(),
    }
}

/// One for each component that a connected machine has.
fn all(api: &Api, choices: &Choices) -> Vec<Plugin> {
    let mut plugins: BTreeMap<(String, String), Plugin> = BTreeMap::new();
    for (device, status) in api.app.sessions.plugins() {
        let key = (status.id.clone(), status.hash.clone());
        let ready = status.state == PluginState::Ready;
        let calls = api.app.plugins.usage().of(&status.id);
        let known = plugins.entry(key).or_insert_with(|| plugin(status.clone(), choices, calls));
        if ready && known.state != "ready" {
            let devices = std::mem::take(&mut known.devices);
            *known = Plugin { devices, ..plugin(status, choices, calls) };
        }
        known.devices.push(device.0);
    }
    plugins.into_values().collect()
}

pub(crate) async fn list(State(api): State<Api>, Reader(_): Reader) -> Answer<Many<Plugin>> {
    let choices = api.app.plugins.choices().await.map_err(Problem::internal)?;
    Ok(Many::whole(all(&api, &choices)).fact("first_run", !choices.initialized))
}

async fn found(api: &Api, id: &str) -> Result<Plugin, Problem> {
    let choices = api.app.plugins.choices().await.map_err(Problem::internal)?;
    let found = all(api, &choices).into_iter().filter(|plugin| plugin.plugin_id == id);
    // Of several versions the one that is ready.
    found
        .max_by_key(|plugin| plugin.state == "ready")
        .ok_or_else(|| Problem::not_found("plugin on a connected machine", id))
}

pub(crate) async fn detail(
    State(api): State<Api>,
    Reader(_): Reader,
    Path(id): Path<String>,
) -> Answer<One<Plugin>> {
    Ok(One(found(&api, &id).await?))
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FirstRun {
    first_run: bool,
}

impl Resource for FirstRun {
    const FLAT: Flat = Flat::fields();
}

/// Has nobody chosen plugins yet?
pub(crate) async fn first_run(State(api): State<Api>, Reader(_): Reader) -> Answer<One<FirstRun>> {
    let choices = api.app.plugins.choices().await.map_err(Problem::internal)?;
    Ok(One(FirstRun { first_run: !choices.initialized }))
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Decided {
    message: String,
}

impl Resource for Decided {
    const FLAT: Flat = Flat::fields();
}

async fn audit(api: &Api, caller: &Caller, action: &str, id: &str, details: Value) -> Answer<()> {
    let entry = AuditEntry {
        at_ms: api.app.clock.now_ms(),
        actor: caller.email.clone(),
        action: format!("plugin.{action}"),
        target: format!("plugin:{id}"),
        decision: Decision::Allowed,
        details,
        ..AuditEntry::default()
    };
    api.app.store.add_audit(&entry).await.map_err(Problem::internal)
}

fn problem(error: PluginsError) -> Problem {
    match error {
        PluginsError::Name(_) | PluginsError::Value(_) | PluginsError::TooMany => {
            let message = error.to_string();
            Problem::invalid(vec![FieldError::body("settings", "invalid_value", message)])
        }
        PluginsError::Store(_) | PluginsError::Sealing(_) => Problem::internal(error),
    }
}

async fn set_enabled(api: &Api, caller: &Caller, id: &str, enabled: bool) -> Answer<One<Decided>> {
    found(api, id).await?;
    let by = &caller.email;
    let decided = api.app.plugins.decide(id, by, |choice| choice.enabled = enabled).await;
    decided.map_err(problem)?;
    let (action, message) = match enabled {
        true => ("enable", "Plugin enabled"),
        false => ("disable", "Plugin disabled"),
    };
    audit(api, caller, action, id, json!({})).await?;
    api.app.distribution.wake();
    Ok(One(Decided { message: message.into() }))
}

pub(crate) async fn enable(
    State(api): State<Api>,
    Administrator(caller): Administrator,
    Path(id): Path<String>,
) -> Answer<One<Decided>> {
    set_enabled(&api, &caller, &id, true).await
}

/// Nothing is drawn or imported by it from then on; what runs ends.
pub(crate) async fn disable(
    State(api): State<Api>,
    Administrator(caller): Administrator,
    Path(id): Path<String>,
) -> Answer<One<Decided>> {
    set_enabled(&api, &caller, &id, false).await
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettingsRequest {
    /// As the plugin's schema says, in place of those before. `***` stands for the text that is
    /// there.
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
}

/// What is shown as stars and comes back as stars is what it was.
fn unmasked(new: Map<String, Value>, old: &Map<String, Value>) -> Map<String, Value> {
    let kept = |(name, value): (String, Value)| match old.get(&name) {
        Some(old) if value == json!("***") => (name, old.clone()),
        _ => (name, value),
    };
    new.into_iter().map(kept).collect()
}

/// Settings as they will be kept, where they are as the plugin's own schema says.
async fn fitting(
    api: &Api,
    id: &str,
    new: Map<String, Value>,
) -> Result<Map<String, Value>, Problem> {
    let schema = known(api, id).await?;
    let choices = api.app.plugins.choices().await.map_err(Problem::internal)?;
    let settings = unmasked(new, &choices.of(id).settings);
    let Some(schema) = schema else { return Ok(settings) };
    let whole = Value::Object(settings.clone());
    let faults = crate::plugins::faults(&schema, &whole).map_err(Problem::internal)?;
    if faults.is_empty() {
        return Ok(settings);
    }
    let fault = |fault: SettingFault| {
        let field = format!("settings{}", fault.place.replace('/', "."));
        FieldError::body(&field, "invalid_value", fault.message)
    };
    Err(Problem::invalid(faults.into_iter().map(fault).collect()))
}

pub(crate) async fn configure(
    State(api): State<Api>,
    Administrator(caller): Administrator,
    Path(id): Path<String>,
    Body(request): Body<SettingsRequest>,
) -> Answer<One<Decided>> {
    let settings = fitting(&api, &id, request.settings).await?;
    let decided = api.app.plugins.decide(&id, &caller.email, |choice| choice.settings = settings);
    let choice = decided.await.map_err(problem)?;
    // Names alone: values may be keys.
    let names: Vec<&String> = choice.settings.keys().collect();
    audit(&api, &caller, "configure", &id, json!({ "settings": names })).await?;
    api.app.distribution.wake();
    Ok(One(Decided { message: "Plugin configured".into() }))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PluginRequest {
    enabled: Option<bool>,
    #[schema(maximum = 1_000_000)]
    priority: Option<u32>,
    #[schema(value_type = Option<Object>)]
    settings: Option<Map<String, Value>>,
}

/// What is absent stays as it is.
pub(crate) async fn change(
    State(api): State<Api>,
    Administrator(caller): Administrator,
    Path(id): Path<String>,
    Body(request): Body<PluginRequest>,
) -> Answer<One<Plugin>> {
    found(&api, &id).await?;
    let PluginRequest { enabled, priority, settings } = request;
    let settings = match settings {
        Some(settings) => Some(fitting(&api, &id, settings).await?),
        None => None,
    };
    if priority.is_some_and(|priority| priority > MAX_PRIORITY) {
        let message = format!("is at most {MAX_PRIORITY}");
        let fault = FieldError::body("priority", "out_of_range", message);
        return Err(Problem::invalid(vec![fault]));
    }
    let decided = api.app.plugins.decide(&id, &caller.email, |choice| {
        choice.enabled = enabled.unwrap_or(choice.enabled);
        choice.priority = priority.unwrap_or(choice.priority);
        if let Some(settings) = settings {
            choice.settings = settings;
        }
    });
    let choice = decided.await.map_err(problem)?;
    api.app.distribution.wake();
    let details = json!({ "enabled": choice.enabled, "priority": choice.priority });
    audit(&api, &caller, "change", &id, details).await?;
    Ok(One(found(&api, &id).await?))
}

/// Is there such a plugin, on a machine or installed? What it says of its settings, where it does.
async fn known(api: &Api, id: &str) -> Result<Option<Value>, Problem> {
    let packages = api.app.store.plugin_packages().await.map_err(Problem::internal)?;
    let rollouts = api.app.store.plugin_rollouts().await.map_err(Problem::internal)?;
    let mut own: Vec<_> = packages
        .into_iter()
        .filter_map(|package| package.manifest.map(|manifest| (package.hash, manifest)))
        .filter(|(_, manifest)| manifest.id == id)
        .collect();
    // What runs says what can be set; before that the newest.
    let runs = rollouts.into_iter().find(|rollout| rollout.plugin == id);
    let place = own.iter().position(|(hash, _)| runs.as_ref().is_some_and(|r| r.hash == *hash));
    if own.is_empty() {
        found(api, id).await?;
        return Ok(None);
    }
    Ok(own.swap_remove(place.unwrap_or(0)).1.settings_schema)
}

/// JSON Schema of what `configure` takes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConfigSchema {
    #[schema(value_type = Object)]
    schema: Value,
}

impl Resource for ConfigSchema {
    const FLAT: Flat = Flat::fields();
}

/// As the plugin says it; one that says nothing takes anything by name.
pub(crate) async fn config_schema(
    State(api): State<Api>,
    Reader(_): Reader,
    Path(id): Path<String>,
) -> Answer<One<ConfigSchema>> {
    if let Some(schema) = known(&api, &id).await? {
        return Ok(One(ConfigSchema { schema }));
    }
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "maxProperties": crate::plugins::MAX_SETTINGS,
        "propertyNames": { "pattern": "^[A-Za-z0-9_.-]{1,64}$" },
        "additionalProperties": { "type": ["string", "number", "boolean", "array", "object"] },
    });
    Ok(One(ConfigSchema { schema }))
}

/// Plugins that are used from the start; all others of those that are there are not.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InitializeRequest {
    #[schema(max_items = 1000)]
    enabled_plugins: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Initialized {
    message: String,
    enabled: Vec<String>,
}

impl Resource for Initialized {
    const FLAT: Flat = Flat::fields();
}

pub(crate) async fn initialize(
    State(api): State<Api>,
    Administrator(caller): Administrator,
    Body(request): Body<InitializeRequest>,
) -> Answer<One<Initialized>> {
    let choices = api.app.plugins.choices().await.map_err(Problem::internal)?;
    let known: BTreeSet<String> =
        all(&api, &choices).into_iter().map(|plugin| plugin.plugin_id).collect();
    let fault = |message: String| {
        Problem::invalid(vec![FieldError::body("enabled_plugins", "invalid_value", message)])
    };
    if request.enabled_plugins.len() > MAX_ENABLED {
        return Err(fault(format!("names at most {MAX_ENABLED}")));
    }
    if let Some(strange) = request.enabled_plugins.iter().find(|id| !known.contains(*id)) {
        let names: Vec<&str> = known.iter().map(String::as_str).collect();
        let message = format!("names `{strange}`, which no connected machine has");
        return Err(fault(message).detail("known", names));
    }
    if choices.initialized {
        let message = "plugins were chosen before; enable and disable them one by one";
        return Err(Problem::new(ErrorCode::Conflict, message));
    }
    let known: Vec<String> = known.into_iter().collect();
    let enabled = request.enabled_plugins;
    let done = api.app.plugins.initialize(&known, &enabled, &caller.email).await;
    done.map_err(problem)?;
    audit(&api, &caller, "initialize", "all", json!({ "enabled": enabled })).await?;
    let message = format!("Initialized {} plugins", enabled.len());
    Ok(One(Initialized { message, enabled }))
}

/// What a plugin made of a call that needs nothing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Tried {
    /// Did it answer, whatever it said?
    answered: bool,
    message: String,
    duration_ms: u64,
}

impl Resource for Tried {
    const FLAT: Flat = Flat::fields();
}

/// Calls a renderer's `validate` on a single letter on a connected machine: does it run there?
pub(crate) async fn test(
    State(api): State<Api>,
    Administrator(_): Administrator,
    Path(id): Path<String>,
) -> Answer<One<Tried>> {
    let plugin = found(&api, &id).await?;
    let since = api.app.clock.stopwatch();
    let (answered, message) = match (plugin.state, plugin.kind, plugin.handles.first()) {
        ("ready", "renderer", Some(format)) => {
            match api.app.media.validate_by(&id, format, "x").await {
                Ok(count) => (true, format!("it answered with {count} diagnostics")),
                Err(error) => (false, error.to_string()),
            }
        }
        ("ready", ..) => (true, "it is compiled, described and ready".to_owned()),
        (state, ..) => (false, format!("it is {state}: {}", plugin.reason.unwrap_or_default())),
    };
    let duration_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(One(Tried { answered, message, duration_ms }))
}
