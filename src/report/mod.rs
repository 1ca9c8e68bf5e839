//! What a check found or a job did, as text, JSON, JUnit, SARIF, Markdown and HTML. It only writes.

pub(crate) mod bench;
pub(crate) mod cases;
pub(crate) mod diff;
pub(crate) mod dump;
pub(crate) mod explain;
mod exposed;
pub(crate) mod findings;
pub(crate) mod html;
mod layout;
pub(crate) mod profile;
mod reject_sources;
#[cfg(feature = "send")]
pub(crate) mod send;
pub(crate) mod summary;
