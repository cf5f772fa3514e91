//! Lists that are put together in memory, narrowed and ordered as the stored ones are.

use super::Listable;
use crate::clock::parse_rfc3339;
use crate::http::error::Problem;
use crate::listing::{Filter, Listing, Operator, Value};
use serde_json::Value as Drawn;
use std::cmp::Ordering;

/// Those of `items` that were asked for, in the order that was asked for.
pub(crate) fn sift<T: Listable>(items: Vec<T>, listing: &Listing) -> Result<Vec<T>, Problem> {
    let mut kept = Vec::with_capacity(items.len());
    for item in items {
        let drawn = serde_json::to_value(&item).map_err(Problem::internal)?;
        if is_meant(&drawn, listing) {
            kept.push((drawn, item));
        }
    }
    if !listing.order.is_empty() {
        kept.sort_by(|(one, _), (other, _)| in_order(one, other, listing));
    }
    Ok(kept.into_iter().map(|(_, item)| item).collect())
}

fn is_meant(drawn: &Drawn, listing: &Listing) -> bool {
    let found = listing.text.as_ref().is_none_or(|text| {
        let text = text.to_lowercase();
        let mut searched = listing.searched.iter();
        searched.any(|field| text_of(&drawn[*field]).to_lowercase().contains(&text))
    });
    found && listing.filters.iter().all(|filter| holds(filter, &drawn[filter.field.name]))
}

fn in_order(one: &Drawn, other: &Drawn, listing: &Listing) -> Ordering {
    let by_fields = listing.order.iter().map(|order| {
        let (one, other) = (&one[order.field.name], &other[order.field.name]);
        match (one.is_null(), other.is_null()) {
            (false, false) if order.descending => compare_drawn(other, one),
            (false, false) => compare_drawn(one, other),
            // What is absent comes last, whichever way the order goes.
            (one, other) => one.cmp(&other),
        }
    });
    let by_id = text_of(&one["id"]).cmp(text_of(&other["id"]));
    by_fields.fold(Ordering::Equal, Ordering::then).then(by_id)
}

fn compare_drawn(one: &Drawn, other: &Drawn) -> Ordering {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one.total_cmp(&other),
        _ => match (one.as_bool(), other.as_bool()) {
            (Some(one), Some(other)) => one.cmp(&other),
            _ => text_of(one).to_lowercase().cmp(&text_of(other).to_lowercase()),
        },
    }
}

fn text_of(drawn: &Drawn) -> &str {
    drawn.as_str().unwrap_or_default()
}

fn holds(filter: &Filter, drawn: &Drawn) -> bool {
    let is = |wanted: &Value| compare(drawn, wanted) == Some(Ordering::Equal);
    let mut values = filter.values.iter();
    let Some(first) = filter.values.first() else { return true };
    let order = compare(drawn, first);
    let (text, part) = (
        text_of(drawn).to_lowercase(),
        match first {
            Value::Text(part) => part.to_lowercase(),
            Value::Number(_) | Value::Time(_) | Value::Boolean(_) => String::new(),
        },
    );
    match filter.operator {
        Operator::Equal => is(first),
        Operator::NotEqual => !is(first),
        Operator::In => values.any(is),
        Operator::Less => order == Some(Ordering::Less),
        Operator::LessOrEqual => order.is_some_and(Ordering::is_le),
        Operator::Greater => order == Some(Ordering::Greater),
        Operator::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
        Operator::Contains => !drawn.is_null() && text.contains(&part),
        Operator::StartsWith => !drawn.is_null() && text.starts_with(&part),
        Operator::Exists => first == &Value::Boolean(!drawn.is_null()),
    }
}

/// `None` where it is absent.
fn compare(drawn: &Drawn, wanted: &Value) -> Option<Ordering> {
    match wanted {
        Value::Text(text) => Some(drawn.as_str()?.cmp(text.as_str())),
        Value::Number(number) => drawn.as_f64()?.partial_cmp(number),
        Value::Time(ms) => Some(parse_rfc3339(drawn.as_str()?)?.cmp(ms)),
        Value::Boolean(flag) => Some(drawn.as_bool()?.cmp(flag)),
    }
}
