//! Whose logs are collected: Duo's API host, and the integration's two keys.

use super::Error;
use crate::text::shown_up_to;
use aws_lc_rs::digest::{SHA256, digest};
use secrecy::{ExposeSecret as _, SecretString};

/// How much of what a service says is shown, in characters.
const MOST_SHOWN: usize = 200;

/// The domains of Duo's API hosts: commercial, and the federal edition's.
const DOMAINS: [&str; 2] = ["duosecurity.com", "duofederal.com"];

/// An Admin API integration. Neither key appears in what [`Debug`](std::fmt::Debug) says.
#[derive(Debug, Clone)]
pub struct Account {
    host: String,
    ikey: SecretString,
    skey: SecretString,
}

impl Account {
    /// An integration of the account whose API host is `host`.
    ///
    /// White space around the keys is dropped: files and consoles add it.
    ///
    /// # Errors
    /// If a key is empty or has white space in it, or if `host` is not one of Duo's API hosts
    /// (`api-*.duosecurity.com`, `api-*.duofederal.com`) and `any_host` is not set.
    pub fn new(
        host: &str,
        ikey: &SecretString,
        skey: &SecretString,
        any_host: bool,
    ) -> Result<Account, Error> {
        let host = host.trim().trim_end_matches('.').to_ascii_lowercase();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
        if host.is_empty() || !host.chars().all(plain) {
            let error = Error::config(format!("`{}` is no host name", crate::text::shown(&host)));
            return Err(
                error.with_hint("DUO_API_HOST is the API hostname alone, as in api-1234abcd.duosecurity.com")
            );
        }
        if !any_host && !is_duos(&host) {
            let error = Error::config(format!("`{host}` is not one of Duo's API hosts"));
            return Err(error.with_hint(
                "the host is api-*.duosecurity.com or api-*.duofederal.com; `--allow-any-host` lets another one have \
                 the signature",
            ));
        }
        let key = |name: &str, key: &SecretString| {
            let text = key.expose_secret().trim();
            if text.is_empty() || text.chars().any(|c| c.is_whitespace() || c.is_control() || c == ':') {
                let error = Error::config(format!("{name} is empty or is no key"));
                return Err(
                    error.with_hint("copy it again from the Admin API application in Duo's Admin Panel")
                );
            }
            Ok(SecretString::from(text))
        };
        Ok(Account { host, ikey: key("DUO_IKEY", ikey)?, skey: key("DUO_SKEY", skey)? })
    }

    /// The API host, in lower case.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// What tells the integration apart in a state file, without giving its key away.
    pub(super) fn id(&self) -> String {
        let digest = digest(&SHA256, self.ikey.expose_secret().as_bytes());
        crate::text::hex(&digest.as_ref()[..8])
    }

    pub(super) fn ikey(&self) -> &str {
        self.ikey.expose_secret()
    }

    pub(super) fn skey(&self) -> &str {
        self.skey.expose_secret()
    }

    /// What a service said, fit to be shown: without the keys and without signatures, should it repeat them, on one
    /// line, and short.
    pub(super) fn shown(&self, text: &str) -> String {
        let text = self.scrub(text);
        shown_up_to(text.trim(), MOST_SHOWN)
    }

    /// `text` without the keys and without signatures.
    fn scrub(&self, text: &str) -> String {
        let text = text.replace(self.skey(), "[secret]").replace(self.ikey(), "[key]");
        let mut parts = text.split("Basic ");
        let mut scrubbed = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let rest =
                part.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '='));
            scrubbed.push_str("Basic [signature]");
            scrubbed.push_str(rest);
        }
        scrubbed
    }
}

fn is_duos(host: &str) -> bool {
    DOMAINS.iter().any(|domain| {
        let label = host.strip_suffix(domain).and_then(|rest| rest.strip_suffix('.'));
        label.and_then(|label| label.strip_prefix("api-")).is_some_and(|rest| !rest.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        let table = [
            ("api-1234abcd.duosecurity.com", true),
            (" API-1234ABCD.duosecurity.com.\n", true),
            ("api-1.duofederal.com", true),
            ("api-1.gov.duosecurity.com", true),
            ("api-.duosecurity.com", false),
            ("duosecurity.com", false),
            ("api-1.duosecurity.com.evil.example", false),
            ("api-1.evilduosecurity.com", false),
            ("evil.example/api-1.duosecurity.com", false),
            ("https://api-1.duosecurity.com", false),
            ("127.0.0.1", false),
            ("", false),
        ];
        let key = SecretString::from("k");
        for (host, right) in table {
            assert_eq!(Account::new(host, &key, &key, false).is_ok(), right, "{host}");
        }
        assert!(Account::new("127.0.0.1", &key, &key, true).is_ok());
        assert!(Account::new("a/b", &key, &key, true).is_err());
        for bad in ["", " ", "a b", "a:b"] {
            assert!(Account::new("api-1.duosecurity.com", &key, &SecretString::from(bad), false).is_err());
        }
    }

    #[test]
    fn keys_stay_secret() {
        let account =
            Account::new("api-1.duosecurity.com", &"DIKEYKEY".into(), &"deadbeef".into(), false).unwrap();
        let shown = format!("{account:?} {}", account.id());
        assert!(!shown.contains("DIKEYKEY") && !shown.contains("deadbeef"), "{shown}");
        assert_eq!(account.scrub("DIKEYKEY:deadbeef!"), "[key]:[secret]!");
        assert_eq!(account.scrub("a: Basic REk6YQ==<br>"), "a: Basic [signature]<br>");
    }

    #[test]
    fn what_a_service_says_is_shown_short_on_one_line_and_without_keys() {
        let account =
            Account::new("api-1.duosecurity.com", &"DIKEYKEY".into(), &"deadbeef".into(), false).unwrap();
        assert_eq!(account.shown(" a\u{1b}[31m\n::error\u{202e} "), "a\\u{1b}[31m\\n::error\\u{202e}");
        // A key at the place where the text is cut is not shown in part.
        let shown = account.shown(&format!("{}deadbeef", "x".repeat(MOST_SHOWN - 4)));
        assert!(shown.ends_with("x[sec…") && !shown.contains("dead"), "{shown}");
    }
}
