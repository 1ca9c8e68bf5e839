//! What the environment and profiles say of a bucket's service, checked before it is used: the crates below take a value
//! that fits nowhere for a fault of the program.

use super::profile::{self, Profile};
use crate::text::shown;
use object_store::aws::{AmazonS3ConfigKey as Key, AwsCredential};
use object_store::client::{HttpRequest, HttpRequestBody};
use std::ffi::OsString;
use std::path::Path;
use url::{Host, Url};

/// What a variable of the environment says.
pub(super) type Lookup<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// The longest file of a token or of certificates.
const MOST_FILE: u64 = 4 << 20;

/// A setting that can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// What is wrong, with the name of the setting; never a secret.
    pub(crate) why: String,
    /// What to do.
    pub(crate) hint: Option<String>,
}

impl Wrong {
    pub(super) fn new(why: impl Into<String>) -> Wrong {
        Wrong { why: why.into(), hint: None }
    }

    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Wrong {
        self.hint = Some(hint.into());
        self
    }
}

/// What S3 is asked with.
#[derive(Debug)]
pub(super) struct Settings {
    /// What the crate is told, checked.
    pub(super) config: Vec<(Key, String)>,
    pub(super) credentials: Credentials,
    pub(super) allow_http: bool,
    /// Certificates to trust besides the system's, as PEM.
    pub(super) certificates: Option<Vec<u8>>,
}

/// Where credentials come from.
pub(super) enum Credentials {
    /// Requests go unsigned.
    None,
    Keys(AwsCredential),
    /// A program prints them.
    Program(String),
    /// The crate gets them by what the settings say: a web identity, or a container's service.
    Service,
    /// The instance's metadata service, where there is one.
    Instance {
        disabled: bool,
    },
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials")
    }
}

/// What a value must look like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Switch,
    Payer,
    Url,
    Region,
    KeyId,
    Secret,
    Token,
    /// Anything that can stand in a header.
    Word,
    Session,
    Arn,
}

/// Variables that the crate knows by their names, and the forms of their values.
const VARIABLES: [(&str, Form); 17] = [
    ("AWS_SESSION_TOKEN", Form::Token),
    ("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", Form::Switch),
    ("AWS_S3_EXPRESS", Form::Switch),
    ("AWS_UNSIGNED_PAYLOAD", Form::Switch),
    ("AWS_IMDSV1_FALLBACK", Form::Switch),
    ("AWS_DISABLE_TAGGING", Form::Switch),
    ("AWS_REQUEST_PAYER", Form::Payer),
    ("AWS_CHECKSUM_ALGORITHM", Form::Word),
    ("AWS_ROLE_ARN", Form::Arn),
    ("AWS_ROLE_SESSION_NAME", Form::Session),
    ("AWS_ENDPOINT_URL_STS", Form::Url),
    ("AWS_METADATA_ENDPOINT", Form::Url),
    ("AWS_SERVER_SIDE_ENCRYPTION", Form::Word),
    ("AWS_SSE_KMS_KEY_ID", Form::Word),
    ("AWS_SSE_BUCKET_KEY_ENABLED", Form::Switch),
    ("AWS_SSE_CUSTOMER_KEY_BASE64", Form::Token),
    ("AWS_CONDITIONAL_PUT", Form::Word),
];

/// The environment, with profiles where it says less.
struct Environment<'a> {
    lookup: Lookup<'a>,
    profile: Option<Profile>,
}

/// A value, and the setting that has it, for messages.
struct Given {
    setting: String,
    value: String,
}

/// A variable's value. An empty one is none.
pub(super) fn variable(lookup: Lookup<'_>, name: &str) -> Result<Option<String>, Wrong> {
    match lookup(name).map(OsString::into_string) {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value).filter(|value| !value.trim().is_empty())),
        Some(Err(_)) => Err(Wrong::new(format!("`{name}` is not UTF-8"))),
    }
}

impl Environment<'_> {
    fn get(&self, name: &str) -> Result<Option<Given>, Wrong> {
        let value = variable(self.lookup, name)?;
        Ok(value.map(|value| Given { setting: format!("`{name}`"), value }))
    }

    /// The first of some variables, or else what the profile says.
    fn first(&self, names: &[&str], field: &str) -> Result<Option<Given>, Wrong> {
        for name in names {
            if let Some(given) = self.get(name)? {
                return Ok(Some(given));
            }
        }
        Ok(self
            .profile
            .as_ref()
            .and_then(|profile| profile.get(field))
            .map(|(setting, value)| Given { setting, value }))
    }

    fn switch(&self, name: &str) -> Result<bool, Wrong> {
        match self.get(name)? {
            Some(given) => {
                given.check(Form::Switch)?;
                Ok(truthy(&given.value))
            }
            None => Ok(false),
        }
    }
}

/// What the environment says of S3. `anonymous`: requests go unsigned, whatever it says.
pub(super) fn s3(lookup: Lookup<'_>, anonymous: bool) -> Result<Settings, Wrong> {
    let mut environment = Environment { lookup, profile: None };
    let anonymous = environment.switch("AWS_SKIP_SIGNATURE")? || anonymous;
    environment.profile = profile::named(lookup, anonymous)?;
    let allow_http = environment.switch("AWS_ALLOW_HTTP")?;
    let mut config = Vec::new();
    for (name, form) in VARIABLES {
        if let (Some(given), Ok(key)) = (environment.get(name)?, name.to_ascii_lowercase().parse()) {
            given.check(form)?;
            config.push((key, given.value));
        }
    }
    if config.iter().any(|(key, value)| *key == Key::ConditionalPut && !value.eq_ignore_ascii_case("etag")) {
        return Err(Wrong::new(
            "`AWS_CONDITIONAL_PUT` must be `etag`: that objects are written once rests on it",
        )
        .with_hint("unset it"));
    }
    let endpoint =
        environment.first(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"], "endpoint_url")?;
    if let Some(given) = &endpoint {
        let url = given.url()?;
        if url.scheme() == "http" && !allow_http {
            return Err(Wrong::new(format!(
                "{} begins with `http://`, and requests are to be encrypted",
                given.setting
            ))
            .with_hint("set `AWS_ALLOW_HTTP=true` if the way to the service is safe, or use `https://`"));
        }
        config.push((Key::Endpoint, given.value.clone()));
    }
    if let Some(given) = environment.first(&["AWS_REGION", "AWS_DEFAULT_REGION"], "region")? {
        given.check(Form::Region)?;
        if endpoint.is_none() && is_zone(&given.value) {
            let region = &given.value[..given.value.len() - 1];
            return Err(Wrong::new(format!("{} is an availability zone: `{}`", given.setting, given.value))
                .with_hint(format!("its region is `{region}`")));
        }
        config.push((Key::Region, given.value));
    }
    proxies(lookup, endpoint.as_ref().is_none_or(|given| given.value.starts_with("https")))?;
    let certificates = certificates(lookup)?;
    let credentials = if anonymous { Credentials::None } else { environment.credentials(&mut config)? };
    Ok(Settings { config, credentials, allow_http, certificates })
}

impl Environment<'_> {
    /// In the order of AWS's own tools: keys, web identity, profile, container, instance. A profile that is named comes
    /// before roles.
    fn credentials(&self, config: &mut Vec<(Key, String)>) -> Result<Credentials, Wrong> {
        let (id, secret) = (self.get("AWS_ACCESS_KEY_ID")?, self.get("AWS_SECRET_ACCESS_KEY")?);
        let token = self.get("AWS_SESSION_TOKEN")?;
        match (id, secret) {
            (Some(id), Some(secret)) => return keys(id, secret, token),
            (Some(_), None) => {
                return Err(Wrong::new("`AWS_ACCESS_KEY_ID` is set, and `AWS_SECRET_ACCESS_KEY` is not"));
            }
            (None, Some(_)) => {
                return Err(Wrong::new("`AWS_SECRET_ACCESS_KEY` is set, and `AWS_ACCESS_KEY_ID` is not"));
            }
            (None, None) => {}
        }
        if let Some(profile) = &self.profile {
            let field = |name: &str| profile.get(name).map(|(setting, value)| Given { setting, value });
            match (field("aws_access_key_id"), field("aws_secret_access_key")) {
                (Some(id), Some(secret)) => return keys(id, secret, field("aws_session_token")),
                (Some(given), None) => {
                    return Err(Wrong::new(format!(
                        "{} has no `aws_secret_access_key` with it",
                        given.setting
                    )));
                }
                (None, Some(given)) => {
                    return Err(Wrong::new(format!("{} has no `aws_access_key_id` with it", given.setting)));
                }
                (None, None) => {}
            }
            if let Some(program) = field("credential_process") {
                return Ok(Credentials::Program(program.value));
            }
            profile.refuse_roles()?;
        }
        let file = |name: &str| -> Result<Option<String>, Wrong> {
            let Some(given) = self.get(name)? else { return Ok(None) };
            let text = read(&given.setting, &given.value)?;
            if text.is_empty() {
                return Err(Wrong::new(format!(
                    "the file of {}, `{}`, is empty",
                    given.setting,
                    shown(&given.value)
                )));
            }
            if let Some(what) = foreign(&text, |c| c.is_ascii_graphic() || c == ' ') {
                let why = format!(
                    "the token in the file of {}, `{}`, has {what}",
                    given.setting,
                    shown(&given.value)
                );
                return Err(Wrong::new(why).with_hint("write the token alone to it, without a line break"));
            }
            Ok(Some(given.value))
        };
        // What the crate sends of a web identity's token is escaped, so a line break at its end does no harm.
        if let Some(given) = self.get("AWS_WEB_IDENTITY_TOKEN_FILE")? {
            if read(&given.setting, &given.value)?.trim().is_empty() {
                return Err(Wrong::new(format!(
                    "the file of {}, `{}`, is empty",
                    given.setting,
                    shown(&given.value)
                )));
            }
            if self.get("AWS_ROLE_ARN")?.is_none() {
                return Err(Wrong::new("`AWS_WEB_IDENTITY_TOKEN_FILE` is set, and `AWS_ROLE_ARN` is not"));
            }
            config.push((Key::WebIdentityTokenFile, given.value));
            return Ok(Credentials::Service);
        }
        if let Some(given) = self.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")? {
            if !given.value.starts_with('/') || !is_uri(&format!("http://169.254.170.2{}", given.value)) {
                let found = shown(&given.value);
                return Err(Wrong::new(format!(
                    "{}: expected a path such as `/v2/credentials/ID`, found `{found}`",
                    given.setting
                )));
            }
            config.push((Key::ContainerCredentialsRelativeUri, given.value));
            return Ok(Credentials::Service);
        }
        if let Some(given) = self.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")? {
            let url = given.url()?;
            if url.scheme() == "http" && !is_near(&url) {
                let why = format!(
                    "{} leads to another machine without encryption: `{}`",
                    given.setting,
                    shown(&given.value)
                );
                return Err(
                    Wrong::new(why).with_hint("use `https://`, or an address of this machine or its link")
                );
            }
            let Some(token) = file("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")? else {
                let why =
                    format!("{} is set, and `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE` is not", given.setting);
                return Err(Wrong::new(why)
                    .with_hint("run `eval \"$(aws configure export-credentials --format env)\"` before"));
            };
            config.push((Key::ContainerCredentialsFullUri, given.value));
            config.push((Key::ContainerAuthorizationTokenFile, token));
            return Ok(Credentials::Service);
        }
        Ok(Credentials::Instance { disabled: self.switch("AWS_EC2_METADATA_DISABLED")? })
    }
}

fn keys(id: Given, secret: Given, token: Option<Given>) -> Result<Credentials, Wrong> {
    id.check(Form::KeyId)?;
    secret.check(Form::Secret)?;
    if let Some(token) = &token {
        token.check(Form::Token)?;
    }
    let token = token.map(|given| given.value);
    Ok(Credentials::Keys(AwsCredential { key_id: id.value, secret_key: secret.value, token }))
}

/// What makes keys that came from elsewhere unfit: they would end in a header.
pub(super) fn unfit_keys(credential: &AwsCredential) -> Option<String> {
    let all = [
        ("the key id", Form::KeyId, Some(&credential.key_id)),
        ("the secret key", Form::Secret, Some(&credential.secret_key)),
        ("the session token", Form::Token, credential.token.as_ref()),
    ];
    all.into_iter().find_map(|(name, form, value)| {
        let given = Given { setting: name.to_owned(), value: value?.clone() };
        given.check(form).err().map(|wrong| wrong.why)
    })
}

impl Given {
    fn check(&self, form: Form) -> Result<(), Wrong> {
        let (setting, value) = (&self.setting, self.value.as_str());
        let graphic = |c: char| c.is_ascii_graphic();
        let fails = |expected: &str| {
            Err(Wrong::new(format!("{setting}: expected {expected}, found `{}`", shown(value))))
        };
        // Of what may be secret, only what is wrong with it is said.
        let hidden = |kind: &str, found: &str| {
            Err(Wrong::new(format!("{setting} is not {kind}: it has {found}"))
                .with_hint("copy it again, alone, without quotes, spaces and line breaks"))
        };
        match form {
            Form::Switch if is_switch(value) => Ok(()),
            Form::Switch => fails("`true` or `false`"),
            Form::Payer if is_switch(value) || value.eq_ignore_ascii_case("requester") => Ok(()),
            Form::Payer => fails("`requester`"),
            Form::Url => self.url().map(|_| ()),
            Form::Region
                if value.len() <= 64
                    && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) =>
            {
                Ok(())
            }
            Form::Region => fails("a region such as `eu-west-1`"),
            Form::KeyId => match foreign(value, |c| graphic(c) && !"/,\"'".contains(c)) {
                Some(found) => hidden("a key id", found),
                None => Ok(()),
            },
            Form::Secret if value.trim() != value => hidden("a secret key", "white space at an end"),
            Form::Secret => match foreign(value, |c| graphic(c) || c == ' ') {
                Some(found) => hidden("a secret key", found),
                None => Ok(()),
            },
            Form::Token => match foreign(value, graphic) {
                Some(found) => hidden("a token", found),
                None => Ok(()),
            },
            Form::Word if foreign(value, graphic).is_none() => Ok(()),
            Form::Word => fails("one word"),
            Form::Session
                if value.len() <= 64
                    && foreign(value, |c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)).is_none() =>
            {
                Ok(())
            }
            Form::Session => fails("a session name of letters, digits and `_+=,.@-`"),
            Form::Arn if value.starts_with("arn:") && foreign(value, graphic).is_none() => Ok(()),
            Form::Arn => fails("a role's ARN such as `arn:aws:iam::123456789012:role/NAME`"),
        }
    }

    /// The value as a URL of a service: a scheme, a host, no more than a path behind.
    fn url(&self) -> Result<Url, Wrong> {
        let (setting, value) = (&self.setting, self.value.as_str());
        if value.contains('@') {
            // Not the value: it may hold a password.
            return Err(Wrong::new(format!(
                "{setting}: expected a URL without a name or password, found an `@`"
            ))
            .with_hint("credentials go into `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`"));
        }
        let bare = value.strip_prefix("http://").or_else(|| value.strip_prefix("https://"));
        let found = shown(value);
        let wrong = || {
            Wrong::new(format!(
                "{setting}: expected a URL such as `https://HOST` or `http://HOST:9000`, found `{found}`"
            ))
        };
        if bare.is_none() && !value.contains("://") && is_uri(&format!("http://{value}")) {
            return Err(wrong().with_hint(format!(
                "write `https://{found}`, or `http://{found}` with `AWS_ALLOW_HTTP=true`"
            )));
        }
        let parsed = Url::parse(value).ok().filter(|url| {
            bare.is_some_and(|bare| !bare.starts_with('/'))
                && url.host().is_some()
                && url.port() != Some(0)
                && url.query().is_none()
                && url.fragment().is_none()
                && foreign(value, |c| c.is_ascii_graphic() && !"\\<>\"{}|^`".contains(c)).is_none()
                && is_uri(value)
        });
        parsed.ok_or_else(wrong)
    }
}

/// Whether the HTTP client can make a request of it.
fn is_uri(text: &str) -> bool {
    let mut request = HttpRequest::new(HttpRequestBody::empty());
    match text.parse() {
        Ok(uri) => {
            *request.uri_mut() = uri;
            request.uri().host().is_some_and(|host| !host.is_empty()) && Url::parse(text).is_ok()
        }
        Err(_) => false,
    }
}

/// The first thing in a text that may not be there, in words.
fn foreign(text: &str, fits: impl Fn(char) -> bool) -> Option<&'static str> {
    let c = text.chars().find(|c| !fits(*c))?;
    Some(match c {
        '\n' | '\r' => "a line break",
        ' ' | '\t' => "white space",
        '"' | '\'' => "a quote",
        c if c.is_control() => "a control character",
        c if c.is_ascii() => "a character that can't be there",
        _ => "a character that is not ASCII",
    })
}

fn is_switch(value: &str) -> bool {
    truthy(value) || matches!(value.to_ascii_lowercase().as_str(), "0" | "false" | "off" | "no" | "n")
}

fn truthy(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "1" | "true" | "on" | "yes" | "y")
}

/// Whether it is a zone of AWS's, as `us-east-1a`, which many take for a region.
fn is_zone(region: &str) -> bool {
    let parts: Vec<&str> = region.split('-').collect();
    let words = |part: &&str| part.len() > 1 && part.bytes().all(|b| b.is_ascii_lowercase());
    matches!(parts[..], [_, _, ..] if parts[..parts.len() - 1].iter().all(words))
        && parts.len() >= 3
        && matches!(parts[parts.len() - 1].as_bytes(), [b'0'..=b'9', b'a'..=b'z'])
}

/// Whether a URL stays on this machine, or on the link to its host.
fn is_near(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback() || ip.is_link_local(),
        Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.segments()[..2] == [0xfd00, 0x0ec2],
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// A file that a setting names.
fn read(setting: &str, path: &str) -> Result<String, Wrong> {
    use std::io::Read as _;
    let cannot =
        |why: &str| Wrong::new(format!("cannot read the file of {setting}, `{}`: {why}", shown(path)));
    let metadata = std::fs::metadata(path).map_err(|error| cannot(&error.to_string()))?;
    if !metadata.is_file() {
        return Err(cannot("it is not a file"));
    }
    let (mut text, file) = (String::new(), std::fs::File::open(path));
    let read = file.and_then(|file| file.take(MOST_FILE).read_to_string(&mut text));
    read.map_err(|error| cannot(&error.to_string()))?;
    Ok(text)
}

/// Checks the proxy that requests would take. Its password, if it has one, is not shown.
pub(super) fn proxies(lookup: Lookup<'_>, encrypted: bool) -> Result<(), Wrong> {
    let names = if encrypted { ["HTTPS_PROXY", "https_proxy"] } else { ["HTTP_PROXY", "http_proxy"] };
    for name in names.into_iter().chain(["ALL_PROXY", "all_proxy"]) {
        let Some(value) = variable(lookup, name)? else { continue };
        let whole = if value.contains("://") { value.clone() } else { format!("http://{value}") };
        let found = value.rsplit('@').next().unwrap_or_default();
        let wrong =
            |expected: &str| Wrong::new(format!("`{name}`: expected {expected}, found `{}`", shown(found)));
        let expected = "a proxy such as `http://HOST:3128`";
        let url = Url::parse(&whole).map_err(|_| wrong(expected))?;
        if url.scheme().starts_with("socks") {
            return Err(
                wrong("an HTTP proxy").with_hint("SOCKS is not spoken; name an HTTP proxy, or unset it")
            );
        }
        if !matches!(url.scheme(), "http" | "https")
            || url.host_str().unwrap_or_default().is_empty()
            || foreign(&whole, |c| c.is_ascii_graphic()).is_some()
        {
            return Err(wrong(expected));
        }
        return Ok(());
    }
    Ok(())
}

/// The certificates of `AWS_CA_BUNDLE`; and whether files that the system's are taken from are there.
pub(super) fn certificates(lookup: Lookup<'_>) -> Result<Option<Vec<u8>>, Wrong> {
    for (name, is_folder) in [("SSL_CERT_FILE", false), ("SSL_CERT_DIR", true)] {
        if let Some(path) = variable(lookup, name)? {
            // Of folders there may be several.
            let mut paths = std::env::split_paths(&path).filter(|path| !path.as_os_str().is_empty());
            let there = |path: &Path| if is_folder { path.is_dir() } else { path.is_file() };
            if !(is_folder && paths.any(|path| there(&path)) || there(Path::new(&path))) {
                let what = if is_folder { "a folder" } else { "a file" };
                return Err(Wrong::new(format!(
                    "`{name}`: expected {what} of certificates, found `{}`",
                    shown(&path)
                ))
                .with_hint("unset it to use the system's certificates"));
            }
        }
    }
    let Some(path) = variable(lookup, "AWS_CA_BUNDLE")? else { return Ok(None) };
    let text = read("`AWS_CA_BUNDLE`", &path)?;
    if !text.contains("-----BEGIN CERTIFICATE-----") {
        let why = format!("the file of `AWS_CA_BUNDLE`, `{}`, has no certificate", shown(&path));
        return Err(Wrong::new(why).with_hint("it holds certificates as PEM: `-----BEGIN CERTIFICATE-----`"));
    }
    Ok(Some(text.into_bytes()))
}

/// Checks what another service's client would read from variables whose names begin so.
#[cfg(any(feature = "gcs", feature = "azure"))]
pub(super) fn others(prefix: &str, all: impl Iterator<Item = (OsString, OsString)>) -> Result<(), Wrong> {
    for (name, value) in all {
        let Some(name) = name.to_str().filter(|name| name.starts_with(prefix)) else { continue };
        let Ok(value) = value.into_string() else { return Err(Wrong::new(format!("`{name}` is not UTF-8"))) };
        let given = Given { setting: format!("`{name}`"), value };
        if given.value.trim().is_empty() {
            continue;
        }
        let is = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        if is(&["_ENDPOINT", "_BASE_URL", "_AUTHORITY_HOST"]) {
            given.check(Form::Url)?;
        } else if is(&["_PATH", "_CREDENTIALS", "_TOKEN_FILE"]) || name == "GOOGLE_SERVICE_ACCOUNT" {
            read(&given.setting, &given.value)?;
        } else if is(&["_SERVICE_ACCOUNT_KEY"]) {
            if serde_json::from_str::<serde::de::IgnoredAny>(&given.value).is_err() {
                return Err(Wrong::new(format!("{}: expected a key as JSON", given.setting)));
            }
        } else if is(&["_ALLOW_HTTP", "_SKIP_SIGNATURE", "_USE_EMULATOR", "_USE_AZURE_CLI"]) {
            given.check(Form::Switch)?;
        } else if is(&["_KEY", "_SECRET", "_TOKEN", "_ACCOUNT_NAME", "_ID"]) {
            given.check(Form::Token)?;
        }
    }
    Ok(())
}

/// Checks the name of a bucket.
pub(crate) fn bucket(name: &str) -> Result<(), Wrong> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    if name.is_empty() {
        return Err(Wrong::new("it names no bucket"));
    }
    if name.len() > 255
        || !name.bytes().all(fits)
        || !name.as_bytes()[0].is_ascii_alphanumeric()
        || name.contains("..")
    {
        return Err(Wrong::new(format!(
            "expected a bucket's name of letters, digits, `-` and `.`, found `{}`",
            shown(name)
        )));
    }
    Ok(())
}
