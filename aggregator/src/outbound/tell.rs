//! From what happened to who is told of it. Cursors over tables that only grow lie in the store:
//! each event is told once, by whichever replica comes first, also across a restart.

use super::every;
use crate::access::{Grants, OrganizationId, Right, Scope, UserId};
use crate::app::App;
use crate::app::shutdown::Stop;
use crate::clock::rfc3339;
use crate::fleet::DeviceId;
use crate::live::{Devices, Interest};
use crate::mail::Mail;
use crate::notifications::{Notification, Telling};
use crate::store::{Source, StoreError, Told};
use crate::telemetry::Event;
use crate::telemetry::event::severity_name;
use crate::webhooks::{Delivery, Webhook, WebhookTopic};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Rows of one step.
const AT_ONCE: u32 = 100;
const EVERY: std::time::Duration = std::time::Duration::from_secs(1);

/// Tells what is new; one task owns it.
#[derive(Debug)]
pub struct Teller {
    app: App,
    /// What was newest at the look before. What is committed is told a look later: on an engine
    /// with several writers a smaller number may appear a moment after a greater one.
    settled: Mutex<HashMap<&'static str, i64>>,
}

/// Which organization devices belong to, looked up once a step.
struct Owners<'a> {
    app: &'a App,
    known: HashMap<DeviceId, Option<OrganizationId>>,
    grants: HashMap<UserId, Option<Grants>>,
}

impl<'a> Owners<'a> {
    fn new(app: &'a App) -> Self {
        Self { app, known: HashMap::new(), grants: HashMap::new() }
    }

    /// May who subscribed see `device` still?
    async fn sees(&mut self, by: Option<UserId>, device: DeviceId) -> Result<bool, StoreError> {
        let Some(user) = by else { return Ok(false) };
        if !self.grants.contains_key(&user) {
            self.grants.insert(user, self.app.store.grants_of(user).await?);
        }
        match self.grants.get(&user) {
            Some(Some(grants)) => {
                self.app.tenancy.may(grants, Right::Read, Scope::Device(device)).await
            }
            _ => Ok(false),
        }
    }

    /// May one of `organization`, or of none and thus of all, hear of `device`?
    async fn may_hear(
        &mut self,
        organization: Option<OrganizationId>,
        device: Option<DeviceId>,
    ) -> Result<bool, StoreError> {
        let (Some(organization), Some(device)) = (organization, device) else {
            return Ok(organization.is_none());
        };
        let owner = match self.known.get(&device) {
            Some(owner) => *owner,
            None => {
                let map = self.app.tenancy.map().await?;
                let owner = map.organization_of(Scope::Device(device));
                self.known.insert(device, owner);
                owner
            }
        };
        Ok(owner == Some(organization))
    }
}

impl Teller {
    #[must_use]
    pub fn new(app: App) -> Self {
        Self { app, settled: Mutex::default() }
    }

    /// One look at everything.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn turn(&self) -> Result<(), StoreError> {
        self.events().await?;
        self.operations().await?;
        self.summaries().await
    }

    /// The range that is to be told now.
    async fn range(&self, source: Source) -> Result<Option<(i64, i64)>, StoreError> {
        let newest = self.app.store.newest_of(source).await?;
        let place = self.app.store.told_up_to(source, newest).await?;
        let name = if source == Source::Events { "events" } else { "audit" };
        let mut settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        let through = settled.insert(name, newest).unwrap_or(place).min(newest);
        Ok((through > place).then_some((place, through)))
    }

    async fn events(&self) -> Result<(), StoreError> {
        let app = &self.app;
        let Some((mut place, through)) = self.range(Source::Events).await? else { return Ok(()) };
        let webhooks = listening(app, WebhookTopic::Events).await?;
        let mut notifications = app.notifications.list().await?;
        let mut owners = Owners::new(app);
        let heard = !webhooks.is_empty() || !notifications.is_empty();
        while place < through {
            let events = if heard {
                app.store.events_between(place, through, AT_ONCE).await?
            } else {
                Vec::new()
            };
            let to = if events.len() < AT_ONCE as usize {
                through
            } else {
                events.last().map_or(through, |event| event.id.0)
            };
            let mut told = Told::default();
            for event in &events {
                let message = format!("evt_{}", event.id.0);
                let topic = format!("events.{}", event.kind);
                let data = event_data(event);
                let about = (Some(event.device), event.at_ms);
                told.deliveries.extend(
                    posted(app, &webhooks, &mut owners, &message, &topic, about, &data).await?,
                );
                for notification in &mut notifications {
                    if !notification.wants(event)
                        || !owners.may_hear(notification.organization, Some(event.device)).await?
                        || !owners.sees(notification.record.created_by, event.device).await?
                    {
                        continue;
                    }
                    if notification.window.handle_event(app.clock.now_ms()) == Telling::Now {
                        told.mail.push(app.mail.drawn_up(letter(app, notification, event).await?)?);
                    }
                    told.windows.retain(|(id, _)| *id != notification.id);
                    told.windows.push((notification.id, notification.window));
                }
            }
            if !app.store.tell(Source::Events, place, to, &told).await? {
                return Ok(());
            }
            place = to;
        }
        Ok(())
    }

    async fn operations(&self) -> Result<(), StoreError> {
        let app = &self.app;
        let Some((mut place, through)) = self.range(Source::Audit).await? else { return Ok(()) };
        let webhooks = listening(app, WebhookTopic::Operations).await?;
        let mut owners = Owners::new(app);
        while place < through {
            let steps = if webhooks.is_empty() {
                Vec::new()
            } else {
                app.store.operation_steps(place, through, AT_ONCE).await?
            };
            let to = if steps.len() < AT_ONCE as usize {
                through
            } else {
                steps.last().map_or(through, |step| step.row)
            };
            let mut told = Told::default();
            for step in &steps {
                let state = step.details["state"].as_str().unwrap_or("changed");
                let data = json!({
                    "operation_id": step.details["operation"],
                    "device_id": step.device,
                    "kind": step.details["kind"],
                    "state": state,
                });
                let (message, topic) = (format!("opr_{}", step.row), format!("operations.{state}"));
                let about = (step.device, step.at_ms);
                told.deliveries.extend(
                    posted(app, &webhooks, &mut owners, &message, &topic, about, &data).await?,
                );
            }
            if !app.store.tell(Source::Audit, place, to, &told).await? {
                return Ok(());
            }
            place = to;
        }
        Ok(())
    }

    async fn summaries(&self) -> Result<(), StoreError> {
        let app = &self.app;
        for notification in app.notifications.list().await? {
            let before = notification.window;
            let mut after = before;
            let Some((held, since_ms)) = after.poll_summary(app.clock.now_ms()) else { continue };
            let since = rfc3339(since_ms);
            let mail = Mail {
                to: notification.email,
                subject: format!("{held} more events"),
                text: format!(
                    "Since {since} there were {held} more events than the {} an hour that you are \
                     told of one by one.\n",
                    before.per_hour
                ),
            };
            let mail = app.mail.drawn_up(mail)?;
            app.store.tell_summary(notification.id, before, after, mail).await?;
        }
        Ok(())
    }
}

pub(super) async fn run(app: App, stop: Stop) {
    let teller = Arc::new(Teller::new(app));
    every(stop, EVERY, teller, |teller| async move { teller.turn().await }).await;
}

/// Machines that come and go, as this replica sees them: the one that holds a machine's connection
/// tells of it. What happens while no replica runs is not told.
pub(super) async fn watch_devices(app: App, mut stop: Stop) {
    let subscription = app.live.subscribe();
    subscription.set_interest(Interest { device_states: Devices::all(), ..Interest::default() });
    loop {
        let newest = tokio::select! {
            () = stop.wait() => return,
            newest = subscription.newest() => newest,
        };
        let changed: Vec<Changed> = newest
            .devices
            .into_iter()
            .filter(|(_, now)| now.presence)
            .map(|(device, now)| Changed { device, online: now.online, at_ms: now.at_ms })
            .collect();
        if let Err(error) = devices_changed(&app, &changed).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, devices = changed.len(), "webhooks were not told of devices");
        }
        // What changes meanwhile is told in one.
        tokio::select! {
            () = stop.wait() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// A machine that came or went.
struct Changed {
    device: DeviceId,
    online: bool,
    at_ms: u64,
}

async fn devices_changed(app: &App, changed: &[Changed]) -> Result<(), StoreError> {
    if changed.is_empty() {
        return Ok(());
    }
    let webhooks = listening(app, WebhookTopic::Devices).await?;
    if webhooks.is_empty() {
        return Ok(());
    }
    let mut owners = Owners::new(app);
    for some in changed.chunks(AT_ONCE as usize) {
        let mut deliveries = Vec::new();
        for &Changed { device, online, at_ms } in some {
            let word = if online { "online" } else { "offline" };
            let data = json!({ "device_id": device, "online": online });
            let (message, topic) =
                (format!("dev_{device}_{at_ms}_{word}"), format!("devices.{word}"));
            let about = (Some(device), at_ms);
            deliveries
                .extend(posted(app, &webhooks, &mut owners, &message, &topic, about, &data).await?);
        }
        if !deliveries.is_empty() {
            app.store.add_deliveries(&deliveries).await?;
        }
    }
    Ok(())
}

async fn listening(app: &App, topic: WebhookTopic) -> Result<Vec<Webhook>, StoreError> {
    let mut webhooks = app.webhooks.list().await?;
    webhooks.retain(|webhook| webhook.enabled && webhook.topics.contains(&topic));
    Ok(webhooks)
}

/// The message for each of the webhooks that want it.
async fn posted(
    app: &App,
    webhooks: &[Webhook],
    owners: &mut Owners<'_>,
    message: &str,
    topic: &str,
    (device, at_ms): (Option<DeviceId>, u64),
    data: &Value,
) -> Result<Vec<Delivery>, StoreError> {
    let mut deliveries = Vec::new();
    for webhook in webhooks {
        if webhook.device.is_none_or(|wanted| Some(wanted) == device)
            && owners.may_hear(webhook.organization, device).await?
        {
            deliveries.push(app.webhooks.message(webhook, message, topic, at_ms, data));
        }
    }
    Ok(deliveries)
}

fn event_data(event: &Event) -> Value {
    json!({
        "id": event.id.0.to_string(),
        "device_id": event.device,
        "at": rfc3339(event.at_ms),
        "kind": event.kind,
        "severity": severity_name(event.severity),
        "subject": event.subject,
        "message": event.message,
        "reading": event.reading,
        "threshold": event.threshold,
        "unit": event.unit.map(flyball_units::Unit::ucum),
    })
}

async fn letter(app: &App, notification: &Notification, event: &Event) -> Result<Mail, StoreError> {
    let device = app.fleet.subject(event.device).await?;
    let device = device.map_or_else(|| event.device.to_string(), |device| device.name().to_owned());
    let severity = severity_name(event.severity);
    let mut text = format!(
        "{}\n\nDevice:   {device} ({})\nEvent:    {}\nSeverity: {severity}\nSubject:  {}\nTime:     {}\n",
        event.message,
        event.device,
        event.kind,
        event.subject,
        rfc3339(event.at_ms),
    );
    if let Some(reading) = event.reading {
        let unit = event.unit.map_or("", flyball_units::Unit::ucum);
        text.push_str(&format!("Reading:  {reading} {unit}\n"));
    }
    Ok(Mail {
        to: notification.email.clone(),
        subject: format!("[{severity}] {device}: {}", event.kind),
        text,
    })
}
