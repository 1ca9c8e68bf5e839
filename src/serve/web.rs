//! The page's files, which are in the program, and the headers of every answer.

use hyper::HeaderMap;
use hyper::header::X_CONTENT_TYPE_OPTIONS;
use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY};
use std::borrow::Cow;

/// A file of the page.
#[derive(Debug)]
pub(super) struct Asset {
    pub(super) content_type: &'static str,
    pub(super) text: Cow<'static, str>,
}

const INDEX: &str = include_str!("../../web/dist/index.html");
const SCRIPT: &str = include_str!("../../web/dist/app.js");
const STYLE: &str = include_str!("../../web/dist/app.css");
const LICENSES: &str = include_str!("../../web/dist/LICENSES.txt");

/// What the page has in the place of the nonce.
const NONCE: &str = "%NONCE%";

/// The file at a path, if there is one. The page itself gets the nonce, by which its editor may add styles.
pub(super) fn asset(path: &str, nonce: &str) -> Option<Asset> {
    let (content_type, text) = match path {
        "" | "index.html" => ("text/html; charset=utf-8", Cow::Owned(INDEX.replace(NONCE, nonce))),
        "app.js" => ("text/javascript; charset=utf-8", Cow::Borrowed(SCRIPT)),
        "app.css" => ("text/css; charset=utf-8", Cow::Borrowed(STYLE)),
        "LICENSES.txt" => ("text/plain; charset=utf-8", Cow::Borrowed(LICENSES)),
        _ => return None,
    };
    Some(Asset { content_type, text })
}

/// Adds the headers that every answer has: nothing is loaded but from here, nothing is kept, nobody frames the page.
pub(super) fn add_headers(headers: &mut HeaderMap, nonce: &str) {
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; \
         font-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    // The nonce is of hexadecimal digits.
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_asks_for_nothing_but_its_own_files() {
        let page = asset("", "0f").unwrap().text;
        assert!(page.contains("content=\"0f\"") && !page.contains(NONCE), "{page}");
        // No script or style in the page itself, and nothing from elsewhere.
        for foreign in ["http://", "https://", "<style", "onload=", "javascript:"] {
            assert!(!page.contains(foreign), "{foreign}");
        }
        for script in page.split("<script").skip(1) {
            assert!(
                script.contains("src=")
                    && script.split('>').nth(1).is_some_and(|s| s.starts_with("</script")),
                "{script}"
            );
        }
        assert!(asset("../Cargo.toml", "").is_none());
    }
}
