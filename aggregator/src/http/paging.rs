//! Paging in every spelling that the requirement documents use.

use super::error::{FieldError, Problem};
use crate::page::PageRequest;
use serde::Deserialize;
use utoipa::IntoParams;

pub(crate) const DEFAULT_PER_PAGE: u32 = 20;
pub(crate) const MAX_PER_PAGE: u32 = 200;
/// What lies behind it is found by a filter.
const MAX_PAGE: u32 = 1_000_000;

/// `page` with `per_page`, `pageSize` or `limit`.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct PageQuery {
    /// From 1.
    #[param(minimum = 1, maximum = 1_000_000)]
    page: Option<u32>,
    #[param(minimum = 1, maximum = 200)]
    per_page: Option<u32>,
    #[serde(rename = "pageSize")]
    #[param(rename = "pageSize", minimum = 1, maximum = 200)]
    page_size: Option<u32>,
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

impl PageQuery {
    pub(crate) fn request(&self) -> Result<PageRequest, Problem> {
        let page = self.page.unwrap_or(1);
        let sizes =
            [("per_page", self.per_page), ("pageSize", self.page_size), ("limit", self.limit)];
        let mut faults = Vec::new();
        if !(1..=MAX_PAGE).contains(&page) {
            let message = format!("pages count from 1, to {MAX_PAGE} at most");
            faults.push(FieldError::query("page", "out_of_range", message));
        }
        for (name, size) in sizes {
            if size.is_some_and(|size| !(1..=MAX_PER_PAGE).contains(&size)) {
                faults.push(FieldError::query(name, "out_of_range", "has to be 1 to 200"));
            }
        }
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        let per_page = sizes.iter().find_map(|(_, size)| *size).unwrap_or(DEFAULT_PER_PAGE);
        Ok(PageRequest { page, per_page })
    }
}

/// A bounded `limit` of a list that a cursor walks, in any of its spellings: `limit`, `per_page`,
/// `pageSize`.
pub(crate) fn limit(spellings: [Option<u32>; 3]) -> Result<u32, Problem> {
    let [limit, per_page, page_size] = spellings;
    let bounded =
        |name, asked| limit_within(name, asked, DEFAULT_PER_PAGE, MAX_PER_PAGE).map(|_| asked);
    let limit = bounded("limit", limit)?;
    let per_page = bounded("per_page", per_page)?;
    let page_size = bounded("pageSize", page_size)?;
    Ok(limit.or(per_page).or(page_size).unwrap_or(DEFAULT_PER_PAGE))
}

/// A size called `name` of a list with bounds of its own.
pub(crate) fn limit_within(
    name: &'static str,
    asked: Option<u32>,
    default: u32,
    most: u32,
) -> Result<u32, Problem> {
    match asked {
        None => Ok(default),
        Some(limit) if (1..=most).contains(&limit) => Ok(limit),
        Some(_) => Err(Problem::invalid(vec![FieldError::query(
            name,
            "out_of_range",
            format!("has to be 1 to {most}"),
        )])),
    }
}
