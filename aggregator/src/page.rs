//! One page of a list, as every domain module takes and gives it.

pub mod cursor;

/// Which page, from 1, and how many on it. The caller has bounded `per_page`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PageRequest {
    pub page: u32,
    pub per_page: u32,
}

impl PageRequest {
    #[must_use]
    pub const fn first(per_page: u32) -> Self {
        Self { page: 1, per_page }
    }

    /// How many items stand before this page.
    #[must_use]
    pub fn offset(self) -> u64 {
        u64::from(self.page.saturating_sub(1)) * u64::from(self.per_page)
    }
}

/// The items of one page and how many there are on all of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub total: u64,
}
