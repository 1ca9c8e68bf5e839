//! Who sends: credentials as Google's own tools find them, and tokens of them.
//!
//! What the file holds, and every token, stays secret: nothing here says a word of them.

use super::Error;
use crate::sync::lock;
use crate::text::shown_up_to;
use google_cloud_auth::credentials::{
    AccessTokenCredentials, external_account, impersonated, mds, service_account, user_account,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

/// What a token may be used for.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// How long getting a token may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How much of what a service says is shown, in characters.
const MOST_SHOWN: usize = 300;
/// How an error that tells a service's answer does so.
const ANSWER: &str = "body=<";
/// The largest file of credentials, in bytes.
const MOST_BYTES: u64 = 1 << 20;
/// Members of a file whose values are secret.
const SECRET: [&str; 4] = ["private_key", "private_key_id", "client_secret", "refresh_token"];

/// Credentials that are given, instead of those that are found.
#[derive(Debug, Clone)]
pub enum GivenCredentials {
    /// A file of JSON.
    File(String),
    /// What such a file holds, which is on no disk.
    Json {
        /// The JSON.
        json: SecretString,
        /// Where it is from, for messages: ``the secret `duo` ``.
        from: String,
    },
}

/// Where credentials were found.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    File { path: PathBuf, named_by: &'static str },
    Given { from: String },
    Metadata,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File { path, named_by } => write!(f, "`{}` ({named_by})", path.display()),
            Place::Given { from } => f.write_str(from),
            Place::Metadata => f.write_str("the metadata server"),
        }
    }
}

/// Credentials, and the token that they gave last.
pub(super) struct Credentials {
    place: Place,
    /// The file's content.
    json: Option<Value>,
    /// What of it must never be shown.
    secrets: Vec<SecretString>,
    current: Mutex<Current>,
}

#[derive(Default)]
struct Current {
    /// How often they were made anew.
    generation: u64,
    credentials: Option<AccessTokenCredentials>,
    token: Option<SecretString>,
}

/// A token.
pub(super) struct Token {
    pub(super) secret: SecretString,
    /// Which making of the credentials gave it.
    pub(super) generation: u64,
}

/// There is no token.
#[derive(Debug)]
pub(super) struct NoToken {
    pub(super) error: Error,
    /// Whether another try may help.
    pub(super) is_passing: bool,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Credentials {
    /// Finds credentials: those that are given, or the file that GOOGLE_APPLICATION_CREDENTIALS names, or gcloud's, or
    /// those of the machine. `lookup` is the environment.
    ///
    /// # Errors
    /// If what is given, or a file that is named, can't be used.
    pub(super) fn find(
        given: Option<&GivenCredentials>,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Credentials, Error> {
        let lookup = |name: &str| lookup(name).filter(|text| !text.trim().is_empty());
        match given {
            Some(GivenCredentials::File(path)) => {
                return Credentials::file(PathBuf::from(path), "--credentials");
            }
            Some(GivenCredentials::Json { json, from }) => {
                return Credentials::read(
                    Place::Given { from: from.clone() },
                    json.expose_secret().as_bytes(),
                );
            }
            None => {}
        }
        if let Some(path) = lookup("GOOGLE_APPLICATION_CREDENTIALS") {
            return Credentials::file(PathBuf::from(path), "GOOGLE_APPLICATION_CREDENTIALS");
        }
        let gcloud = lookup("CLOUDSDK_CONFIG").map(PathBuf::from).or_else(|| match cfg!(windows) {
            true => lookup("APPDATA").map(|root| Path::new(&root).join("gcloud")),
            false => lookup("HOME").map(|root| Path::new(&root).join(".config/gcloud")),
        });
        if let Some(path) = gcloud.map(|folder| folder.join("application_default_credentials.json"))
            && path.exists()
        {
            return Credentials::file(path, "gcloud");
        }
        Ok(Credentials::of(Place::Metadata, None))
    }

    fn of(place: Place, json: Option<Value>) -> Credentials {
        let mut secrets = Vec::new();
        if let Some(json) = &json {
            collect_secrets(json, &mut secrets);
        }
        Credentials { place, json, secrets, current: Mutex::default() }
    }

    fn file(path: PathBuf, named_by: &'static str) -> Result<Credentials, Error> {
        let place = Place::File { path: path.clone(), named_by };
        let unread = |error: std::io::Error| unusable(&place, &error.to_string());
        let metadata = std::fs::metadata(&path).map_err(unread)?;
        if !metadata.is_file() || metadata.len() > MOST_BYTES {
            return Err(unusable(&place, "not a file of credentials"));
        }
        let text = std::fs::read(&path).map_err(unread)?;
        Credentials::read(place, &text)
    }

    fn read(place: Place, text: &[u8]) -> Result<Credentials, Error> {
        // The parser's own words may hold a piece of the text.
        let json: Value = serde_json::from_slice(text).map_err(|_| unusable(&place, "not JSON"))?;
        let kind = json.get("type").and_then(Value::as_str).unwrap_or_default();
        if !["service_account", "authorized_user", "external_account", "impersonated_service_account"]
            .contains(&kind)
        {
            return Err(unusable(&place, "its `type` is not a known one"));
        }
        Ok(Credentials::of(place, Some(json)))
    }

    /// The kind of credentials, and where they were found.
    pub(super) fn described(&self) -> String {
        match &self.place {
            place @ (Place::File { .. } | Place::Given { .. }) => {
                let kind = self.text("type").unwrap_or_default().replace('_', " ");
                format!("{kind} in {place}")
            }
            Place::Metadata => "those of this machine, from the metadata server".into(),
        }
    }

    /// The account, for messages.
    pub(super) fn account(&self) -> String {
        let impersonated = || {
            let url = self.text("service_account_impersonation_url")?;
            Some(url.rsplit('/').next()?.split(':').next()?.to_owned())
        };
        match self.text("client_email").map(str::to_owned).or_else(impersonated) {
            Some(email) => format!("`{email}`"),
            None => match (&self.place, self.text("type")) {
                (Place::Metadata, _) => "this machine's service account".into(),
                (_, Some("authorized_user")) => "the user who logged in with gcloud".into(),
                _ => "the account of the credentials".into(),
            },
        }
    }

    fn text(&self, member: &str) -> Option<&str> {
        self.json.as_ref()?.get(member)?.as_str()
    }

    /// A token that is valid for a while.
    pub(super) async fn token(&self) -> Result<Token, NoToken> {
        let (known, generation) = {
            let current = lock(&self.current);
            (current.credentials.clone(), current.generation)
        };
        let credentials = match known {
            Some(known) => known,
            None => {
                // Not under the lock, which an error's words need, too.
                let made = self.make().map_err(|error| NoToken { error, is_passing: false })?;
                let mut current = lock(&self.current);
                if current.generation == generation {
                    current.credentials = Some(made.clone());
                }
                made
            }
        };
        let failed = |why: String, is_passing| NoToken { error: self.no_token(&why), is_passing };
        match tokio::time::timeout(TIMEOUT, credentials.access_token()).await {
            Ok(Ok(token)) => {
                let secret = SecretString::from(token.token);
                lock(&self.current).token = Some(secret.clone());
                Ok(Token { secret, generation })
            }
            Ok(Err(error)) => {
                let why = root_cause(&error);
                if error.is_transient() {
                    // The next try asks at once.
                    self.renew(generation);
                }
                Err(failed(why, error.is_transient()))
            }
            Err(_) => Err(failed("no answer in time".into(), true)),
        }
    }

    /// Forgets the token, if it is still the one of this making.
    pub(super) fn renew(&self, generation: u64) {
        let mut current = lock(&self.current);
        if current.generation == generation {
            current.generation += 1;
            current.credentials = None;
        }
    }

    fn make(&self) -> Result<AccessTokenCredentials, Error> {
        let json = self.json.clone();
        let made = match (json, self.text("type")) {
            (None, _) => mds::Builder::default().with_scopes([SCOPE]).build_access_token_credentials(),
            (Some(json), Some("service_account")) => service_account::Builder::new(json)
                .with_access_specifier(service_account::AccessSpecifier::from_scopes([SCOPE]))
                .build_access_token_credentials(),
            (Some(json), Some("authorized_user")) => {
                user_account::Builder::new(json).with_scopes([SCOPE]).build_access_token_credentials()
            }
            (Some(json), Some("impersonated_service_account")) => {
                impersonated::Builder::new(json).with_scopes([SCOPE]).build_access_token_credentials()
            }
            (Some(json), _) => {
                external_account::Builder::new(json).with_scopes([SCOPE]).build_access_token_credentials()
            }
        };
        made.map_err(|error| self.no_token(&root_cause(&error)))
    }

    fn no_token(&self, why: &str) -> Error {
        let error = Error::new(format!("there is no token from {}: {}", self.described(), self.shown(why)));
        error.with_hint(match &self.place {
            Place::Metadata => {
                "outside of Google Cloud, name a file with `--credentials` or GOOGLE_APPLICATION_CREDENTIALS"
            }
            Place::File { .. } | Place::Given { .. } => {
                "check the credentials, whether the account still exists, and this machine's clock"
            }
        })
    }

    /// What a service said, fit to be shown: without secrets, on one line, and short.
    pub(super) fn shown(&self, text: &str) -> String {
        let mut text = text.to_owned();
        let token = lock(&self.current).token.clone();
        for secret in self.secrets.iter().chain(&token) {
            text = text.replace(secret.expose_secret(), "[secret]");
        }
        shown_up_to(without_tokens(&text).trim(), MOST_SHOWN)
    }
}

fn unusable(place: &Place, why: &str) -> Error {
    let error = Error::new(format!("the credentials {place}: {why}"));
    error.with_hint(
        "expected the JSON of a service account's key, of workload identity federation (external_account), or what \
         `gcloud auth application-default login` writes",
    )
}

/// What went wrong at the bottom, or what a service answered: all above repeats that something did.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        if cause.to_string().contains(ANSWER) {
            break;
        }
        cause = next;
    }
    let mut text = cause.to_string();
    for verdict in [" but future attempts may succeed", " and future attempts will not succeed"] {
        text = text.replace(verdict, "");
    }
    text
}

/// Collects the secrets of a file: whole, and line by line, as a key may be repeated in parts.
fn collect_secrets(json: &Value, to: &mut Vec<SecretString>) {
    match json {
        Value::Object(members) => {
            for (key, value) in members {
                match value {
                    Value::String(text) if SECRET.contains(&key.as_str()) => {
                        let parts = text.lines().filter(|line| line.len() >= 8 && !line.starts_with("-----"));
                        to.extend(
                            std::iter::once(text.as_str())
                                .chain(parts)
                                .filter(|part| !part.is_empty())
                                .map(SecretString::from),
                        );
                    }
                    _ => collect_secrets(value, to),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect_secrets(value, to)),
        _ => {}
    }
}

/// A text without what looks like a token: a JWT, a token of Google's, or what follows `Bearer`.
fn without_tokens(text: &str) -> String {
    let is_token =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '+' | '=' | '~');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = rest.find(|c| !is_token(c)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(if length == 0 { first.len_utf8() } else { length });
        let is_secret =
            word.starts_with("eyJ") || word.contains("ya29.") || word.len() > 1 && out.ends_with("Bearer ");
        out.push_str(if is_secret { "[secret]" } else { word });
        rest = behind;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_in_the_order_of_googles_tools() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let key = r#"{"type":"service_account","client_email":"a@p.iam","private_key":"-----BEGIN\nAAAABBBBCCCC\n-----END"}"#;
        let (one, two) = (
            write("one.json", key),
            write("two.json", r#"{"type":"authorized_user","refresh_token":"1//x"}"#),
        );
        let home = folder.path().to_str().unwrap().to_owned();
        let config = write("sdk/application_default_credentials.json", key);
        let find = |given: Option<&str>, variables: &[(&str, &str)]| {
            let lookup =
                |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
            let given = given.map(|path| GivenCredentials::File(path.to_owned()));
            Credentials::find(given.as_ref(), &lookup)
                .map(|credentials| (credentials.described(), credentials.account()))
        };
        let adc = ("GOOGLE_APPLICATION_CREDENTIALS", two.as_str());
        let (what, account) = find(Some(&one), &[adc]).unwrap();
        assert_eq!(
            (what, account),
            (format!("service account in `{one}` (--credentials)"), "`a@p.iam`".into())
        );
        assert!(find(None, &[adc, ("HOME", &home)]).unwrap().0.contains("(GOOGLE_APPLICATION_CREDENTIALS)"));
        let sdk = format!("{home}/sdk");
        assert!(find(None, &[("CLOUDSDK_CONFIG", &sdk)]).unwrap().0.contains(&config));
        assert!(find(None, &[("HOME", &home)]).unwrap().0.contains("metadata server"));
        for bad in ["[]", "{", r#"{"type":"x","private_key":"hidden"}"#] {
            let error = find(Some(&write("bad.json", bad)), &[]).unwrap_err();
            assert!(!error.to_string().contains("hidden") && error.hint().is_some());
        }
        assert!(find(Some("/nowhere"), &[]).is_err());
    }

    #[tokio::test]
    async fn token_never_shows() {
        let json = serde_json::json!({"type": "service_account", "private_key": "-----BEGIN\nAAAABBBB1234\n-----END",
            "source_credentials": {"refresh_token": "1//refresh", "client_secret": "clientsecret"}});
        let credentials = Credentials::of(Place::Metadata, Some(json));
        lock(&credentials.current).token = Some("opaque-token".into());
        let said = "Bearer abc.def eyJhbGciOi.J9.x \"ya29.a0Af_x\" AAAABBBB1234 1//refresh clientsecret opaque-token\u{1b} é";
        assert_eq!(
            credentials.shown(said),
            "Bearer [secret] [secret] \"[secret]\" [secret] [secret] [secret] [secret]\\u{1b} é"
        );
        assert!(!format!("{credentials:?}").contains("AAAA"));

        // A file that nothing can be made of is an error, and not a wait without end.
        let json = serde_json::json!({"type": "service_account", "private_key": "hidden-key"});
        let credentials = Credentials::of(Place::Metadata, Some(json));
        let no = credentials.token().await.err().unwrap();
        assert!(!no.is_passing && !no.error.to_string().contains("hidden-key"), "{}", no.error);
    }
}
