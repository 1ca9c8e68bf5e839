//! What a run is told, typed and with defaults.
//!
//! Each front end fills the same struct: the command from its options, a function for AWS Lambda from the environment
//! ([`Settings::read`]). What a setting makes sense with is checked when a [`Collector`] is made of them.

use super::client::Client;
use super::clock::{Clock, SystemClock};
use super::collector::Collector;
use super::derive::{Derivation, Derive};
use super::logs::Log;
use super::places::Places;
use super::sign::Signature;
use super::transport::{Https, Transport};
use super::window::{DAY, Plan};
use super::{Credentials, Error, together};
use crate::jobs::settings::{
    Environment, Lookup, When, compression, named, one_of, switch, time, when, whole,
};
use crate::store::Compression;
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
/// The prefix of the deployment that this collector replaces, and of the other logs.
const OLD_PREFIX: &str = "duo-{log}/";

/// The settings of a collector. [`Settings::read`] makes them; a program may change them before
/// [`Settings::open`].
#[derive(Debug, Clone)]
pub struct Settings {
    /// What to collect: `UDMAP_LOGS`, names with commas between them (telephony).
    pub logs: Vec<&'static Log>,
    /// Duo's API host: `DUO_API_HOST`, or a file: `DUO_API_HOST_FILE`.
    pub host: Option<String>,
    /// The integration key: `DUO_IKEY`, or a file: `DUO_IKEY_FILE`.
    pub ikey: Option<SecretString>,
    /// The secret key: `DUO_SKEY`, or a file: `DUO_SKEY_FILE`.
    pub skey: Option<SecretString>,
    /// Another service than the API host's: `UDMAP_API_URL`.
    pub api_url: Option<Url>,
    /// Whether the host may be one that is not Duo's: `UDMAP_ALLOW_ANY_HOST`.
    pub allow_any_host: bool,
    /// A file of further certificate authorities, PEM: `DUO_CA_FILE`.
    pub ca_file: Option<String>,
    /// How requests are signed: `UDMAP_SIGNATURE`.
    pub signature: Signature,
    /// Where the records go: `UDMAP_TO`; else `S3_BUCKET` with `S3_PREFIX`. Must be given. In this and the other places,
    /// `{log}` is the log's name: several logs need it.
    pub to: Option<String>,
    /// Where the state is: `UDMAP_STATE`; else `S3_BUCKET` with `STATE_KEY`. Must be given.
    pub state: Option<String>,
    /// Whether events are made of the records: `UDMAP_CONVERT`. To make them is the caller's part,
    /// see [`Settings::open`].
    pub convert: bool,
    /// Where derived events go: `UDMAP_UDM_TO`; by default next to `to`.
    pub udm_to: Option<String>,
    /// Where derived rejects go: `UDMAP_REJECTS_TO`; by default next to `to`.
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

impl Settings {
    /// What only the environment says: Duo's keys, and the variables of the deployment that this collector replaces.
    /// Everything else is as by default. A blank text is as good as none.
    ///
    /// # Errors
    /// If a value is wrong or a file can't be read; that one is missing shows later.
    pub fn inherited(lookup: Lookup<'_>) -> Result<Settings, Error> {
        let env = Environment(lookup);
        let bucket = env.text("S3_BUCKET");
        let in_bucket = |key: Option<String>| {
            Some(format!("s3://{}/{}", bucket.as_deref()?, key?.trim_start_matches('/')))
        };
        let secret = |name| Ok::<_, Error>(text_or_file(env, name)?.map(SecretString::from));
        Ok(Settings {
            logs: vec![&Log::all()[0]],
            host: text_or_file(env, "DUO_API_HOST")?,
            ikey: secret("DUO_IKEY")?,
            skey: secret("DUO_SKEY")?,
            api_url: None,
            allow_any_host: false,
            ca_file: env.text("DUO_CA_FILE"),
            signature: Signature::default(),
            to: in_bucket(env.text("S3_PREFIX").or_else(|| Some(OLD_PREFIX.into()))),
            state: in_bucket(env.text("STATE_KEY")),
            convert: false,
            udm_to: None,
            rejects_to: None,
            since: When::Ago(DAY),
            until: None,
            overlap: Duration::from_secs(600),
            page_size: MAX_PAGE_SIZE,
            compression: Compression::default(),
            decorate: false,
            request_interval: Duration::from_secs(60),
            retry_wait: Duration::from_secs(1),
            max_pages: env.value("MAX_ITERATIONS", max_pages).map_err(Error::config)?,
        })
    }

    /// Reads all settings from the environment.
    ///
    /// # Errors
    /// If one is wrong; that one is missing shows when they are used.
    pub fn read(lookup: Lookup<'_>) -> Result<Settings, Error> {
        let base = Settings::inherited(lookup)?;
        Settings::over(Environment(lookup), base).map_err(Error::config)
    }

    /// The settings of the environment over others.
    fn over(env: Environment<'_>, base: Settings) -> Result<Settings, String> {
        Ok(Settings {
            logs: env.value("UDMAP_LOGS", Log::listed)?.unwrap_or(base.logs),
            api_url: env.value("UDMAP_API_URL", api_url)?.or(base.api_url),
            allow_any_host: env.value("UDMAP_ALLOW_ANY_HOST", switch)?.unwrap_or(base.allow_any_host),
            signature: env.value("UDMAP_SIGNATURE", signature)?.unwrap_or(base.signature),
            to: env.text("UDMAP_TO").or(base.to),
            state: env.text("UDMAP_STATE").or(base.state),
            convert: env.value("UDMAP_CONVERT", switch)?.unwrap_or(base.convert),
            udm_to: env.text("UDMAP_UDM_TO").or(base.udm_to),
            rejects_to: env.text("UDMAP_REJECTS_TO").or(base.rejects_to),
            since: env.value("UDMAP_SINCE", when)?.unwrap_or(base.since),
            until: env.value("UDMAP_UNTIL", when)?.or(base.until),
            overlap: env.value("UDMAP_OVERLAP", time)?.unwrap_or(base.overlap),
            page_size: env.value("UDMAP_PAGE_SIZE", page_size)?.unwrap_or(base.page_size),
            compression: env.value("UDMAP_COMPRESS", compression)?.unwrap_or(base.compression),
            decorate: env.value("UDMAP_DECORATE", switch)?.unwrap_or(base.decorate),
            request_interval: env.value("UDMAP_REQUEST_INTERVAL", time)?.unwrap_or(base.request_interval),
            retry_wait: env.value("UDMAP_RETRY_WAIT", time)?.unwrap_or(base.retry_wait),
            max_pages: env.value("UDMAP_MAX_PAGES", max_pages)?.or(base.max_pages),
            ..base
        })
    }

    /// Makes a collector for each log: over HTTPS, by the system's clock, to where the settings say.
    /// `derive` makes `events` and `rejects` of what is delivered. Nothing is requested, read or
    /// written yet, but for the file of certificates.
    ///
    /// # Errors
    /// If a setting is wrong or missing, or if two logs are not kept apart.
    pub fn open<E: From<Error>>(
        &self,
        derive: impl Fn(&'static Log) -> Result<Option<Arc<dyn Derive>>, E>,
    ) -> Result<Vec<Collector>, E> {
        let authorities =
            self.ca_file.as_deref().map(|path| file("DUO_CA_FILE", path, MOST_CA)).transpose()?;
        let mut collectors: Vec<Collector> = Vec::new();
        for log in &self.logs {
            if collectors.iter().any(|collector| collector.log() == *log) {
                continue;
            }
            let derive = derive(log)?;
            let places = self.places(log, derive.is_some())?;
            let host = self.credentials()?.host().to_owned();
            let base = match &self.api_url {
                Some(url) => url.clone(),
                None => Url::parse(&format!("https://{host}"))
                    .map_err(|error| Error::config(format!("`{host}` is not a host name: {error}")))?,
            };
            let transport = Arc::new(Https::new(base, authorities.as_deref())?);
            collectors.push(self.build(log, places, derive, transport, Arc::new(SystemClock::new()))?);
        }
        together::apart(&collectors)?;
        Ok(collectors)
    }

    /// Makes a collector that asks `transport`, goes by `clock` and writes to `places`.
    ///
    /// # Errors
    /// If a setting is wrong or missing.
    pub fn build(
        &self,
        log: &'static Log,
        places: Places,
        derive: Option<Arc<dyn Derive>>,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Result<Collector, Error> {
        let Places { to, state, derived } = places;
        Ok(Collector {
            client: Client {
                log,
                credentials: self.credentials()?,
                transport,
                clock,
                signature: self.signature,
                retry_wait: self.retry_wait,
            },
            to,
            state,
            derivation: derive.map(|derive| Derivation { derive, targets: derived }),
            plan: Plan {
                log,
                since: self.since,
                until: self.until,
                overlap: i64::try_from(self.overlap.as_millis()).unwrap_or(i64::MAX / 4),
                limit: log.page_size(self.page_size),
                compression: self.compression,
                decorate: self.decorate,
            },
            interval: self.request_interval,
            asked: None,
        })
    }

    fn credentials(&self) -> Result<Credentials, Error> {
        let missing = |name: &str| {
            let error = Error::config(format!("{name} is missing"));
            error
                .with_hint(format!("set {name} in the environment, or {name}_FILE to the file that holds it"))
        };
        let ikey = self.ikey.as_ref().ok_or_else(|| missing("DUO_IKEY"))?;
        let skey = self.skey.as_ref().ok_or_else(|| missing("DUO_SKEY"))?;
        let from_url = self.api_url.as_ref().and_then(Url::host_str);
        let host = self.host.as_deref().or(from_url).ok_or_else(|| missing("DUO_API_HOST"))?;
        let credentials = Credentials::new(host, ikey, skey, self.allow_any_host)?;
        if let Some(url) =
            from_url.filter(|url| !self.allow_any_host && !url.eq_ignore_ascii_case(credentials.host()))
        {
            let error = Error::config(format!("`--api-url` leads to `{url}`, not to the API host"));
            return Err(error.with_hint("`--allow-any-host` lets another host have the signature"));
        }
        Ok(credentials)
    }

    /// A place, given by the setting of this name for all logs, as this log has it.
    ///
    /// # Errors
    /// If it is the same for several.
    pub fn own_place(&self, log: &Log, place: &str, name: &str) -> Result<String, Error> {
        together::own_place(log, &self.logs, place, name)
    }

    /// Opens a log's places; those of what is derived, if something is.
    ///
    /// # Errors
    /// If one is missing or not a place, is inside of another one, or is the same for several logs.
    pub fn places(&self, log: &Log, derives: bool) -> Result<Places, Error> {
        let own = |place: &Option<String>, name: &str| {
            place.as_deref().map(|place| self.own_place(log, place, name)).transpose()
        };
        let given = |place: &Option<String>, name: &str, what: &str| {
            own(place, name)?.ok_or_else(|| Error::config(format!("{} is missing: {what}", named(name))))
        };
        let to = given(&self.to, "UDMAP_TO", "where the records go")?;
        let state = given(&self.state, "UDMAP_STATE", "where the state is kept")?;
        let places = Places::open(&to, &state)?;
        if !derives {
            return Ok(places);
        }
        let udm_to = own(&self.udm_to, "UDMAP_UDM_TO")?;
        let rejects_to = own(&self.rejects_to, "UDMAP_REJECTS_TO")?;
        places.with_derived(&to, udm_to.as_deref(), rejects_to.as_deref())
    }
}

/// The service to ask: `https://HOST[:PORT]`.
pub(crate) fn api_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text.trim()).map_err(|error| error.to_string())?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err("expected https://HOST[:PORT]".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL must not hold credentials".into());
    }
    Ok(url)
}

/// How requests are signed.
pub(crate) fn signature(text: &str) -> Result<Signature, String> {
    one_of(text, &Signature::ALL)
}

/// The most records of a page.
pub(crate) fn page_size(text: &str) -> Result<u32, String> {
    let number = whole(text, 1, u64::from(MAX_PAGE_SIZE))?;
    Ok(u32::try_from(number).unwrap_or(MAX_PAGE_SIZE))
}

/// The most pages of a run.
pub(crate) fn max_pages(text: &str) -> Result<u64, String> {
    whole(text, 1, u64::MAX)
}

/// A setting, or what the file holds that `NAME_FILE` names.
fn text_or_file(env: Environment<'_>, name: &str) -> Result<Option<String>, Error> {
    if let Some(text) = env.text(name) {
        return Ok(Some(text.trim().to_owned()));
    }
    let by_file = format!("{name}_FILE");
    let Some(path) = env.text(&by_file) else { return Ok(None) };
    let text = String::from_utf8(file(&by_file, &path, MOST_KEY)?);
    // Without its content: it is a secret.
    let text = text.map_err(|_| Error::config(format!("the file `{path}` ({by_file}) is not text")))?;
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
        assert_eq!(settings.to.as_deref().unwrap(), "s3://duo-telephony-logs/duo-telephony/");
        assert_eq!(settings.state.as_deref().unwrap(), "s3://duo-telephony-logs/duo-telephony/state.json");
        assert_eq!(settings.max_pages, Some(10));
        assert_eq!(settings.credentials().unwrap().host(), "api-1.duosecurity.com");
        assert!(!format!("{settings:?}").contains("secret"));
    }

    #[test]
    fn wrong_settings_are_named() {
        let base = [("UDMAP_TO", "out"), ("UDMAP_STATE", "state.json")];
        assert!(settings(&base).is_ok());
        let table = [
            ("UDMAP_SINCE", "yesterday", "`yesterday` (UDMAP_SINCE): expected a time"),
            ("UDMAP_OVERLAP", "10", "(UDMAP_OVERLAP): expected a duration"),
            ("UDMAP_PAGE_SIZE", "1001", "from 1 to 1000"),
            ("UDMAP_PAGE_SIZE", "0", "from 1 to 1000"),
            ("UDMAP_COMPRESS", "rar", "gzip, gzip:small, zstd, zstd:N, none"),
            ("UDMAP_SIGNATURE", "v3", "v5, v2-sha512, v2-sha1"),
            ("UDMAP_DECORATE", "maybe", "true or false"),
            ("UDMAP_API_URL", "ftp://x", "https://HOST"),
            ("UDMAP_API_URL", "https://key:secret@x", "must not hold credentials"),
            ("MAX_ITERATIONS", "-1", "MAX_ITERATIONS"),
            ("DUO_SKEY_FILE", "/no/such/file", "DUO_SKEY_FILE"),
            ("DUO_SKEY_FILE", "\u{1b}[31m\n::error::x", r"`\u{1b}[31m\n"),
            ("UDMAP_SINCE", "\u{202e}\u{9b}1m", r"`\u{202e}\u{9b}1m` (UDMAP_SINCE)"),
        ];
        for (name, value, words) in table {
            let error = settings(&[&base[..], &[(name, value)]].concat()).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
        let places = |given: &[(&str, &str)]| settings(given).unwrap().places(&Log::all()[0], false);
        assert!(places(&base).is_ok());
        assert!(places(&base[..1]).unwrap_err().to_string().contains("`--state`"));
        assert!(places(&base[1..]).unwrap_err().to_string().contains("`--to`"));
    }

    #[test]
    #[cfg(unix)]
    fn files_without_an_end_are_not_read_to_it() {
        let base = [("UDMAP_TO", "out"), ("UDMAP_STATE", "state.json")];
        for name in ["DUO_SKEY_FILE", "DUO_IKEY_FILE", "DUO_API_HOST_FILE", "DUO_CA_FILE"] {
            let keys = [("DUO_IKEY", "i"), ("DUO_SKEY", "s"), ("DUO_API_HOST", "api-1.duosecurity.com")];
            let keys = keys.into_iter().filter(|(key, _)| !name.contains(key));
            let given: Vec<_> = base.into_iter().chain(keys).chain([(name, "/dev/zero")]).collect();
            let error =
                settings(&given).and_then(|settings| settings.open(|_| Ok::<_, Error>(None))).unwrap_err();
            assert!(error.to_string().contains("`/dev/zero`") && error.to_string().contains(name), "{error}");
        }
    }
}
