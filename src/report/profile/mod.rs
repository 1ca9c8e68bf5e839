//! A profile for a terminal, and as a page.

mod html;
mod text;

pub(crate) use html::page;
pub(crate) use text::text;
