//! The chain of an organization's audit rows: each row's hash covers the row and the hash before
//! it, so that a row which is edited, removed, inserted or put elsewhere breaks the chain there.
//!
//! The hash has no key. Whoever may write the whole table and its heads can make a new chain; the
//! head's hash, kept elsewhere from time to time, shows that too.

use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// The hash before the first row.
pub const START: [u8; 32] = [0; 32];
/// Told apart from whatever else is hashed here, and from a later form of the row.
const DOMAIN: &[u8] = b"flyball audit row 1";

/// A row as it is hashed: the texts as the table holds them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Link<'a> {
    pub organization: Option<&'a str>,
    pub position: u64,
    pub at_ms: u64,
    pub actor: &'a str,
    pub action: &'a str,
    pub target: &'a str,
    pub decision: &'a str,
    pub details: &'a str,
    pub request_id: Option<&'a str>,
    pub session: Option<&'a str>,
    pub address: Option<&'a str>,
    pub change: Option<&'a str>,
}

impl Link<'_> {
    /// SHA-256 of the hash before and the row; every text by its length, an absent one unlike an
    /// empty one.
    #[must_use]
    pub fn hash(&self, previous: &[u8; 32]) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(DOMAIN);
        digest.update(previous);
        digest.update(self.position.to_be_bytes());
        digest.update(self.at_ms.to_be_bytes());
        let texts = [
            self.organization,
            Some(self.actor),
            Some(self.action),
            Some(self.target),
            Some(self.decision),
            Some(self.details),
            self.request_id,
            self.session,
            self.address,
            self.change,
        ];
        for text in texts {
            digest.update([u8::from(text.is_some())]);
            let text = text.unwrap_or_default();
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text);
        }
        digest.finalize().into()
    }
}

/// The end of a chain as the store keeps it beside the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub position: u64,
    pub hash: [u8; 32],
}

/// Why a chain does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It stands in no chain.
    Unchained,
    /// The row before it is missing, or it was put in between.
    OutOfPlace,
    /// It is not what was hashed.
    Altered,
    /// Rows at the end are missing: this is the last one that is there.
    CutOff,
}

impl Fault {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unchained => "unchained",
            Self::OutOfPlace => "out_of_place",
            Self::Altered => "altered",
            Self::CutOff => "cut_off",
        }
    }
}

/// The first place where a chain does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    /// The row; 0 where a chain has lost all of its rows.
    pub id: i64,
    pub organization: Option<String>,
    /// Its number in the chain.
    pub position: u64,
    pub fault: Fault,
}

/// Walks every chain at once, row by row in the order of their ids; keeps one head a chain.
#[derive(Debug)]
pub struct Walk {
    /// What the store said before the first row was read.
    heads: HashMap<String, Head>,
    reached: HashMap<String, (i64, Head)>,
    pub rows: u64,
}

impl Walk {
    #[must_use]
    pub fn new(heads: HashMap<String, Head>) -> Self {
        Self { heads, reached: HashMap::new(), rows: 0 }
    }

    /// How many chains there are.
    #[must_use]
    pub fn chains(&self) -> usize {
        self.heads.len().max(self.reached.len())
    }

    /// Takes the next row.
    ///
    /// # Errors
    /// The break, where the chain does not hold here.
    pub fn step(&mut self, id: i64, link: &Link<'_>, hash: Option<&[u8]>) -> Result<(), Break> {
        self.rows += 1;
        let organization = link.organization.map(str::to_owned);
        let chain = organization.clone().unwrap_or_default();
        let broken = |fault| {
            Err(Break { id, organization: organization.clone(), position: link.position, fault })
        };
        let Some(hash) = hash.filter(|_| link.position > 0) else {
            return broken(Fault::Unchained);
        };
        let before = self.reached.get(&chain).map_or(Head { position: 0, hash: START }, |r| r.1);
        if link.position != before.position + 1 {
            return broken(Fault::OutOfPlace);
        }
        let reckoned = link.hash(&before.hash);
        if reckoned.as_slice() != hash {
            return broken(Fault::Altered);
        }
        // The whole chain may have been reckoned anew; its head then says otherwise.
        let head = self.heads.get(&chain);
        if head.is_some_and(|head| head.position == link.position && head.hash != reckoned) {
            return broken(Fault::Altered);
        }
        self.reached.insert(chain, (id, Head { position: link.position, hash: reckoned }));
        Ok(())
    }

    /// After the last row.
    ///
    /// # Errors
    /// The first chain, by name, that has lost its end.
    pub fn end(&self) -> Result<(), Break> {
        let mut names: Vec<_> = self.heads.keys().collect();
        names.sort();
        for name in names {
            let (id, reached) =
                self.reached.get(name).map_or((0, 0), |(id, head)| (*id, head.position));
            if reached < self.heads[name].position {
                let organization = (!name.is_empty()).then(|| name.clone());
                return Err(Break { id, organization, position: reached, fault: Fault::CutOff });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_text_is_no_empty_one_and_none_flows_into_the_next() {
        let link = Link { actor: "a", action: "bc", ..Link::default() };
        let hash = link.hash(&START);
        assert_ne!(hash, Link { request_id: Some(""), ..link }.hash(&START));
        assert_ne!(hash, Link { actor: "ab", action: "c", ..link }.hash(&START));
        assert_ne!(hash, link.hash(&[1; 32]));
        assert_eq!(hash, link.hash(&START));
    }
}
