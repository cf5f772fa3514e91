//! The house as one value: every domain with what it needs. Made once at start and handed to
//! `ingest` and `http`; cloning it is cheap.

pub mod replicas;
pub mod shutdown;

use crate::accounts::sealing::Sealing;
use crate::accounts::{Accounts, AccountsError};
use crate::authority::{Authority, AuthorityError};
use crate::clock::Clock;
use crate::config::Config;
use crate::content::Content;
use crate::enrolment::Enrolment;
use crate::fleet::{Fleet, Sessions};
use crate::history::{History, HistoryError};
use crate::imports::Imports;
use crate::live::Hub;
use crate::media::Media;
use crate::metrics::Metrics;
use crate::operations::{OpenError, Operations};
use crate::page::cursor::{CursorError, Cursors};
use crate::store::{Store, StoreError};
use crate::telemetry::{Latest, Telemetry};
use crate::tenancy::Tenancy;
use shutdown::Shutdown;
use std::ops::Deref;
use std::sync::Arc;

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
    pub tenancy: Tenancy,
    pub cursors: Cursors,
    pub media: Media,
    pub content: Content,
    pub imports: Imports,
    pub metrics: Metrics,
    pub started_at_ms: u64,
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
        let sealing = Sealing::new(*authority.sealing_key());
        let accounts =
            Accounts::open(store.clone(), clock.clone(), config.auth.clone(), sealing).await?;
        let tenancy = Tenancy::new(store.clone(), clock.clone());
        let cursors = Cursors::open(&store, clock.now_ms()).await?;
        let media = Media::new(sessions.clone());
        let content = Content::new(store.clone(), clock.clone());
        let imports = Imports::new(
            store.clone(),
            content.clone(),
            sessions.clone(),
            clock.clone(),
            config.imports_folder(),
        );
        let metrics = Metrics::new();
        history.metrics().register(&metrics);
        Ok(Self(Arc::new(Parts {
            started_at_ms: clock.now_ms(),
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
            tenancy,
            cursors,
            media,
            content,
            imports,
            metrics,
        })))
    }
}
