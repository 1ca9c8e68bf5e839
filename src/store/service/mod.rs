//! Services that keep buckets: opened by what the environment says, asked with care, understood when they refuse.

mod answer;
#[cfg(feature = "azure")]
mod azure;
mod carried;
mod client;
mod config;
mod credentials;
mod given;
mod keys;
mod listing;
mod network;
mod open;
mod own;
mod profile;
mod settings;
mod tls;
mod unusual_keys;

pub(super) use answer::{is_no_bucket, translated};
pub(super) use client::{ONLY_IF, OnlyIf};
pub(crate) use client::{http_client, why_no_answer};
pub(crate) use config::{ClientConfig, Requests};
pub(super) use given::SettingError;
pub(super) use keys::{decode_key, encode_key};
pub(super) use open::{Parts, open};
pub(crate) use own::{OWN, OwnClients};
