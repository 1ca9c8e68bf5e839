//! AWS profiles: what `~/.aws/credentials` and `~/.aws/config` say under a name, where the
//! environment says less.
//!
//! Format and precedence: AWS SDKs and Tools Reference Guide, "Shared config and credentials files".

use super::carried::CarriedError;
use super::given::{Lookup, SettingError, variable};
use crate::store::error::ErrorKind;
use crate::text::shown;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Credentials are made anew this long before they expire.
const EARLY: TimeDelta = TimeDelta::minutes(5);

/// What stands under a name in both files.
#[derive(Debug)]
pub(super) struct Profile {
    name: String,
    /// Values, and the files they are from.
    fields: BTreeMap<String, (String, PathBuf)>,
}

impl Profile {
    /// A value, and what to call it in a message.
    pub(super) fn get(&self, key: &str) -> Option<(String, String)> {
        let (value, path) = self.fields.get(key)?;
        let (name, path) = (shown(&self.name), shown(&path.to_string_lossy()));
        Some((format!("`{key}` of the profile `{name}` in `{path}`"), value.clone()))
    }

    /// Refuses a profile that takes a role or signs in.
    pub(super) fn refuse_roles(&self) -> Result<(), SettingError> {
        if !self.fields.keys().any(|key| key.starts_with("sso_") || key == "role_arn") {
            return Ok(());
        }
        let name = shown(&self.name);
        Err(SettingError::new(format!("the profile `{name}` takes a role or signs in, which udmap does not do itself")).with_hint(
            format!(
                "run `eval \"$(aws configure export-credentials --profile {name} --format env)\"` before, or add to the \
                 profile `credential_process = aws configure export-credentials --profile OTHER`"
            ),
        ))
    }
}

/// The profile that the environment names (`AWS_PROFILE`), or `default` where it names no credentials of its own.
///
/// # Errors
/// If the one that is named is not there and needed, or if its files can't be read.
pub(super) fn named(lookup: Lookup<'_>, anonymous: bool) -> Result<Option<Profile>, SettingError> {
    let get = |name: &str| variable(lookup, name);
    let named = get("AWS_PROFILE")?;
    let has_keys = get("AWS_ACCESS_KEY_ID")?.is_some();
    let mut others = has_keys;
    for name in [
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ] {
        others |= get(name)?.is_some();
    }
    if named.is_none() && others {
        return Ok(None);
    }
    let name = named.clone().unwrap_or_else(|| "default".to_owned());
    match (read(&name, &get)?, named) {
        (None, Some(name)) if !has_keys && !anonymous => Err(SettingError::new(format!(
            "there is no profile `{}` (`AWS_PROFILE`) in ~/.aws/credentials or ~/.aws/config",
            shown(&name)
        ))),
        (profile, _) => Ok(profile),
    }
}

/// A profile's settings, of both files; the credentials file comes first.
fn read(
    name: &str,
    get: &dyn Fn(&str) -> Result<Option<String>, SettingError>,
) -> Result<Option<Profile>, SettingError> {
    let home = match get("HOME")? {
        Some(home) => Some(home),
        None => get("USERPROFILE")?,
    };
    let home = home.map(PathBuf::from);
    let file = |variable: &str, file: &str| -> Result<Option<PathBuf>, SettingError> {
        let named = get(variable)?.map(PathBuf::from);
        Ok(named.or_else(|| Some(home.as_ref()?.join(".aws").join(file))))
    };
    let mut found: Option<Profile> = None;
    for (path, section) in [
        (file("AWS_SHARED_CREDENTIALS_FILE", "credentials")?, name.to_owned()),
        (
            file("AWS_CONFIG_FILE", "config")?,
            if name == "default" { name.to_owned() } else { format!("profile {name}") },
        ),
    ] {
        let Some(path) = path else { continue };
        let Some(text) = text(&path)? else { continue };
        for (key, value) in settings(&text, &section) {
            let profile =
                found.get_or_insert_with(|| Profile { name: name.to_owned(), fields: BTreeMap::new() });
            profile.fields.entry(key).or_insert((value, path.clone()));
        }
    }
    Ok(found)
}

fn text(path: &Path) -> Result<Option<String>, SettingError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let path = shown(&path.to_string_lossy());
            Err(SettingError::new(format!("cannot read the profiles in `{path}`: {error}")))
        }
    }
}

/// The settings of a section; nested ones, which are indented, are left out.
fn settings(text: &str, section: &str) -> Vec<(String, String)> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in text.lines() {
        let bare = line.trim();
        if let Some(header) = bare.strip_prefix('[') {
            let header = header.split(']').next().unwrap_or_default();
            inside = header.split_whitespace().eq(section.split_whitespace());
        } else if inside
            && !line.starts_with([' ', '\t', '#', ';'])
            && let Some((key, value)) = bare.split_once('=')
        {
            // A comment begins behind white space.
            let value = [" #", " ;", "\t#", "\t;"].iter().fold(value, |v, c| v.split(c).next().unwrap_or(v));
            let value = value.trim();
            if !value.is_empty() {
                found.push((key.trim().to_ascii_lowercase(), value.to_owned()));
            }
        }
    }
    found
}

/// Credentials, and when they expire.
type Lasting = (Arc<AwsCredential>, Option<DateTime<Utc>>);

/// Credentials that a program prints, by AWS's `credential_process`.
pub(super) struct Process {
    command: String,
    last: Mutex<Option<Lasting>>,
}

impl Process {
    pub(super) fn new(command: String) -> Process {
        Process { command, last: Mutex::default() }
    }
}

impl std::fmt::Debug for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Process").finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Printed {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    expiration: Option<DateTime<Utc>>,
}

#[async_trait]
impl CredentialProvider for Process {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let mut last = self.last.lock().await;
        if let Some((credential, expires)) = &*last
            && expires.is_none_or(|at| at - EARLY > Utc::now())
        {
            return Ok(Arc::clone(credential));
        }
        let command = self.command.clone();
        let made = tokio::task::spawn_blocking(move || print(&command)).await;
        let fail = |why: String| CarriedError::new(ErrorKind::Denied, why);
        let printed = made.map_err(|error| fail(error.to_string()))?.map_err(fail)?;
        let credential = Arc::new(AwsCredential {
            key_id: printed.access_key_id,
            secret_key: printed.secret_access_key,
            token: printed.session_token,
        });
        *last = Some((Arc::clone(&credential), printed.expiration));
        Ok(credential)
    }
}

/// Runs the program. What it prints is secret and stands in no message.
fn print(command: &str) -> Result<Printed, String> {
    let shell = if cfg!(windows) { ["cmd", "/C"] } else { ["sh", "-c"] };
    let output = Command::new(shell[0]).arg(shell[1]).arg(command).output();
    let output = output.map_err(|error| format!("the profile's credential_process: {error}"))?;
    if !output.status.success() {
        return Err(format!("the profile's credential_process ended with {}", output.status));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|_| "the profile's credential_process printed no credentials".into())
}

#[cfg(test)]
mod tests {
    use super::super::settings::{self, Credentials, Settings};
    use super::*;
    use object_store::aws::AmazonS3ConfigKey as Key;
    use std::ffi::OsString;

    const CREDENTIALS: &str = "\
# mine
[default]
aws_access_key_id = AKID
aws_secret_access_key=s3cr#t/=+ ; not mine

[ team ]
aws_access_key_id = TEAM
aws_secret_access_key = team
";
    const CONFIG: &str = "\
[default]
region = eu-west-1
s3 =
    region = nested
[profile team]
region=us-west-2
endpoint_url = http://127.0.0.1:9000
[profile sso]
sso_session = x
[profile program]
credential_process = echo '{\"Version\":1,\"AccessKeyId\":\"P\",\"SecretAccessKey\":\"q\",\"Expiration\":\"2999-01-01T00:00:00Z\"}'
[profile broken]
credential_process = echo secret
[profile spaced]
region = eu west
[profile half]
aws_access_key_id = HALF
";

    fn applied(given: &[(&str, &str)]) -> Result<Settings, SettingError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(".aws")).unwrap();
        std::fs::write(folder.path().join(".aws/credentials"), CREDENTIALS).unwrap();
        std::fs::write(folder.path().join(".aws/config"), CONFIG).unwrap();
        let home = folder.path().to_str().unwrap().to_owned();
        let lookup = |name: &str| match name {
            "HOME" => Some(home.clone().into()),
            _ => given.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(*value)),
        };
        settings::s3(&lookup, false)
    }

    fn value(settings: &Settings, key: Key) -> Option<&str> {
        settings.config.iter().find(|(it, _)| *it == key).map(|(_, value)| value.as_str())
    }

    fn keys(settings: &Settings) -> (&str, &str) {
        let Credentials::Keys(keys) = &settings.credentials else { panic!() };
        (&keys.key_id, &keys.secret_key)
    }

    #[test]
    fn profiles() {
        let default = applied(&[]).unwrap();
        assert_eq!(value(&default, Key::Region), Some("eu-west-1"));
        assert_eq!(keys(&default), ("AKID", "s3cr#t/=+"));
        let team = [("AWS_PROFILE", "team"), ("AWS_REGION", "mars"), ("AWS_ALLOW_HTTP", "1")];
        let team = applied(&team).unwrap();
        assert_eq!(value(&team, Key::Region), Some("mars"), "the environment's own comes first");
        assert_eq!(value(&team, Key::Endpoint), Some("http://127.0.0.1:9000"));
        assert_eq!(keys(&team), ("TEAM", "team"));
        assert!(applied(&[("AWS_PROFILE", "none")]).unwrap_err().why.contains("no profile `none`"));
        let sso = applied(&[("AWS_PROFILE", "sso")]).unwrap_err();
        assert!(sso.hint.unwrap().contains("export-credentials --profile sso"));
        let unencrypted = applied(&[("AWS_PROFILE", "team")]).unwrap_err().why;
        assert!(unencrypted.starts_with("`endpoint_url` of the profile `team` in `"), "{unencrypted}");
        let spaced = applied(&[("AWS_PROFILE", "spaced")]).unwrap_err().why;
        assert!(
            spaced.starts_with("`region` of the profile `spaced` in `") && spaced.ends_with("`eu west`"),
            "{spaced}"
        );
        let half = applied(&[("AWS_PROFILE", "half")]).unwrap_err().why;
        assert!(half.contains("has no `aws_secret_access_key` with it"), "{half}");
    }

    #[test]
    fn programs() {
        let get = |profile: &str| {
            let settings = applied(&[("AWS_PROFILE", profile)]).unwrap();
            let Credentials::Program(command) = settings.credentials else { panic!() };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(Process::new(command).get_credential())
        };
        assert_eq!(get("program").unwrap().key_id, "P");
        let broken = get("broken").unwrap_err();
        let broken = &CarriedError::within(&broken).unwrap().why;
        assert!(broken.contains("printed no credentials") && !broken.contains("secret\n"), "{broken}");
    }
}
