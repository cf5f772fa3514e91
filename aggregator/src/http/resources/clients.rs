//! Connected sources of logs and metrics: the agents, and applications that speak for themselves.

use super::commands::missing;
use crate::access::{Caller, Right};
use crate::applications::report::{Fault, MAX_MAGNITUDE, is_name};
use crate::clients::{Client as Application, Contact, Heartbeat, Presence};
use crate::fleet::Device;
use crate::http::Api;
use crate::http::auth::Member;
use crate::http::error::{FieldError, Problem};
use crate::http::extract::{Body, Query, Source};
use crate::http::listing::{Asked, Listable, sift};
use crate::http::paging::PageQuery;
use crate::http::reply::{Answer, Flat, Listed, Many, One, Resource};
use crate::http::resources::devices::sight;
use crate::http::time::{rfc3339, rfc3339_option};
use crate::listing::{Field, Form, Kind, List};
use crate::page::PageRequest;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// By far more agents than one server has.
const MAX_AGENTS: u32 = 10_000;
const MAX_BODY_BYTES: usize = 8 * 1024;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Client {
    client_id: String,
    client_name: String,
    /// `agent` or `application`.
    kind: &'static str,
    /// `online`, `idle` or `offline`.
    status: &'static str,
    last_heartbeat: Option<String>,
    created_at: String,
    logs_sent: u64,
    /// Reports of an application; of an agent, the series that it reports now.
    metrics_sent: u64,
    /// As its last heartbeat said.
    memory_mb: Option<f64>,
    cpu_percent: Option<f64>,
}

impl Resource for Client {
    const FLAT: Flat = Flat::named("client", "clients");
}

impl Listable for Client {
    const LIST: List = List {
        fields: &[
            Field::new("client_id", Kind::Text).searched(),
            Field::new("client_name", Kind::Text).searched(),
            Field::new("kind", Kind::OneOf(&["agent", "application"])),
            Field::new("status", Kind::OneOf(&["online", "idle", "offline"])),
            Field::new("last_heartbeat", Kind::Time),
            Field::new("created_at", Kind::Time),
            Field::new("logs_sent", Kind::Number),
            Field::new("metrics_sent", Kind::Number),
            Field::new("memory_mb", Kind::Number),
            Field::new("cpu_percent", Kind::Number),
        ],
        form: Form::Pages,
        includes: &[],
        labelled: false,
    };
}

impl Client {
    pub(crate) fn of_application(client: Application, presence: Presence) -> Self {
        Self {
            client_name: client.client_name.unwrap_or_else(|| client.client_id.clone()),
            client_id: client.client_id,
            kind: "application",
            status: presence.name(),
            last_heartbeat: Some(rfc3339(client.seen_at_ms)),
            created_at: rfc3339(client.created_at_ms),
            logs_sent: client.logs_sent,
            metrics_sent: client.metrics_sent,
            memory_mb: client.memory_mb,
            cpu_percent: client.cpu_percent,
        }
    }

    fn of_agent(device: Device, api: &Api, now_ms: u64) -> Self {
        Self {
            status: presence(&device, now_ms).name(),
            metrics_sent: api.app.latest.of(device.id).len() as u64,
            client_id: device.id.to_string(),
            client_name: device.name,
            kind: "agent",
            last_heartbeat: rfc3339_option(device.last_seen_at_ms),
            created_at: rfc3339(device.created_at_ms),
            logs_sent: 0,
            memory_mb: None,
            cpu_percent: None,
        }
    }
}

/// How an agent's presence is called here.
fn presence(device: &Device, now_ms: u64) -> Presence {
    let silent_ms = device.last_seen_at_ms.map(|seen| now_ms.saturating_sub(seen));
    match silent_ms {
        _ if device.online => Presence::Online,
        Some(silent_ms) => Presence::after(silent_ms),
        None => Presence::Offline,
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeartbeatRequest {
    /// As `X-Client-ID` says where absent.
    #[schema(min_length = 1, max_length = 128)]
    client_id: Option<String>,
    /// As `X-Client-Name` says where absent.
    #[schema(min_length = 1, max_length = 128)]
    client_name: Option<String>,
    /// The client's own word: `online`, `active`, `idle`, `offline` or another.
    #[schema(min_length = 1, max_length = 128)]
    status: Option<String>,
    #[schema(minimum = 0)]
    memory_mb: Option<f64>,
    #[schema(minimum = 0)]
    cpu_percent: Option<f64>,
}

impl HeartbeatRequest {
    fn checked(self, source: Source, caller: &Caller, at_ms: u64) -> Result<Heartbeat, Problem> {
        let client_id = self.client_id.or(source.id).ok_or_else(|| {
            missing("client_id", "is required: name who is there, here or in X-Client-ID")
        })?;
        let client_name = self.client_name.or(source.name);
        let mut faults = Vec::new();
        let texts = [
            ("client_id", Some(&client_id)),
            ("client_name", client_name.as_ref()),
            ("status", self.status.as_ref()),
        ];
        let wrong = texts.iter().filter(|(_, text)| text.is_some_and(|text| !is_name(text)));
        faults.extend(wrong.map(|(field, _)| Fault::Text { field }));
        let numbers = [("memory_mb", self.memory_mb), ("cpu_percent", self.cpu_percent)];
        let within = |number: f64| (0.0..=MAX_MAGNITUDE).contains(&number);
        let wrong = numbers.iter().filter(|(_, number)| number.is_some_and(|it| !within(it)));
        faults.extend(wrong.map(|(field, _)| Fault::Number { field }));
        if !faults.is_empty() {
            let field =
                |fault: &Fault| FieldError::body(fault.field(), "out_of_range", fault.to_string());
            return Err(Problem::invalid(faults.iter().map(field).collect()));
        }
        Ok(Heartbeat {
            contact: Contact { sender: caller.user, client_id, client_name, at_ms },
            status: self.status.map(|status| status.to_ascii_lowercase()),
            memory_mb: self.memory_mb,
            cpu_percent: self.cpu_percent,
        })
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HeartbeatHeard {
    server_time: String,
}

impl Resource for HeartbeatHeard {
    const FLAT: Flat = Flat::fields();
}

pub(crate) async fn heartbeat(
    State(api): State<Api>,
    Member(caller): Member,
    source: Source,
    Body(sent): Body<HeartbeatRequest, MAX_BODY_BYTES>,
) -> Answer<One<HeartbeatHeard>> {
    let now_ms = api.app.clock.now_ms();
    let heartbeat = sent.checked(source, &caller, now_ms)?;
    api.app.store.keep_heartbeat(&heartbeat).await.map_err(Problem::internal)?;
    if heartbeat.is_active() {
        api.app.activity.note(now_ms);
    }
    Ok(One(HeartbeatHeard { server_time: rfc3339(now_ms) }))
}

/// All of them.
pub(crate) async fn whole(State(api): State<Api>, Member(caller): Member) -> Answer<Many<Client>> {
    Ok(Many::whole(gather(&api, &caller).await?))
}

pub(crate) async fn list(
    State(api): State<Api>,
    Member(caller): Member,
    Query(page): Query<PageQuery>,
    Asked(listing, ..): Asked<Client>,
) -> Answer<Listed<Client>> {
    let PageRequest { page, per_page } = page.request()?;
    let clients = sift(gather(&api, &caller).await?, &listing)?;
    let total = clients.len() as u64;
    let skipped = (page as usize - 1).saturating_mul(per_page as usize);
    let clients = clients.into_iter().skip(skipped).take(per_page as usize).collect();
    Ok(Many::page(clients, page, per_page, total).asked(listing))
}

/// Agents that the caller sees, and applications: all, or one's own.
async fn gather(api: &Api, caller: &Caller) -> Result<Vec<Client>, Problem> {
    let now_ms = api.app.clock.now_ms();
    let own = caller.only_own();
    let mut clients = Vec::new();
    if caller.grants.may(Right::Read) {
        let sight = sight(api, caller).await?;
        let page = PageRequest::first(MAX_AGENTS);
        let devices = api.app.fleet.list(page).await.map_err(Problem::internal)?;
        let agents = devices.items.into_iter().filter(|device| sight.sees(device.id));
        clients.extend(agents.map(|device| Client::of_agent(device, api, now_ms)));
    }
    let applications = api.app.store.clients(own).await.map_err(Problem::internal)?;
    clients.extend(applications.into_iter().map(|client| {
        let presence = client.presence(now_ms);
        Client::of_application(client, presence)
    }));
    Ok(clients)
}
