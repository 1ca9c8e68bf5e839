//! What the environment and profiles say of S3, checked before it is used.

use super::given::{Form, Given, Lookup, SettingError, foreign, is_uri, read, truthy, variable};
use super::network::{certificates, proxies};
use super::profile::{self, Profile};
use crate::text::shown;
use object_store::aws::{AmazonS3ConfigKey as Key, AwsCredential};
use url::{Host, Url};

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

impl Environment<'_> {
    fn get(&self, name: &str) -> Result<Option<Given>, SettingError> {
        let value = variable(self.lookup, name)?;
        Ok(value.map(|value| Given { setting: format!("`{name}`"), value }))
    }

    /// The first of some variables, or else what the profile says.
    fn first(&self, names: &[&str], field: &str) -> Result<Option<Given>, SettingError> {
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

    fn switch(&self, name: &str) -> Result<bool, SettingError> {
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
pub(super) fn s3(lookup: Lookup<'_>, anonymous: bool) -> Result<Settings, SettingError> {
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
        return Err(SettingError::new(
            "`AWS_CONDITIONAL_PUT` must be `etag`: that objects are written once rests on it",
        )
        .with_hint("unset it"));
    }
    let endpoint =
        environment.first(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"], "endpoint_url")?;
    if let Some(given) = &endpoint {
        let url = given.url()?;
        if url.scheme() == "http" && !allow_http {
            return Err(SettingError::new(format!(
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
            return Err(SettingError::new(format!(
                "{} is an availability zone: `{}`",
                given.setting, given.value
            ))
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
    fn credentials(&self, config: &mut Vec<(Key, String)>) -> Result<Credentials, SettingError> {
        let (id, secret) = (self.get("AWS_ACCESS_KEY_ID")?, self.get("AWS_SECRET_ACCESS_KEY")?);
        let token = self.get("AWS_SESSION_TOKEN")?;
        match (id, secret) {
            (Some(id), Some(secret)) => return keys(id, secret, token),
            (Some(_), None) => {
                return Err(SettingError::new(
                    "`AWS_ACCESS_KEY_ID` is set, and `AWS_SECRET_ACCESS_KEY` is not",
                ));
            }
            (None, Some(_)) => {
                return Err(SettingError::new(
                    "`AWS_SECRET_ACCESS_KEY` is set, and `AWS_ACCESS_KEY_ID` is not",
                ));
            }
            (None, None) => {}
        }
        if let Some(profile) = &self.profile {
            let field = |name: &str| profile.get(name).map(|(setting, value)| Given { setting, value });
            match (field("aws_access_key_id"), field("aws_secret_access_key")) {
                (Some(id), Some(secret)) => return keys(id, secret, field("aws_session_token")),
                (Some(given), None) => {
                    return Err(SettingError::new(format!(
                        "{} has no `aws_secret_access_key` with it",
                        given.setting
                    )));
                }
                (None, Some(given)) => {
                    return Err(SettingError::new(format!(
                        "{} has no `aws_access_key_id` with it",
                        given.setting
                    )));
                }
                (None, None) => {}
            }
            if let Some(program) = field("credential_process") {
                return Ok(Credentials::Program(program.value));
            }
            profile.refuse_roles()?;
        }
        let file = |name: &str| -> Result<Option<String>, SettingError> {
            let Some(given) = self.get(name)? else { return Ok(None) };
            let text = read(&given.setting, &given.value)?;
            if text.is_empty() {
                return Err(SettingError::new(format!(
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
                return Err(
                    SettingError::new(why).with_hint("write the token alone to it, without a line break")
                );
            }
            Ok(Some(given.value))
        };
        // What the crate sends of a web identity's token is escaped, so a line break at its end does no harm.
        if let Some(given) = self.get("AWS_WEB_IDENTITY_TOKEN_FILE")? {
            if read(&given.setting, &given.value)?.trim().is_empty() {
                return Err(SettingError::new(format!(
                    "the file of {}, `{}`, is empty",
                    given.setting,
                    shown(&given.value)
                )));
            }
            if self.get("AWS_ROLE_ARN")?.is_none() {
                return Err(SettingError::new(
                    "`AWS_WEB_IDENTITY_TOKEN_FILE` is set, and `AWS_ROLE_ARN` is not",
                ));
            }
            config.push((Key::WebIdentityTokenFile, given.value));
            return Ok(Credentials::Service);
        }
        if let Some(given) = self.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")? {
            if !given.value.starts_with('/') || !is_uri(&format!("http://169.254.170.2{}", given.value)) {
                let found = shown(&given.value);
                return Err(SettingError::new(format!(
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
                return Err(SettingError::new(why)
                    .with_hint("use `https://`, or an address of this machine or its link"));
            }
            let Some(token) = file("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")? else {
                let why =
                    format!("{} is set, and `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE` is not", given.setting);
                return Err(SettingError::new(why)
                    .with_hint("run `eval \"$(aws configure export-credentials --format env)\"` before"));
            };
            config.push((Key::ContainerCredentialsFullUri, given.value));
            config.push((Key::ContainerAuthorizationTokenFile, token));
            return Ok(Credentials::Service);
        }
        Ok(Credentials::Instance { disabled: self.switch("AWS_EC2_METADATA_DISABLED")? })
    }
}

fn keys(id: Given, secret: Given, token: Option<Given>) -> Result<Credentials, SettingError> {
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

/// Checks the name of a bucket.
pub(crate) fn bucket(name: &str) -> Result<(), SettingError> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    if name.is_empty() {
        return Err(SettingError::new("it names no bucket"));
    }
    if name.len() > 255
        || !name.bytes().all(fits)
        || !name.as_bytes()[0].is_ascii_alphanumeric()
        || name.contains("..")
    {
        return Err(SettingError::new(format!(
            "expected a bucket's name of letters, digits, `-` and `.`, found `{}`",
            shown(name)
        )));
    }
    Ok(())
}
