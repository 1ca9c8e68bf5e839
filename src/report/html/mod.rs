//! Pages: one file, no network, light and dark, printable, and as wide as the window.

mod chart;
mod flow;
mod frame;
mod table;
mod words;

pub(crate) use chart::{Series, bars, hours};
pub(crate) use flow::flows;
pub(crate) use frame::{About, document};
pub(crate) use table::{Column, Table};
pub(crate) use words::{code, escaped};
