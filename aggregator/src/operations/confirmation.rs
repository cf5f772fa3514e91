//! The second hand of a dangerous command. The machine has armed it; whoever confirms it proves
//! with a token that they were shown exactly what is meant. The token belongs to one operation,
//! one session and one arming. Its key lies in the store, so a restart between arming and
//! confirming voids nothing.

use crate::access::{Caller, SessionId};
use crate::clock::Clock;
use crate::operations::{
    Action, Arming, OpenError, Operation, OperationId, OperationState, Operations, Refusal,
    Submission, SubmitError, Verdict,
};
use crate::store::{SigningKey, Store, StoreError};
use ring::hmac;
use std::fmt;
use std::sync::Arc;

/// What a caller who may confirm an armed operation is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Confirmation {
    pub arming: Arming,
    /// `None` for a caller who may not confirm it.
    pub token: Option<String>,
    /// Somebody else than the one who asked has to confirm.
    pub second_person: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    #[error("there is no operation {0}")]
    Unknown(OperationId),
    #[error("the operation is {}, and only what is armed can be confirmed", .0.name())]
    NotArmed(OperationState),
    #[error("the time to confirm it is over; ask for it again")]
    Expired,
    #[error("only the session that asked for it may confirm it")]
    OtherSession,
    #[error("somebody else than {0} has to confirm it")]
    SecondPerson(String),
    #[error("the token is not this operation's")]
    Token(Box<Arming>),
    #[error("the machine is away, and forgets what it has armed; ask for it again")]
    Away,
    #[error("the machine refused: {}", .0.reason)]
    Refused(Box<Refusal>),
    #[error(transparent)]
    Submit(#[from] SubmitError),
    #[error("reading the operation")]
    Store(#[from] StoreError),
}

/// Of the key in the store.
const KEY_PURPOSE: &str = "confirmation";

/// Makes and knows tokens by a secret that never leaves the store.
#[derive(Clone)]
pub(super) struct Tokens(Arc<hmac::Key>);

impl Tokens {
    /// Tokens of the store's key; the first one is made where there is none.
    pub(super) async fn open(store: &Store, clock: &Clock) -> Result<Self, OpenError> {
        if let Some(known) = store.signing_keys(KEY_PURPOSE).await?.first() {
            return Ok(Self::of(&known.secret));
        }
        let mut secret = vec![0; 32];
        getrandom::fill(&mut secret)?;
        let (kid, created_at_ms) = (clock.new_id().to_string(), clock.now_ms());
        let tokens = Self::of(&secret);
        let key = SigningKey { kid, secret, created_at_ms, retired_at_ms: None };
        store.add_signing_key(KEY_PURPOSE, &key).await?;
        Ok(tokens)
    }

    fn of(secret: &[u8]) -> Self {
        Self(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, secret)))
    }

    fn made_of(operation: OperationId, session: SessionId, until_ms: u64) -> Vec<u8> {
        let until = until_ms.to_be_bytes();
        [operation.0.as_bytes().as_slice(), session.0.as_bytes(), &until].concat()
    }

    fn token(&self, operation: OperationId, session: SessionId, until_ms: u64) -> String {
        let tag = hmac::sign(&self.0, &Self::made_of(operation, session, until_ms));
        tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn knows(&self, operation: OperationId, session: SessionId, until: u64, token: &str) -> bool {
        let bytes: Option<Vec<u8>> = token
            .as_bytes()
            .chunks(2)
            .map(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok())
            .collect();
        let made_of = Self::made_of(operation, session, until);
        bytes.is_some_and(|tag| hmac::verify(&self.0, &made_of, &tag).is_ok())
    }

    /// What `caller` is shown of an armed operation.
    pub(super) fn shown(
        &self,
        operation: &Operation,
        caller: Option<&Caller>,
        second_person: bool,
    ) -> Option<Confirmation> {
        let arming = operation.arming()?.clone();
        let token = caller
            .filter(|caller| may_confirm(operation, caller, second_person).is_ok())
            .map(|caller| self.token(operation.id, caller.session(), arming.until_ms));
        Some(Confirmation { arming, token, second_person })
    }

    /// Is everything there that it takes to confirm `operation` now?
    pub(super) fn check(
        &self,
        operation: &Operation,
        caller: &Caller,
        second_person: bool,
        token: &str,
        now_ms: u64,
    ) -> Result<Arming, ConfirmError> {
        let Some(arming) = operation.arming() else {
            return Err(match operation.state {
                OperationState::Expired => ConfirmError::Expired,
                state => ConfirmError::NotArmed(state),
            });
        };
        if arming.until_ms <= now_ms {
            return Err(ConfirmError::Expired);
        }
        may_confirm(operation, caller, second_person)?;
        if !self.knows(operation.id, caller.session(), arming.until_ms, token) {
            return Err(ConfirmError::Token(Box::new(arming.clone())));
        }
        Ok(arming.clone())
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(..)")
    }
}

fn may_confirm(
    operation: &Operation,
    caller: &Caller,
    second_person: bool,
) -> Result<(), ConfirmError> {
    if second_person {
        let other = caller.email != operation.requested_by;
        return if other {
            Ok(())
        } else {
            Err(ConfirmError::SecondPerson(operation.requested_by.clone()))
        };
    }
    if operation.session == Some(caller.session()) {
        Ok(())
    } else {
        Err(ConfirmError::OtherSession)
    }
}

impl Operations {
    /// What `caller` is shown of an operation that waits to be confirmed.
    #[must_use]
    pub fn confirmation(
        &self,
        operation: &Operation,
        caller: Option<&Caller>,
    ) -> Option<Confirmation> {
        self.tokens.shown(operation, caller, self.second_person)
    }

    /// Has the machine carry out what it has armed; the armed operation comes back.
    ///
    /// # Errors
    /// Where it is not armed, the caller may not confirm it, the token is not the right one, or
    /// the machine refuses.
    pub async fn confirm(
        &self,
        id: OperationId,
        caller: &Caller,
        token: &str,
        request_id: Option<String>,
    ) -> Result<Operation, ConfirmError> {
        let armed = self.store.operation(id).await?.ok_or(ConfirmError::Unknown(id))?;
        let now_ms = self.clock.now_ms();
        let arming = self.tokens.check(&armed, caller, self.second_person, token, now_ms)?;
        if !self.sessions.is_online(armed.device) {
            return Err(ConfirmError::Away);
        }
        let action = Action::Confirm { operation: id };
        let submission = Submission {
            equipment: armed.equipment,
            session: Some(caller.session()),
            not_after_ms: Some(arming.until_ms),
            request_id,
            ..Submission::new(armed.device, action, &caller.email, super::Origin::Remote)
        };
        let confirming = self.submit(submission).await?;
        if let Some(Verdict::Refused(refusal)) = confirming.verdict {
            return Err(ConfirmError::Refused(Box::new(refusal)));
        }
        Ok(self.store.operation(id).await?.unwrap_or(armed))
    }
}

impl Operation {
    /// What is armed, while it is.
    #[must_use]
    pub fn arming(&self) -> Option<&Arming> {
        match (&self.verdict, self.state) {
            (Some(Verdict::Armed(arming)), OperationState::Armed) => Some(arming),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Credential, Grants, Role, UserId};
    use crate::operations::operation::tests::queued;
    use uuid::Uuid;

    fn caller(email: &str, session: u128) -> Caller {
        Caller {
            user: UserId(Uuid::from_u128(7)),
            email: email.into(),
            grants: Grants::of(Role::Superuser),
            credential: Credential::Session(SessionId(Uuid::from_u128(session))),
            expires_at_ms: u64::MAX,
        }
    }

    fn armed() -> Operation {
        let arming = Arming {
            until_ms: 60_000,
            target: "bmc-1/power, serial 42".into(),
            state: None,
            consequence: "It loses power at once.".into(),
        };
        let mut operation = Operation { session: Some(SessionId(Uuid::from_u128(1))), ..queued() };
        assert!(operation.handle_verdict(Verdict::Armed(arming), 10));
        operation
    }

    #[test]
    fn the_session_that_asked_is_given_a_token_that_only_it_can_use() {
        let tokens = Tokens::of(b"a secret of the store");
        let (operation, asker) = (armed(), caller("operator@example.org", 1));
        let shown = tokens.shown(&operation, Some(&asker), false).unwrap();
        let token = shown.token.unwrap();
        assert!(tokens.check(&operation, &asker, false, &token, 20).is_ok());
        let other = caller("operator@example.org", 2);
        assert_eq!(tokens.shown(&operation, Some(&other), false).unwrap().token, None);
        let stolen = tokens.check(&operation, &other, false, &token, 20);
        assert!(matches!(stolen, Err(ConfirmError::OtherSession)), "{stolen:?}");
        for wrong in ["", "00", "zz", &token[2..], &"ff".repeat(32)] {
            let refused = tokens.check(&operation, &asker, false, wrong, 20);
            assert!(matches!(refused, Err(ConfirmError::Token(_))), "{wrong}: {refused:?}");
        }
    }

    #[tokio::test]
    async fn a_token_is_good_after_a_restart_and_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::manual(1);
        let open = async |name: &str| {
            let store = Store::open(&folder.path().join(name)).await.unwrap();
            Tokens::open(&store, &clock).await.unwrap()
        };
        let (operation, asker) = (armed(), caller("operator@example.org", 1));
        let shown = open("one.db").await.shown(&operation, Some(&asker), false).unwrap();
        let token = shown.token.unwrap();
        let restarted = open("one.db").await;
        assert!(restarted.check(&operation, &asker, false, &token, 20).is_ok());
        let other = open("two.db").await.check(&operation, &asker, false, &token, 20);
        assert!(matches!(other, Err(ConfirmError::Token(_))), "{other:?}");
    }

    #[test]
    fn where_two_people_are_wanted_the_first_can_not_confirm_it_alone() {
        let tokens = Tokens::of(b"a secret of the store");
        let operation = armed();
        let first = caller("operator@example.org", 1);
        let second = caller("other@example.org", 2);
        assert_eq!(tokens.shown(&operation, Some(&first), true).unwrap().token, None);
        let alone = tokens.check(&operation, &first, true, "00", 20);
        assert!(matches!(alone, Err(ConfirmError::SecondPerson(_))), "{alone:?}");
        let token = tokens.shown(&operation, Some(&second), true).unwrap().token.unwrap();
        assert!(tokens.check(&operation, &second, true, &token, 20).is_ok());
        // The token is the second person's, of their session.
        let elsewhere = caller("other@example.org", 3);
        let refused = tokens.check(&operation, &elsewhere, true, &token, 20);
        assert!(matches!(refused, Err(ConfirmError::Token(_))), "{refused:?}");
    }

    #[test]
    fn what_is_not_armed_or_armed_no_longer_can_not_be_confirmed() {
        let tokens = Tokens::of(b"a secret of the store");
        let asker = caller("operator@example.org", 1);
        let operation = armed();
        let late = tokens.check(&operation, &asker, false, "00", 60_000);
        assert!(matches!(late, Err(ConfirmError::Expired)), "{late:?}");
        let early = tokens.check(&queued(), &asker, false, "00", 20);
        assert!(matches!(early, Err(ConfirmError::NotArmed(OperationState::Queued))), "{early:?}");
        let mut gone = armed();
        assert!(gone.handle_expiry(70_000));
        let gone = tokens.check(&gone, &asker, false, "00", 70_001);
        assert!(matches!(gone, Err(ConfirmError::Expired)), "{gone:?}");
    }
}
