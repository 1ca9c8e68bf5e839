//! A profile as a page, with charts.

mod fields;
mod page;
mod rejects;
mod shared;
mod sums;
mod times;

pub(crate) use page::page;
