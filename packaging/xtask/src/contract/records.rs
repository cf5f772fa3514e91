//! What stands in the aggregator before it is tested: some of every kind, so that ids mean
//! something, and the account that it is tested with.

use super::Role;
use super::machine::Machine;
use super::server::{ADMIN_EMAIL, PASSWORD, Server};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::path::Path;

/// The account that the tester signs in with.
pub(crate) struct Account {
    pub(crate) email: String,
    pub(crate) id: String,
    /// The token of another of that role, for what may lock an account.
    pub(crate) spare: String,
    /// Reads this host until the account is dropped.
    _machine: Machine,
}

/// Makes the records as the superuser, and an account of `role` with a few of its own.
pub(crate) fn make(server: &Server, agent: &Path, role: Role) -> Result<Account> {
    let token = server.sign_in(ADMIN_EMAIL)?;
    let maker = Maker { server, token: &token };
    let organization = maker.make("organizations", &json!({ "name": "Harbour" }))?;
    let enrolment = maker.places(&organization)?;
    let machine = Machine::start(server, agent, &enrolment)?;
    machine.wait(server, &token)?;
    maker.outbound(&organization)?;
    let email = match role {
        Role::Superuser => ADMIN_EMAIL.to_owned(),
        lesser => maker.account(lesser, "", &organization)?,
    };
    let spare = server.sign_in(&maker.account(role, "spare-", &organization)?)?;
    let token = server.sign_in(&email)?;
    let own = Maker { server, token: &token };
    own.content()?;
    let me = server.get("/api/v1/auth/me", &token)?;
    let id = me["data"]["id"].as_str().or_else(|| me["data"]["user"]["id"].as_str());
    let id = id.context("the account has no id")?.to_owned();
    Ok(Account { email, id, spare, _machine: machine })
}

struct Maker<'a> {
    server: &'a Server,
    token: &'a str,
}

impl Maker<'_> {
    /// Posts to a collection of v1 and gives back the id of what was made.
    fn make(&self, collection: &str, body: &Value) -> Result<String> {
        let answer = self.tell(collection, body)?;
        let id = answer["data"]["id"].as_str();
        Ok(id.with_context(|| format!("{collection} names no id: {answer}"))?.to_owned())
    }

    fn tell(&self, collection: &str, body: &Value) -> Result<Value> {
        self.server.post(&format!("/api/v1/{collection}"), Some(self.token), body)
    }

    /// Gives back a token to enrol a machine with.
    fn places(&self, organization: &str) -> Result<String> {
        let site = json!({ "name": "North quay", "organization": organization });
        let mut parent = self.make("sites", &site)?;
        for (kind, name) in [("building", "House"), ("room", "Cellar"), ("rack", "R1")] {
            let place = json!({ "name": name, "kind": kind, "parent": parent });
            parent = self.make("locations", &place)?;
        }
        let group = json!({
            "name": "Nodes",
            "organization": organization,
            "selector": "role=node",
        });
        self.make("groups", &group)?;
        let token = json!({ "name": "first", "organization": organization });
        self.make("enrolment-tokens", &token)?;
        self.tell("invitations", &json!({ "email": "guest@flyball.localhost" }))?;
        let answer = self.tell("enrolment-tokens", &token)?;
        let token = answer["data"]["token"].as_str();
        Ok(token.with_context(|| format!("no enrolment token came: {answer}"))?.to_owned())
    }

    fn outbound(&self, organization: &str) -> Result<()> {
        let webhook = json!({
            "name": "Receiver",
            "url": "https://receiver.flyball.localhost/hook",
            "topics": ["events"],
            "organization_id": organization,
        });
        self.tell("webhooks", &webhook)?;
        let schedule = json!({
            "name": "Nightly",
            "kind": "backup",
            "at": "03:00",
            "passphrase": PASSWORD,
        });
        self.tell("schedules", &schedule)?;
        self.tell("reports", &json!({ "kind": "energy", "last_seconds": 3600 }))?;
        self.tell("backups", &json!({ "passphrase": PASSWORD }))?;
        self.tell("notifications", &json!({ "severity": "critical" }))?;
        Ok(())
    }

    /// What every account may have.
    fn content(&self) -> Result<()> {
        self.tell("auth/api-keys", &json!({ "name": "script", "scopes": ["use"] }))?;
        self.tell("clients/heartbeat", &json!({ "client_id": "tablet" }))?;
        self.tell("logs", &json!({ "client_id": "tablet", "message": "started" }))?;
        Ok(())
    }

    fn account(&self, role: Role, which: &str, organization: &str) -> Result<String> {
        let email = format!("{which}{}@flyball.localhost", role.name());
        let own = if role == Role::Superuser { role } else { Role::User };
        let account = json!({ "email": email, "password": PASSWORD, "role": own.name() });
        self.tell("users", &account)?;
        if own != role {
            let scope = json!({ "kind": "organization", "id": organization });
            let binding = json!({ "email": email, "role": role.name(), "scope": scope });
            self.tell("role-bindings", &binding)?;
        }
        Ok(email)
    }
}
