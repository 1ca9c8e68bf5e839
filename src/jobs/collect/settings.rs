//! What a run is told: by name, from the environment or a command line, checked when it is read.
//!
//! Every setting has a name in the environment. A command line gives the same settings under the
//! same names (`--page-size` is `UDMAP_PAGE_SIZE`), so that both have one meaning.

use super::client::Client;
use super::clock::{Clock, SystemClock};
use super::derive::{Derivation, Derive};
use super::parse::{api_url, one_of, switch, when, whole};
use super::run::Collector;
use super::sign::Signature;
use super::transport::{Https, Transport};
use super::window::{Plan, When};
use super::{Account, Error, ErrorKind};
use crate::store::Compression;
use crate::store::objects::StorePath;
use crate::text::shown;
use crate::time::duration;
use secrecy::SecretString;
use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// A page has at most this many records.
const MAX_PAGE_SIZE: u32 = 1_000;
/// A file that holds a key or a host name is not larger, in bytes.
const MOST_KEY: u64 = 64 << 10;
/// A file of certificates is not larger, in bytes.
const MOST_CA: u64 = 16 << 20;
/// The prefix of the deployment that this collector replaces.
const OLD_PREFIX: &str = "duo-telephony/";

/// The settings of a collector. [`Settings::read`] makes them; a program may change them before
/// [`Settings::open`].
#[derive(Debug, Clone)]
pub struct Settings {
    /// Duo's API host: `DUO_API_HOST`, or a file: `DUO_API_HOST_FILE`.
    pub host: Option<String>,
    /// The integration key: `DUO_IKEY`, or a file: `DUO_IKEY_FILE`.
    pub ikey: Option<SecretString>,
    /// The secret key: `DUO_SKEY`, or a file: `DUO_SKEY_FILE`.
    pub skey: Option<SecretString>,
    /// Another service than the API host's: `UDMAP_API_URL`.
    pub api_url: Option<Url>,
    /// Whether the host may be none of Duo's: `UDMAP_ALLOW_ANY_HOST`.
    pub allow_any_host: bool,
    /// Further certificate authorities, PEM: the file `DUO_CA_FILE`.
    pub extra_ca: Option<Vec<u8>>,
    /// How requests are signed: `UDMAP_SIGNATURE`.
    pub signature: Signature,
    /// Where the records go: `UDMAP_TO`; else `S3_BUCKET` with `S3_PREFIX`.
    pub to: String,
    /// Where the state is: `UDMAP_STATE`; else `S3_BUCKET` with `STATE_KEY`.
    pub state: String,
    /// Whether events are made of the records: `UDMAP_CONVERT`. To make them is the caller's part,
    /// see [`Settings::open`].
    pub convert: bool,
    /// Where derived events go: `UDMAP_UDM_TO`; by default beside `to`.
    pub udm_to: Option<String>,
    /// Where derived rejects go: `UDMAP_REJECTS_TO`; by default beside `to`.
    pub rejects_to: Option<String>,
    /// Where the first run begins: `UDMAP_SINCE` (a day ago).
    pub since: When,
    /// Nothing later is collected: `UDMAP_UNTIL`.
    pub until: Option<When>,
    /// How far a window reaches back into the one before it: `UDMAP_OVERLAP` (10 minutes).
    pub overlap: Duration,
    /// The most records of a page, 1 to 1,000: `UDMAP_PAGE_SIZE` (1,000).
    pub page_size: u32,
    /// How objects are compressed: `UDMAP_COMPRESS` (gzip).
    pub compression: Compression,
    /// Whether records get `host`, `eventtype` and `timestamp`: `UDMAP_DECORATE`.
    pub decorate: bool,
    /// The pause between two requests: `UDMAP_REQUEST_INTERVAL` (a minute). It is at most five
    /// seconds while a run is more than two hours behind.
    pub request_interval: Duration,
    /// The first wait after a failure: `UDMAP_RETRY_WAIT` (a second).
    pub retry_wait: Duration,
    /// The most pages of a run: `UDMAP_MAX_PAGES`; else `MAX_ITERATIONS`.
    pub max_pages: Option<u64>,
}

/// Where a collector reads and writes.
#[derive(Debug, Clone)]
pub struct Places {
    /// For the records.
    pub to: StorePath,
    /// The state: one object.
    pub state: StorePath,
    /// For what is derived, by the name of the target: `events` and `rejects`.
    pub derived: Vec<(&'static str, StorePath)>,
}

/// Gives the text of a setting by its name in the environment, if it is set.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Settings {
    /// Reads all settings. An empty text is as good as none.
    ///
    /// # Errors
    /// If one is wrong, or if one that is needed is missing; the credentials may be.
    pub fn read(lookup: Lookup<'_>) -> Result<Settings, Error> {
        let get = |name: &str| lookup(name).filter(|text| !text.trim().is_empty());
        let bucket = get("S3_BUCKET");
        let in_bucket = |key: Option<String>| {
            Some(format!("s3://{}/{}", bucket.as_deref()?, key?.trim_start_matches('/')))
        };
        let to = get("UDMAP_TO").or_else(|| in_bucket(get("S3_PREFIX").or_else(|| Some(OLD_PREFIX.into()))));
        let state = get("UDMAP_STATE").or_else(|| in_bucket(get("STATE_KEY")));
        let missing = |name: &str, what: &str| {
            Error::config(format!("{} is missing: {what}", named(name))).with_hint(match name {
                "UDMAP_TO" => "as in `--to s3://bucket/duo-telephony/` or `--to folder`",
                _ => "as in `--state s3://bucket/state/duo-telephony.json`, outside of `--to`",
            })
        };
        let secret = |name| Ok::<_, Error>(read_or_file(&get, name)?.map(SecretString::from));
        Ok(Settings {
            host: read_or_file(&get, "DUO_API_HOST")?,
            ikey: secret("DUO_IKEY")?,
            skey: secret("DUO_SKEY")?,
            api_url: parsed(&get, "UDMAP_API_URL", api_url)?,
            allow_any_host: parsed(&get, "UDMAP_ALLOW_ANY_HOST", switch)?.unwrap_or(false),
            extra_ca: get("DUO_CA_FILE").map(|path| file("DUO_CA_FILE", &path, MOST_CA)).transpose()?,
            signature: parsed(&get, "UDMAP_SIGNATURE", |text| one_of(text, &Signature::ALL))?
                .unwrap_or_default(),
            to: to.ok_or_else(|| missing("UDMAP_TO", "where the records go"))?,
            state: state.ok_or_else(|| missing("UDMAP_STATE", "where the state is kept"))?,
            convert: parsed(&get, "UDMAP_CONVERT", switch)?.unwrap_or(false),
            udm_to: get("UDMAP_UDM_TO"),
            rejects_to: get("UDMAP_REJECTS_TO"),
            since: parsed(&get, "UDMAP_SINCE", when)?.unwrap_or(When::Ago(super::window::DAY)),
            until: parsed(&get, "UDMAP_UNTIL", when)?,
            overlap: parsed(&get, "UDMAP_OVERLAP", duration)?.unwrap_or(Duration::from_secs(600)),
            page_size: parsed(&get, "UDMAP_PAGE_SIZE", |text| whole(text, 1, u64::from(MAX_PAGE_SIZE)))?
                .and_then(|n| u32::try_from(n).ok())
                .unwrap_or(MAX_PAGE_SIZE),
            compression: parsed(&get, "UDMAP_COMPRESS", |text| one_of(text, &Compression::ALL))?
                .unwrap_or_default(),
            decorate: parsed(&get, "UDMAP_DECORATE", switch)?.unwrap_or(false),
            request_interval: parsed(&get, "UDMAP_REQUEST_INTERVAL", duration)?
                .unwrap_or(Duration::from_secs(60)),
            retry_wait: parsed(&get, "UDMAP_RETRY_WAIT", duration)?.unwrap_or(Duration::from_secs(1)),
            max_pages: match parsed(&get, "UDMAP_MAX_PAGES", |text| whole(text, 1, u64::MAX))? {
                Some(most) => Some(most),
                None => parsed(&get, "MAX_ITERATIONS", |text| whole(text, 1, u64::MAX))?,
            },
        })
    }

    /// Makes a collector of the settings: over HTTPS, by the system's clock, to where they say.
    /// `derive` makes `events` and `rejects` of what is delivered. Nothing is requested, read or
    /// written yet.
    ///
    /// # Errors
    /// If a setting is wrong or missing.
    pub fn open(&self, derive: Option<Arc<dyn Derive>>) -> Result<Collector, Error> {
        let host = self.account()?.host().to_owned();
        let base = match &self.api_url {
            Some(url) => url.clone(),
            None => Url::parse(&format!("https://{host}"))
                .map_err(|error| Error::config(format!("`{host}` is no host name: {error}")))?,
        };
        let transport = Https::new(base, self.extra_ca.as_deref())?;
        let places = self.places(derive.is_some())?;
        self.build(places, derive, Arc::new(transport), Arc::new(SystemClock::new()))
    }

    /// Makes a collector that asks `transport`, goes by `clock` and writes to `places`.
    ///
    /// # Errors
    /// If a setting is wrong or missing.
    pub fn build(
        &self,
        places: Places,
        derive: Option<Arc<dyn Derive>>,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Result<Collector, Error> {
        let Places { to, state, derived } = places;
        Ok(Collector {
            client: Client {
                account: self.account()?,
                transport,
                clock,
                signature: self.signature,
                retry_wait: self.retry_wait,
            },
            to,
            state,
            derivation: derive.map(|derive| Derivation { derive, targets: derived }),
            plan: Plan {
                since: self.since,
                until: self.until,
                overlap: i64::try_from(self.overlap.as_millis()).unwrap_or(i64::MAX / 4),
                limit: self.page_size,
                compression: self.compression,
                decorate: self.decorate,
            },
            interval: self.request_interval,
            asked: None,
        })
    }

    fn account(&self) -> Result<Account, Error> {
        let missing = |name: &str| {
            let error = Error::config(format!("{name} is missing"));
            error
                .with_hint(format!("set {name} in the environment, or {name}_FILE to the file that holds it"))
        };
        let ikey = self.ikey.as_ref().ok_or_else(|| missing("DUO_IKEY"))?;
        let skey = self.skey.as_ref().ok_or_else(|| missing("DUO_SKEY"))?;
        let from_url = self.api_url.as_ref().and_then(Url::host_str);
        let host = self.host.as_deref().or(from_url).ok_or_else(|| missing("DUO_API_HOST"))?;
        let account = Account::new(host, ikey, skey, self.allow_any_host)?;
        if let Some(url) =
            from_url.filter(|url| !self.allow_any_host && !url.eq_ignore_ascii_case(account.host()))
        {
            let error = Error::config(format!("`--api-url` leads to `{url}`, not to the API host"));
            return Err(error.with_hint("`--allow-any-host` lets another host have the signature"));
        }
        Ok(account)
    }

    /// Opens the places; those of what is derived, if that is wanted. A feed reads all below its
    /// prefix, so each kind of object has its own.
    ///
    /// # Errors
    /// If one is no place, or lies inside of another one.
    pub fn places(&self, derives: bool) -> Result<Places, Error> {
        let (to, state) = (prefix(&self.to)?, open(StorePath::object(&self.state))?);
        if !derives {
            return Ok(Places { to, state, derived: Vec::new() });
        }
        let place = |given: &Option<String>, name: &str, flag: &str| -> Result<StorePath, Error> {
            let text = given.clone().or_else(|| beside(&self.to, name)).ok_or_else(|| {
                let error = Error::config(format!("{} is missing: `--to` is a whole bucket", named(flag)));
                error.with_hint(
                    "a feed reads all below its prefix: give the events a bucket or prefix of their own",
                )
            })?;
            prefix(&text)
        };
        let events = place(&self.udm_to, "udm", "UDMAP_UDM_TO")?;
        let rejects = place(&self.rejects_to, "rejects", "UDMAP_REJECTS_TO")?;
        let all = [("--to", &to), ("--udm-to", &events), ("--rejects-to", &rejects)];
        for (inner, a) in all {
            for (outer, b) in all.iter().filter(|(name, _)| *name != inner) {
                if b.holds(a) {
                    let error = Error::config(format!("`{inner}` lies inside `{outer}`: `{}`", a.name("")));
                    return Err(
                        error.with_hint("a feed reads all below its prefix: give each a prefix of its own")
                    );
                }
            }
        }
        Ok(Places { to, state, derived: vec![("events", events), ("rejects", rejects)] })
    }
}

/// `s3://bucket/logs/duo/` and `udm` become `s3://bucket/logs/udm-duo/`; nothing for a whole bucket.
fn beside(to: &str, name: &str) -> Option<String> {
    let path = to.trim_end_matches('/');
    let start = path.find("://").map_or(0, |at| at + 3);
    match path[start..].rfind('/') {
        Some(at) => Some(format!("{}{name}-{}/", &path[..=start + at], &path[start + at + 1..])),
        None if start == 0 && !path.is_empty() => Some(format!("{name}-{path}/")),
        None => None,
    }
}

fn open(place: Result<StorePath, crate::store::Error>) -> Result<StorePath, Error> {
    place.map_err(|error| Error::store(ErrorKind::Config, &error))
}

fn prefix(text: &str) -> Result<StorePath, Error> {
    open(StorePath::prefix(text))
}

/// The setting's names for a message: `--page-size` (UDMAP_PAGE_SIZE).
fn named(name: &str) -> String {
    match name.strip_prefix("UDMAP_") {
        Some(rest) => format!("`--{}` ({name})", rest.to_ascii_lowercase().replace('_', "-")),
        None => name.to_owned(),
    }
}

fn parsed<T>(
    get: &dyn Fn(&str) -> Option<String>,
    name: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, Error> {
    let parse = |text: String| {
        let text = text.trim();
        parse(text)
            .map_err(|why| Error::config(format!("`{}` does not fit {}: {why}", shown(text), named(name))))
    };
    get(name).map(parse).transpose()
}

/// A setting, or what the file holds that `NAME_FILE` names.
fn read_or_file(get: &dyn Fn(&str) -> Option<String>, name: &str) -> Result<Option<String>, Error> {
    if let Some(text) = get(name) {
        return Ok(Some(text.trim().to_owned()));
    }
    let by_file = format!("{name}_FILE");
    let Some(path) = get(&by_file) else { return Ok(None) };
    let text = String::from_utf8(file(&by_file, &path, MOST_KEY)?);
    // Without its content: it is a secret.
    let text = text.map_err(|_| Error::config(format!("the file `{path}` ({by_file}) is no text")))?;
    Ok(Some(text.trim().to_owned()))
}

/// What a file holds, which may be a pipe, but has an end.
fn file(name: &str, path: &str, most: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes));
    read.map_err(|error| Error::config(format!("cannot read `{path}` ({name}): {error}")))?;
    if bytes.len() as u64 > most {
        let error = Error::config(format!("the file `{path}` ({name}) is larger than {} KiB", most >> 10));
        return Err(error.with_hint("is it the right file?"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(given: &[(&str, &str)]) -> Result<Settings, Error> {
        let given: Vec<(String, String)> = given.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        Settings::read(&|name| given.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()))
    }

    #[test]
    fn the_old_deployments_names_work() {
        let old = [
            ("S3_BUCKET", "duo-telephony-logs"),
            ("S3_PREFIX", "duo-telephony/"),
            ("STATE_KEY", "duo-telephony/state.json"),
            ("DUO_IKEY", "DI\n"),
            ("DUO_SKEY", " secret "),
            ("DUO_API_HOST", "api-1.duosecurity.com"),
            ("MAX_ITERATIONS", "10"),
        ];
        let settings = settings(&old).unwrap();
        assert_eq!(settings.to, "s3://duo-telephony-logs/duo-telephony/");
        assert_eq!(settings.state, "s3://duo-telephony-logs/duo-telephony/state.json");
        assert_eq!(settings.max_pages, Some(10));
        assert_eq!(settings.account().unwrap().host(), "api-1.duosecurity.com");
        assert!(!format!("{settings:?}").contains("secret"));
    }

    #[test]
    fn wrong_settings_are_named() {
        let base = [("UDMAP_TO", "out"), ("UDMAP_STATE", "state.json")];
        assert!(settings(&base).is_ok());
        let table = [
            (
                "UDMAP_SINCE",
                "yesterday",
                "`yesterday` does not fit `--since` (UDMAP_SINCE): wanted is a time",
            ),
            ("UDMAP_OVERLAP", "10", "`--overlap`"),
            ("UDMAP_PAGE_SIZE", "1001", "from 1 to 1000"),
            ("UDMAP_PAGE_SIZE", "0", "from 1 to 1000"),
            ("UDMAP_COMPRESS", "rar", "gzip, zstd, none"),
            ("UDMAP_SIGNATURE", "v3", "v5, v2-sha512, v2-sha1"),
            ("UDMAP_DECORATE", "maybe", "true or false"),
            ("UDMAP_API_URL", "ftp://x", "https://HOST"),
            ("UDMAP_API_URL", "https://key:secret@x", "no place for credentials"),
            ("MAX_ITERATIONS", "-1", "MAX_ITERATIONS"),
            ("DUO_SKEY_FILE", "/no/such/file", "DUO_SKEY_FILE"),
            ("DUO_SKEY_FILE", "\u{1b}[31m\n::error::x", r"`\u{1b}[31m\n"),
            ("UDMAP_SINCE", "\u{202e}\u{9b}1m", r"`\u{202e}\u{9b}1m` does not fit"),
        ];
        for (name, value, words) in table {
            let error = settings(&[&base[..], &[(name, value)]].concat()).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
        assert!(settings(&base[..1]).unwrap_err().to_string().contains("`--state`"));
        assert!(settings(&base[1..]).unwrap_err().to_string().contains("`--to`"));
    }

    #[test]
    #[cfg(unix)]
    fn files_without_an_end_are_not_read_to_it() {
        let base = [("UDMAP_TO", "out"), ("UDMAP_STATE", "state.json")];
        for name in ["DUO_SKEY_FILE", "DUO_IKEY_FILE", "DUO_API_HOST_FILE", "DUO_CA_FILE"] {
            let error = settings(&[&base[..], &[(name, "/dev/zero")]].concat()).unwrap_err();
            assert!(error.to_string().contains("`/dev/zero`") && error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn each_kind_of_object_has_a_place_of_its_own() {
        let table = [
            ("s3://b/logs/duo/", Some("s3://b/logs/udm-duo/")),
            ("s3://b/duo", Some("s3://b/udm-duo/")),
            ("s3://b", None),
            ("s3://b/", None),
            ("/data/duo", Some("/data/udm-duo/")),
            ("duo/", Some("udm-duo/")),
        ];
        for (to, expected) in table {
            assert_eq!(beside(to, "udm").as_deref(), expected, "{to}");
        }
    }
}
