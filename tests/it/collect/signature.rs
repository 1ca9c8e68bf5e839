//! Duo's signature as a service checks it: written from Duo's description, apart from the client's code.

use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Digest as _;

/// What the service has of a request.
#[derive(Debug, Clone)]
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a str,
    /// The `Host` header or the account's host, without a port.
    pub(crate) host: &'a str,
    pub(crate) path: &'a str,
    /// The query as it arrived.
    pub(crate) query: &'a str,
    pub(crate) date: &'a str,
    pub(crate) authorization: &'a str,
}

/// The query's parameters, decoded.
pub(crate) fn parameters(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.as_bytes();
        while let [first, tail @ ..] = rest {
            let escaped = (*first == b'%').then(|| std::str::from_utf8(&tail[..2]).expect("two digits"));
            match escaped {
                Some(digits) => bytes.push(u8::from_str_radix(digits, 16).expect("hexadecimal")),
                None => bytes.push(*first),
            }
            rest = if escaped.is_some() { &tail[2..] } else { tail };
        }
        String::from_utf8(bytes).expect("UTF-8")
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(k, v)| (decode(k), decode(v)))
        .collect()
}

/// The signature that the service expects for these keys, as the `Authorization` header has it.
pub(crate) fn expected(asked: &Asked<'_>, ikey: &str, skey: &str, version: u8, sha1: bool) -> String {
    let escape = |text: &str| -> String {
        let mut out = String::new();
        for byte in text.as_bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
                out.push(*byte as char);
            } else {
                out += &format!("%{byte:02X}");
            }
        }
        out
    };
    let mut pairs: Vec<[String; 2]> =
        parameters(asked.query).iter().map(|(key, value)| [escape(key), escape(value)]).collect();
    pairs.sort();
    let params = pairs.iter().map(|pair| pair.join("=")).collect::<Vec<_>>().join("&");
    let mut lines = vec![
        asked.date.to_owned(),
        asked.method.to_uppercase(),
        asked.host.to_lowercase(),
        asked.path.to_owned(),
        params,
    ];
    if version == 5 {
        let nothing: String = sha2::Sha512::digest(b"").iter().map(|byte| format!("{byte:02x}")).collect();
        lines.extend([nothing.clone(), nothing]);
    }
    let text = lines.join("\n");
    let tag: Vec<u8> = if sha1 {
        let mut mac = Hmac::<sha1::Sha1>::new_from_slice(skey.as_bytes()).expect("any length");
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().to_vec()
    } else {
        let mut mac = Hmac::<sha2::Sha512>::new_from_slice(skey.as_bytes()).expect("any length");
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().to_vec()
    };
    let tag: String = tag.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{ikey}:{tag}")))
}

/// Whether the request is signed by these keys, in any version that the service knows.
pub(crate) fn is_right(asked: &Asked<'_>, ikey: &str, skey: &str) -> bool {
    [(5, false), (2, false), (2, true)]
        .into_iter()
        .any(|(version, sha1)| expected(asked, ikey, skey, version, sha1) == asked.authorization)
}
