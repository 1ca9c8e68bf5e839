//! The collector: against a fake Duo in memory and over HTTP, and against a real S3 server.

mod answers;
mod clocks;
mod command;
#[cfg(feature = "lambda")]
mod conditions;
pub(crate) mod duo;
mod faults;
pub(crate) mod http;
#[cfg(target_os = "linux")]
mod kills;
mod logs;
mod matrix;
mod outside;
mod published;
mod s3;
#[cfg(feature = "send")]
mod sending;
mod several;
pub(crate) mod signature;
mod signing;
mod world;
