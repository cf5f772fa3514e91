//! The house as one value: every domain with what it needs. Made once at start and handed to
//! `ingest` and `http`; cloning it is cheap.

pub mod idle;
pub mod instances;
pub mod platform;
pub mod replicas;
pub mod shutdown;

use crate::accounts::{Accounts, AccountsError};
use crate::authority::{Authority, AuthorityError};
use crate::backups::Backups;
use crate::clock::Clock;
use crate::config::Config;
use crate::content::{Content, Delivery};
use crate::enrolment::Enrolment;
use crate::fleet::{Fleet, Sessions};
use crate::history::{History, HistoryError};
use crate::imports::Imports;
use crate::jobs::Jobs;
use crate::live::Hub;
use crate::mail::{Outbox, SmtpError};
use crate::media::Media;
use crate::metrics::Metrics;
use crate::notifications::Notifications;
use crate::operations::{OpenError, Operations};
use crate::page::cursor::{CursorError, Cursors};
use crate::plugins::{Distribution, Plugins};
use crate::reports::Reports;
use crate::resilience::Circuits;
use crate::sealing::{Sealing, SealingError};
use crate::store::{Store, StoreError};
use crate::telemetry::{Latest, Telemetry};
use crate::tenancy::Tenancy;
use crate::webhooks::{Guard, Webhooks};
use shutdown::Shutdown;
use std::ops::Deref;
use std::sync::Arc;
use uuid::Uuid;

#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error("opening the database")]
    Store(#[from] StoreError),
    #[error("opening the authority")]
    Authority(#[from] AuthorityError),
    #[error("opening the accounts")]
    Accounts(#[from] AccountsError),
    #[error("opening the history")]
    History(#[from] HistoryError),
    #[error("opening the cursors")]
    Cursors(#[from] CursorError),
    #[error("opening the operations")]
    Operations(#[from] OpenError),
    #[error("opening the keyring")]
    Sealing(#[from] SealingError),
    #[error("opening the way to the mail server")]
    Smtp(#[from] SmtpError),
    #[cfg(feature = "oidc")]
    #[error("opening the way to a provider of OpenID Connect")]
    Oidc(#[from] crate::oidc::OpenError),
}

#[derive(Clone, Debug)]
pub struct App(Arc<Parts>);

#[derive(Debug)]
pub struct Parts {
    pub config: Config,
    pub clock: Clock,
    pub shutdown: Shutdown,
    pub store: Store,
    pub authority: Arc<Authority>,
    pub sessions: Sessions,
    pub fleet: Fleet,
    pub latest: Latest,
    pub telemetry: Telemetry,
    pub history: History,
    pub live: Hub,
    pub operations: Operations,
    pub enrolment: Enrolment,
    pub accounts: Accounts,
    #[cfg(feature = "oidc")]
    pub oidc: crate::oidc::Oidc,
    pub tenancy: Tenancy,
    pub cursors: Cursors,
    pub media: Media,
    pub plugins: Plugins,
    /// Brings installed plugins to the machines.
    pub distribution: Distribution,
    pub content: Content,
    /// Brings curricula to machines that keep them for readers nearby.
    pub delivery: Delivery,
    pub imports: Imports,
    pub sealing: Sealing,
    pub circuits: Circuits,
    pub mail: Outbox,
    pub notifications: Notifications,
    pub webhooks: Webhooks,
    pub jobs: Jobs,
    pub reports: Reports,
    pub backups: Backups,
    pub metrics: Metrics,
    /// When an application last said that somebody uses it.
    pub activity: idle::Activity,
    pub started_at_ms: u64,
    /// This process among those on the same database.
    pub instance: Uuid,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// Opens database and authority in the state folder, making what is not there.
    ///
    /// # Errors
    /// Where either can't be opened.
    pub async fn open(config: Config, clock: Clock) -> Result<Self, AppError> {
        let authority = Arc::new(Authority::open(&config.state, clock.now_ms())?);
        let store = Store::connect(&config.database()).await?;
        let (sessions, live, latest) = (Sessions::default(), Hub::default(), Latest::default());
        let fleet = Fleet::new(store.clone(), sessions.clone(), clock.clone());
        let history = History::open(store.clone(), clock.clone(), &config.history, &config.state)?;
        let telemetry =
            Telemetry::new(store.clone(), history.clone(), clock.clone(), latest.clone());
        let operations = Operations::open(
            store.clone(),
            sessions.clone(),
            live.clone(),
            clock.clone(),
            Arc::clone(authority.command_key()),
            &config.safety,
            latest.clone(),
        )
        .await?;
        let enrolment = Enrolment::new(store.clone(), Arc::clone(&authority), clock.clone());
        let metrics = Metrics::new();
        let sealing = Sealing::open(&config.state)?;
        let circuits = Circuits::new(&metrics);
        let mail = Outbox::open(
            store.clone(),
            clock.clone(),
            sealing.clone(),
            circuits.clone(),
            &config.smtp,
        )?;
        let auth = config.auth.clone();
        let accounts =
            Accounts::open(store.clone(), clock.clone(), auth, sealing.clone(), mail.clone())
                .await?;
        #[cfg(feature = "oidc")]
        let oidc = crate::oidc::Oidc::open(&config, store.clone(), clock.clone(), &circuits)?;
        let tenancy = Tenancy::new(store.clone(), clock.clone());
        let cursors = Cursors::open(&store, clock.now_ms()).await?;
        let plugins = Plugins::new(store.clone(), sealing.clone(), clock.clone(), live.clone());
        let media = Media::new(sessions.clone(), plugins.clone(), &config.media);
        let distribution = Distribution::new(
            store.clone(),
            sessions.clone(),
            plugins.clone(),
            tenancy.clone(),
            clock.clone(),
        );
        let delivery =
            Delivery::new(store.clone(), sessions.clone(), tenancy.clone(), clock.clone());
        let guard = Guard::new(&config.content.allow);
        let content = Content::new(store.clone(), clock.clone(), live.clone(), guard);
        let imports = Imports::new(
            store.clone(),
            content.clone(),
            sessions.clone(),
            plugins.clone(),
            clock.clone(),
            config.imports_folder(),
        );
        history.register(&metrics, &circuits);
        telemetry.register(&metrics);
        let usage = plugins.usage().clone();
        metrics.register(|registry| registry.register_collector(Box::new(usage)));
        metrics.caches.watch(media.meter());
        metrics.caches.watch(tenancy.meter());
        metrics.caches.watch(fleet.meter());
        store.timing().register(&metrics);
        let notifications = Notifications::new(store.clone(), clock.clone());
        let webhooks = Webhooks::new(
            store.clone(),
            clock.clone(),
            sealing.clone(),
            circuits.clone(),
            mail.clone(),
            &config.webhooks.allow,
        );
        let jobs = Jobs::new(store.clone(), clock.clone(), sealing.clone());
        let reports = Reports::new(store.clone(), clock.clone());
        let backups = Backups::new(store.clone(), clock.clone(), &config.state);
        Ok(Self(Arc::new(Parts {
            started_at_ms: clock.now_ms(),
            instance: clock.new_id(),
            activity: idle::Activity::default(),
            config,
            clock,
            shutdown: Shutdown::default(),
            store,
            authority,
            sessions,
            fleet,
            latest,
            telemetry,
            history,
            live,
            operations,
            enrolment,
            accounts,
            #[cfg(feature = "oidc")]
            oidc,
            tenancy,
            cursors,
            media,
            plugins,
            distribution,
            content,
            delivery,
            imports,
            sealing,
            circuits,
            mail,
            notifications,
            webhooks,
            jobs,
            reports,
            backups,
            metrics,
        })))
    }
}
