//! What a list can be asked: its filters, its order, a search, fewer fields, and what is shown
//! beside it. Each list says in a table which fields it has and of which kind; what a question
//! means, and what is refused, stands here alone. It knows no database and no transport.

mod field;
mod parse;

pub(crate) use field::words;
pub use field::{Field, Form, Kind, List, Operator};
pub use parse::{Fault, MAX_FILTERS, MAX_TEXT, MAX_VALUES, parse};

use crate::telemetry::selector::Selector;
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};

/// A question that was found to be good.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Listing {
    /// All of them hold.
    pub filters: Vec<Filter>,
    /// Part of any of the fields that are searched.
    pub text: Option<String>,
    pub searched: Vec<&'static str>,
    /// The first one counts most; empty: the list's own order.
    pub order: Vec<Order>,
    /// Only these of what an item shows; its id stands there always.
    pub fields: Option<BTreeSet<String>>,
    /// What is shown beside the list.
    pub include: Vec<&'static str>,
    /// By the labels that people gave.
    pub labels: Option<Selector>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Filter {
    pub field: &'static Field,
    pub operator: Operator,
    /// More than one for `in` alone.
    pub values: Vec<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Order {
    pub field: &'static Field,
    pub descending: bool,
}

/// What a field is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Text(String),
    /// Finite, and no negative zero: so it is equal to itself, and equals have one hash.
    Number(f64),
    /// Unix milliseconds.
    Time(u64),
    Boolean(bool),
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Self::Text(text) => text.hash(state),
            Self::Number(number) => number.to_bits().hash(state),
            Self::Time(at_ms) => at_ms.hash(state),
            Self::Boolean(flag) => flag.hash(state),
        }
    }
}

impl Listing {
    /// Does the answer go by this field?
    #[must_use]
    pub fn is_about(&self, name: &str) -> bool {
        self.filters.iter().any(|filter| filter.field.name == name)
            || self.order.iter().any(|order| order.field.name == name)
    }

    #[must_use]
    pub fn includes(&self, what: &str) -> bool {
        self.include.contains(&what)
    }

    /// Takes a field of kind [`Kind::View`] out of the filters: which of two lists is meant.
    pub fn take_view(&mut self, name: &str) -> bool {
        let taken = self.filters.extract_if(.., |filter| filter.field.name == name);
        taken.last().is_some_and(|filter| filter.values.first() == Some(&Value::Boolean(true)))
    }
}

#[cfg(test)]
mod tests;
