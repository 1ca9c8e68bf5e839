//! Duo's request signature: an HMAC over the canonical request, versions 2 and 5.

use crate::text::percent_encoded;
use aws_lc_rs::digest::{SHA512, digest};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;

/// How requests are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Signature {
    /// Version 5: SHA-512, with digests of body and headers.
    #[default]
    V5,
    /// Version 2 with SHA-512.
    V2Sha512,
    /// Version 2 with SHA-1, which every Duo service takes.
    V2Sha1,
}

impl Signature {
    /// Each signature with its name in settings.
    pub const ALL: [(&'static str, Signature); 3] =
        [("v5", Signature::V5), ("v2-sha512", Signature::V2Sha512), ("v2-sha1", Signature::V2Sha1)];
}

/// What is signed.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// As in the `Date` header: `Tue, 21 Aug 2012 17:29:18 -0000`.
    pub date: &'a str,
    /// `GET`.
    pub method: &'a str,
    /// The API host.
    pub host: &'a str,
    /// The path, with its leading `/`.
    pub path: &'a str,
    /// The canonical parameters, see [`canonical_params`].
    pub params: &'a str,
    /// The body; empty for a GET.
    pub body: &'a [u8],
    /// The `x-duo-*` headers, names in any case.
    pub headers: &'a [(&'a str, &'a str)],
}

/// The `Authorization` header of a request.
pub fn authorization(signature: Signature, request: &Signed<'_>, ikey: &str, skey: &str) -> String {
    let algorithm = match signature {
        Signature::V5 | Signature::V2Sha512 => hmac::HMAC_SHA512,
        Signature::V2Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
    };
    let key = hmac::Key::new(algorithm, skey.as_bytes());
    let tag = hmac::sign(&key, canonical(signature, request).as_bytes());
    format!("Basic {}", STANDARD.encode(format!("{ikey}:{}", crate::text::hex(tag.as_ref()))))
}

/// The text that is signed.
pub fn canonical(signature: Signature, request: &Signed<'_>) -> String {
    let Signed { date, method, host, path, params, body, headers } = request;
    let (method, host) = (method.to_ascii_uppercase(), host.to_ascii_lowercase());
    let mut text = format!("{date}\n{method}\n{host}\n{path}\n{params}");
    if signature == Signature::V5 {
        let mut headers: Vec<(String, &str)> =
            headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), *value)).collect();
        headers.retain(|(name, _)| name.starts_with("x-duo-"));
        headers.sort();
        let headers: Vec<String> =
            headers.into_iter().map(|(name, value)| format!("{name}\0{value}")).collect();
        for part in [*body, headers.join("\0").as_bytes()] {
            text.push('\n');
            text.push_str(&crate::text::hex(digest(&SHA512, part).as_ref()));
        }
    }
    text
}

/// Parameters as they are signed and sent: encoded, sorted by key, then value, `k=v` joined by `&`.
pub fn canonical_params<K: AsRef<str>, V: AsRef<str>>(params: impl IntoIterator<Item = (K, V)>) -> String {
    let encode = |(key, value): (K, V)| {
        (percent_encoded(key.as_ref().as_bytes()), percent_encoded(value.as_ref().as_bytes()))
    };
    let mut pairs: Vec<(String, String)> = params.into_iter().map(encode).collect();
    pairs.sort();
    pairs.into_iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("&")
}

/// A date as the `Date` header has it.
pub(super) fn date(now: i64) -> String {
    let time = DateTime::from_timestamp_millis(now).unwrap_or_default();
    time.format("%a, %d %b %Y %H:%M:%S -0000").to_string()
}
