//! The collector: against a fake Duo in memory and over HTTP, and against a real S3 server.

mod command;
pub(crate) mod duo;
mod faults;
mod http;
#[cfg(target_os = "linux")]
mod kills;
mod matrix;
mod s3;
pub(crate) mod signature;
mod signing;
mod world;
