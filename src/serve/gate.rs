//! Who is answered: who knows the token, asks for this machine by its own name, and is not another page.

use crate::sync::lock;
use aws_lc_rs::{constant_time, rand};
use hyper::HeaderMap;
use hyper::header::{HOST, HeaderName, ORIGIN};
use std::sync::Mutex;
use std::time::{Duration, Instant};

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// How long a browser may take to start.
const LAUNCH: Duration = Duration::from_secs(60);

/// A secret text in an address.
#[derive(Clone)]
pub(crate) struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

impl Token {
    /// 192 bits of the system's randomness.
    ///
    /// # Errors
    /// If the system has none to give.
    pub(super) fn new() -> anyhow::Result<Token> {
        let mut bytes = [0; 24];
        rand::fill(&mut bytes).map_err(|_| anyhow::anyhow!("the system gives no random bytes"))?;
        Ok(Token(crate::text::hex(&bytes)))
    }

    /// Whether this is it. That takes as long for any text of its length.
    pub(super) fn is(&self, text: &str) -> bool {
        constant_time::verify_slices_are_equal(self.0.as_bytes(), text.as_bytes()).is_ok()
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A token that works once, and not for long: the browser is started with it, and other users may see how a program is
/// started.
#[derive(Debug)]
pub(super) struct Launch {
    token: Token,
    until: Mutex<Option<Instant>>,
}

impl Launch {
    pub(super) fn new() -> anyhow::Result<Launch> {
        Ok(Launch { token: Token::new()?, until: Mutex::new(Instant::now().checked_add(LAUNCH)) })
    }

    pub(super) fn as_str(&self) -> &str {
        self.token.as_str()
    }

    /// Whether this path is that of the token, for the first time.
    pub(super) fn take(&self, path: &str) -> bool {
        behind_token(&self.token, path) == Some("")
            && lock(&self.until).take().is_some_and(|until| Instant::now() < until)
    }
}

/// What a path names below the token, if it has the token.
pub(super) fn behind_token<'p>(token: &Token, path: &'p str) -> Option<&'p str> {
    let (given, rest) = path.strip_prefix('/')?.split_once('/')?;
    token.is(given).then_some(rest)
}

/// Whether a request comes from this server's own page, or from a program of this machine: not from another site, also if
/// that has made its name lead here.
pub(super) fn is_own(headers: &HeaderMap, port: u16) -> bool {
    let is_ours = |text: &[u8]| {
        [format!("127.0.0.1:{port}"), format!("localhost:{port}")].iter().any(|own| own.as_bytes() == text)
    };
    let mut hosts = headers.get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => is_ours(host.as_bytes()),
        _ => false,
    };
    let origin = headers
        .get_all(ORIGIN)
        .iter()
        .all(|origin| origin.as_bytes().strip_prefix(b"http://").is_some_and(is_ours));
    // A browser says so itself where one site asks for what is another's; `none` is a person who types the address.
    let site =
        headers.get_all(FETCH_SITE).iter().all(|site| matches!(site.as_bytes(), b"same-origin" | b"none"));
    host && origin && site
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in all {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn only_who_knows_the_token_gets_in() {
        let token = Token::new().unwrap();
        assert_eq!(token.as_str().len(), 48);
        assert_ne!(token.as_str(), Token::new().unwrap().as_str());
        let path = |first: &str, rest: &str| format!("/{first}/{rest}");
        assert_eq!(behind_token(&token, &path(token.as_str(), "api/run")), Some("api/run"));
        assert_eq!(behind_token(&token, &path(token.as_str(), "")), Some(""));
        let shorter = &token.as_str()[..47];
        for wrong in
            [format!("/{}", token.as_str()), path(shorter, ""), path("", ""), "/".into(), String::new()]
        {
            assert_eq!(behind_token(&token, &wrong), None, "{wrong}");
        }
        assert!(!format!("{token:?}").contains(token.as_str()));
    }

    #[test]
    fn a_launch_works_once_and_not_for_long() {
        let launch = Launch::new().unwrap();
        let path = format!("/{}/", launch.as_str());
        for wrong in ["/", "//", "/x/", &format!("{path}api/start"), launch.as_str()] {
            assert!(!launch.take(wrong), "{wrong}");
        }
        assert!(launch.take(&path));
        assert!(!launch.take(&path));
        let late = Launch { until: Mutex::new(Some(Instant::now())), ..Launch::new().unwrap() };
        assert!(!late.take(&format!("/{}/", late.as_str())));
    }

    #[test]
    fn other_sites_and_other_names_of_this_machine_are_refused() {
        let host = ("host", "127.0.0.1:8080");
        let own = |all: &[(&'static str, &str)]| is_own(&headers(all), 8080);
        assert!(own(&[host]));
        assert!(own(&[("host", "localhost:8080"), ("origin", "http://localhost:8080")]));
        assert!(own(&[host, ("origin", "http://127.0.0.1:8080"), ("sec-fetch-site", "same-origin")]));
        assert!(own(&[host, ("sec-fetch-site", "none")]));
        for wrong in [
            "evil.example:8080",
            "127.0.0.1",
            "127.0.0.1:8081",
            "127.0.0.1:8080.evil.example",
            "[::1]:8080",
            "",
        ] {
            assert!(!own(&[("host", wrong)]), "{wrong}");
        }
        assert!(!own(&[]));
        assert!(!own(&[host, host]));
        for wrong in [
            "https://127.0.0.1:8080",
            "http://evil.example",
            "null",
            "http://127.0.0.1:8081",
            "127.0.0.1:8080",
        ] {
            assert!(!own(&[host, ("origin", wrong)]), "{wrong}");
        }
        assert!(!own(&[host, ("origin", "http://127.0.0.1:8080"), ("origin", "http://evil.example")]));
        // Another port of this machine is another origin, but the same site.
        for wrong in ["cross-site", "same-site"] {
            assert!(!own(&[host, ("sec-fetch-site", wrong)]), "{wrong}");
        }
    }
}
