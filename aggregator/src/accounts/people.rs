//! Other people's accounts: who administers the server makes, changes, disables and deletes them;
//! who manages an organization sees those that belong to it. There is always a superuser left.

use super::fields::{self, ProfileChange};
use super::registration::{Added, name_of};
use super::{Accounts, AccountsError, NewUser, Origin, User};
use crate::access::{Caller, Grant, Right, Role, UserId};
use crate::listing::Listing;
use crate::page::{Page, PageRequest};
use crate::record::Record;
use serde_json::{Value, json};

/// An account as those see it who look after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub user: User,
    pub disabled: bool,
    pub record: Record,
    pub bound: Vec<Grant>,
}

/// Which accounts, and in which order: by address where no other is asked for.
#[derive(Clone, Debug)]
pub struct PeopleQuery {
    pub listing: Listing,
    pub deleted: bool,
    pub page: PageRequest,
}

/// An account to be made for somebody.
#[derive(Clone, Debug)]
pub struct NewPerson {
    pub email: String,
    pub password: String,
    pub role: Role,
    pub profile: ProfileChange,
}

/// What an account is changed to; `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonChange {
    pub email: Option<String>,
    pub role: Option<Role>,
    pub disabled: Option<bool>,
    pub deleted: Option<bool>,
    pub profile: ProfileChange,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    Done,
    Missing,
    Stale,
    LastSuperuser,
    EmailExists,
}

impl PersonChange {
    fn details(&self) -> Value {
        json!({
            "email": self.email, "role": self.role.map(Role::name), "disabled": self.disabled,
            "deleted": self.deleted, "display_name": self.profile.display_name,
            "avatar_url": self.profile.avatar_url, "locale": self.profile.locale,
            "timezone": self.profile.timezone,
        })
    }
}

impl Accounts {
    /// # Errors
    /// Where the store fails.
    pub async fn people(
        &self,
        by: &Caller,
        query: &PeopleQuery,
    ) -> Result<Page<Person>, AccountsError> {
        Ok(self.store.people(query, seen_by(by)).await?)
    }

    /// # Errors
    /// Where there is nobody whom the caller may see.
    pub async fn person(&self, by: &Caller, id: UserId) -> Result<Person, AccountsError> {
        self.store.person(id, seen_by(by)).await?.ok_or(AccountsError::Missing)
    }

    /// Makes an account for somebody.
    ///
    /// # Errors
    /// Where the address is taken or a field is faulty.
    pub async fn add_person(
        &self,
        by: &Caller,
        new: NewPerson,
        origin: &Origin,
    ) -> Result<Person, AccountsError> {
        let email = fields::email(&new.email)?;
        let weaknesses = self.passwords.weaknesses(&new.password);
        if !weaknesses.is_empty() {
            return Err(AccountsError::WeakPassword(weaknesses));
        }
        let profile = new.profile.checked()?;
        let password_hash = self.passwords.hash(&new.password).await?;
        let id = UserId(self.clock.new_id());
        let user = User {
            id,
            display_name: profile.display_name.unwrap_or_else(|| name_of(&email)),
            email,
            email_verified: false,
            avatar_url: profile.avatar_url.flatten(),
            locale: profile.locale.unwrap_or_else(|| fields::DEFAULT_LOCALE.into()),
            timezone: profile.timezone.unwrap_or_else(|| fields::DEFAULT_TIMEZONE.into()),
            role: new.role,
            active: true,
            mfa_enabled: false,
            created_at_ms: self.clock.now_ms(),
            last_login_at_ms: None,
        };
        let details = json!({ "role": user.role.name() });
        let target = format!("user:{}", user.email);
        let entry = self.done(&by.email, "user.create", target, details, origin);
        let new = NewUser { user, password_hash, created_by: Some(by.user) };
        match self.store.register(&new, None, &entry).await? {
            Added::Added => self.person(by, id).await,
            Added::EmailExists | Added::InvitationUsed => Err(AccountsError::EmailExists),
        }
    }

    /// Changes somebody's account. One that is disabled or deleted is signed out everywhere; a
    /// change of role acts within seconds.
    ///
    /// # Errors
    /// Where there is nobody, the account was changed meanwhile, or no superuser would be left.
    pub async fn change_person(
        &self,
        by: &Caller,
        id: UserId,
        expected: Option<u64>,
        change: PersonChange,
        origin: &Origin,
    ) -> Result<Person, AccountsError> {
        let email = change.email.as_deref().map(fields::email).transpose()?;
        let profile = change.profile.checked()?;
        let change = PersonChange { email, profile, ..change };
        let action = match change.deleted {
            Some(true) => "user.delete",
            Some(false) => "user.restore",
            None => "user.update",
        };
        let entry = self.done(&by.email, action, format!("user:{id}"), change.details(), origin);
        match self.store.change_person(id, expected, &change, by.user, &entry).await? {
            Changed::Done => {
                self.standings.forget_all();
                self.keys.forget_all();
                self.person(by, id).await
            }
            Changed::Missing => Err(AccountsError::Missing),
            Changed::Stale => Err(AccountsError::Stale),
            Changed::LastSuperuser => Err(AccountsError::LastSuperuser),
            Changed::EmailExists => Err(AccountsError::EmailExists),
        }
    }

    /// Erases somebody's account for good; shows for the last time what it was.
    ///
    /// # Errors
    /// Where there is nobody, the account was changed meanwhile, or no superuser would be left.
    pub async fn purge_person(
        &self,
        by: &Caller,
        id: UserId,
        expected: Option<u64>,
        origin: &Origin,
    ) -> Result<Person, AccountsError> {
        let person = self.person(by, id).await?;
        let details = json!({ "email": person.user.email });
        let entry = self.done(&by.email, "user.purge", format!("user:{id}"), details, origin);
        match self.store.purge_person(id, expected, &entry).await? {
            Changed::Done => {
                self.standings.forget_all();
                self.keys.forget_all();
                Ok(person)
            }
            Changed::Missing => Err(AccountsError::Missing),
            Changed::Stale => Err(AccountsError::Stale),
            Changed::LastSuperuser => Err(AccountsError::LastSuperuser),
            Changed::EmailExists => Err(AccountsError::EmailExists),
        }
    }
}

/// `None`: everybody; else those who share an organization that this one manages.
fn seen_by(by: &Caller) -> Option<UserId> {
    (!by.grants.everywhere(Right::Manage)).then_some(by.user)
}
