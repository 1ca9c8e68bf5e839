//! An explanation for a terminal, and as a page.

mod html;
mod text;

pub(crate) use html::{page, section};
pub(crate) use text::text;
