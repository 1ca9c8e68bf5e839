//! Where events and logs go: an instance of SecOps, and the method of its API.

use super::Error;
use crate::text::shown;
use url::{Host, Url};

/// The regions that Google's pages name, for a hint. Others are taken, too.
const LOCATIONS: &str = "us, eu, africa-south1, asia-northeast1, asia-south1, asia-southeast1, asia-southeast2, \
                         australia-southeast1, europe-west2, europe-west3, europe-west6, europe-west9, europe-west12, \
                         me-central1, me-central2, me-west1, northamerica-northeast2, southamerica-east1";

/// Raw logs, and what is said of all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawLogs {
    /// SecOps' name of the log's type, such as `DUO_AUTH`.
    pub log_type: String,
    /// `environmentNamespace`.
    pub namespace: Option<String>,
    /// `labels`.
    pub labels: Vec<(String, String)>,
    /// The ID of a forwarder.
    pub forwarder: Option<String>,
}

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    /// UDM events, by `events:import`.
    Events,
    /// Raw logs, by `logs:import`.
    Logs(RawLogs),
}

impl Method {
    /// Its name for people.
    pub fn name(&self) -> &'static str {
        match self {
            Method::Events => "events:import",
            Method::Logs(_) => "logs:import",
        }
    }

    /// The permission that it takes.
    pub(super) fn permission(&self) -> &'static str {
        match self {
            Method::Events => "chronicle.events.import",
            Method::Logs(_) => "chronicle.logs.import",
        }
    }
}

/// An instance of SecOps.
#[derive(Debug, Clone)]
pub struct Target {
    project: String,
    location: String,
    instance: String,
    version: String,
    base: Url,
}

impl Target {
    /// An instance; without `api_url` at the regional host of its location.
    ///
    /// # Errors
    /// If a part is not what can be one, or if a token would go over a network in clear text.
    pub fn new(
        project: &str,
        location: &str,
        instance: &str,
        version: &str,
        api_url: Option<&Url>,
    ) -> Result<Target, Error> {
        let part = |name: &str, text: &str, more: &str| {
            let text = text.trim();
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || more.contains(c);
            if text.is_empty() || text == "." || text == ".." || !text.chars().all(plain) {
                return Err(Error::new(format!("`{name}`: expected a plain name, found `{}`", shown(text))));
            }
            Ok(text.to_owned())
        };
        let location = part("--location", location, "")
            .map_err(|error| error.with_hint(format!("locations are: {LOCATIONS}")))?;
        let base = match api_url {
            Some(url) => url.clone(),
            None => {
                // One page calls the European multi-region `eu`, another one `europe`. In this host it is `eu`.
                let region = if location == "europe" { "eu" } else { &location };
                Url::parse(&format!("https://chronicle.{region}.rep.googleapis.com"))
                    .map_err(|error| Error::new(format!("`--location`: {error}")))?
            }
        };
        Ok(Target {
            project: part("--project", project, ".:")?,
            location,
            instance: part("--instance", instance, "").map_err(|error| {
                error.with_hint(
                    "the instance is the customer ID of SecOps: Settings > SIEM Settings > Profile",
                )
            })?,
            version: part("--api-version", version, "")?,
            base,
        })
    }

    /// `projects/P/locations/L/instances/I`.
    pub(super) fn path(&self) -> String {
        let Target { project, location, instance, .. } = self;
        format!("projects/{project}/locations/{location}/instances/{instance}")
    }

    /// The host, with its port if it has an unusual one.
    pub(super) fn host(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        self.base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// All that a 404 may be about.
    pub(super) fn shown(&self) -> String {
        let Target { project, location, instance, .. } = self;
        format!("project `{project}`, location `{location}`, instance `{instance}`, host `{}`", self.host())
    }

    /// The URL of the instance.
    pub(super) fn instance_url(&self) -> Url {
        let mut url = self.base.clone();
        let base = self.base.path().trim_end_matches('/');
        url.set_path(&format!("{base}/{}/{}", self.version, self.path()));
        url
    }

    /// The URL of a method.
    pub(super) fn method_url(&self, method: &Method) -> Url {
        let mut url = self.instance_url();
        let instance = url.path().to_owned();
        url.set_path(&match method {
            Method::Events => format!("{instance}/events:import"),
            Method::Logs(logs) => format!("{instance}/logTypes/{}/logs:import", logs.log_type),
        });
        url
    }
}

/// A URL of the API: `https:`, or `http:` to this machine.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn api_url(text: &str) -> Result<Url, String> {
    let expected = || "expected a URL such as `https://chronicle.us.rep.googleapis.com`".to_owned();
    let url = Url::parse(text.trim()).map_err(|_| expected())?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(expected());
    }
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err("expected a URL without a name, password or query".into());
    }
    if url.scheme() == "http" && !is_this_machine(&url) {
        return Err(
            "`http:` is only for this machine: a token would go over the network in clear text".into()
        );
    }
    Ok(url)
}

/// Whether a URL leads to this machine.
fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// A log's type, or a forwarder: what may be a part of a path.
///
/// # Errors
/// A sentence, if it is not.
pub fn plain_name(text: &str) -> Result<String, String> {
    let text = text.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if text.is_empty() || !text.chars().all(plain) {
        return Err("expected letters, digits, `-` and `_`".into());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_hosts_and_spellings() {
        let url = |location: &str, api: Option<&str>| {
            let api = api.map(|text| api_url(text).unwrap());
            let target = Target::new("p-1", location, "0-1", "v1", api.as_ref()).unwrap();
            target.method_url(&Method::Events).to_string()
        };
        let path =
            |location: &str| format!("/v1/projects/p-1/locations/{location}/instances/0-1/events:import");
        let table = [
            ("us", None, "https://chronicle.us.rep.googleapis.com"),
            ("eu", None, "https://chronicle.eu.rep.googleapis.com"),
            ("europe", None, "https://chronicle.eu.rep.googleapis.com"),
            ("europe-west2", None, "https://chronicle.europe-west2.rep.googleapis.com"),
            (
                "eu",
                Some("https://europe-chronicle.googleapis.com"),
                "https://europe-chronicle.googleapis.com",
            ),
            ("us", Some("http://127.0.0.1:8080/"), "http://127.0.0.1:8080"),
            ("us", Some("http://[::1]:8080/a/"), "http://[::1]:8080/a"),
        ];
        for (location, api, base) in table {
            assert_eq!(url(location, api), base.to_owned() + &path(location), "{location} {api:?}");
        }
        let logs =
            RawLogs { log_type: "DUO_AUTH".into(), namespace: None, labels: Vec::new(), forwarder: None };
        let target = Target::new("p", "us", "i", "v1alpha", None).unwrap();
        assert_eq!(
            target.method_url(&Method::Logs(logs)).path(),
            "/v1alpha/projects/p/locations/us/instances/i/logTypes/DUO_AUTH/logs:import"
        );
    }

    #[test]
    fn what_can_not_be_a_target_is_refused() {
        for text in [
            "http://example.com",
            "http://10.0.0.1",
            "ftp://localhost",
            "https://a:b@example.com",
            "https://x/?k=1",
            "chronicle",
            "",
            "http://localhost.example.com",
        ] {
            assert!(api_url(text).is_err(), "{text}");
        }
        for part in ["", " ", "a/b", "..", "a b", "a?b", "é"] {
            assert!(Target::new(part, "us", "i", "v1", None).is_err(), "{part}");
            assert!(Target::new("p", part, "i", "v1", None).is_err(), "{part}");
            assert!(Target::new("p", "us", part, "v1", None).is_err(), "{part}");
            assert!(plain_name(part).is_err());
        }
    }
}
