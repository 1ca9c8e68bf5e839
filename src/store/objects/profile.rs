//! AWS profiles: what `~/.aws/credentials` and `~/.aws/config` say under a name, where the
//! environment says less.
//!
//! Format and precedence: AWS SDKs and Tools Reference Guide, "Shared config and credentials files".

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use object_store::aws::{AmazonS3Builder, AwsCredential};
use object_store::{CredentialProvider, StaticCredentialProvider};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use tokio::sync::Mutex;

type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Credentials are made anew this long before they expire.
const EARLY: TimeDelta = TimeDelta::minutes(5);

/// Adds to `builder` what the profile says (`AWS_PROFILE`, or `default`). Keys, a region and an
/// endpoint that the environment has itself come first.
pub(super) fn apply(builder: AmazonS3Builder, lookup: Lookup<'_>) -> Result<AmazonS3Builder, String> {
    let get = |name: &str| lookup(name).filter(|text| !text.trim().is_empty());
    let named = get("AWS_PROFILE");
    let others = [
        "AWS_ACCESS_KEY_ID",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ];
    let has_keys = get(others[0]).is_some();
    if named.is_none() && others.iter().any(|name| get(name).is_some()) {
        return Ok(builder);
    }
    let name = named.clone().unwrap_or_else(|| "default".to_owned());
    let Some(profile) = read(&name, &get)? else {
        return match named {
            Some(name) if !has_keys => Err(format!(
                "there is no profile `{name}` (AWS_PROFILE) in ~/.aws/credentials or ~/.aws/config"
            )),
            _ => Ok(builder),
        };
    };
    let mut builder = builder;
    let unset = |names: &[&str]| names.iter().all(|name| get(name).is_none());
    if let Some(region) = profile.get("region").filter(|_| unset(&["AWS_REGION", "AWS_DEFAULT_REGION"])) {
        builder = builder.with_region(region);
    }
    let endpoints = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT"];
    if let Some(endpoint) = profile.get("endpoint_url").filter(|_| unset(&endpoints)) {
        builder = builder.with_endpoint(endpoint);
    }
    if has_keys {
        return Ok(builder);
    }
    let field = |key: &str| profile.get(key).cloned();
    match (field("aws_access_key_id"), field("aws_secret_access_key"), field("credential_process")) {
        (Some(key_id), Some(secret_key), _) => {
            let token = field("aws_session_token");
            let credential = AwsCredential { key_id, secret_key, token };
            Ok(builder.with_credentials(Arc::new(StaticCredentialProvider::new(credential))))
        }
        (_, _, Some(command)) => {
            Ok(builder.with_credentials(Arc::new(Process { command, last: Mutex::default() })))
        }
        _ if profile.keys().any(|key| key.starts_with("sso_") || key == "role_arn") => Err(format!(
            "the profile `{name}` takes a role or signs in, which udmap does not do itself: run `eval \"$(aws \
             configure export-credentials --profile {name} --format env)\"` before, or add to the profile \
             `credential_process = aws configure export-credentials --profile OTHER`"
        )),
        _ => Ok(builder),
    }
}

/// A profile's settings, of both files; the credentials file comes first.
fn read(
    name: &str,
    get: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<BTreeMap<String, String>>, String> {
    let home = get("HOME").or_else(|| get("USERPROFILE")).map(PathBuf::from);
    let file = |variable: &str, file: &str| {
        get(variable).map(PathBuf::from).or_else(|| Some(home.as_ref()?.join(".aws").join(file)))
    };
    let mut found: Option<BTreeMap<String, String>> = None;
    for (path, section) in [
        (file("AWS_SHARED_CREDENTIALS_FILE", "credentials"), name.to_owned()),
        (
            file("AWS_CONFIG_FILE", "config"),
            if name == "default" { name.to_owned() } else { format!("profile {name}") },
        ),
    ] {
        let Some(text) = path.as_deref().map(text).transpose()?.flatten() else { continue };
        for (key, value) in settings(&text, &section) {
            found.get_or_insert_default().entry(key).or_insert(value);
        }
    }
    Ok(found)
}

fn text(path: &Path) -> Result<Option<String>, String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("cannot read `{}`: {error}", path.display())),
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
struct Process {
    command: String,
    last: Mutex<Option<Lasting>>,
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
        let fail = |source: String| object_store::Error::Generic { store: "S3", source: source.into() };
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
    use super::*;
    use object_store::aws::AmazonS3ConfigKey as Key;

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
";

    fn applied(given: &[(&str, &str)]) -> Result<AmazonS3Builder, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(".aws")).unwrap();
        std::fs::write(folder.path().join(".aws/credentials"), CREDENTIALS).unwrap();
        std::fs::write(folder.path().join(".aws/config"), CONFIG).unwrap();
        let home = folder.path().to_str().unwrap().to_owned();
        apply(AmazonS3Builder::new().with_bucket_name("b"), &|name| match name {
            "HOME" => Some(home.clone()),
            _ => given.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()),
        })
    }

    #[test]
    fn profiles() {
        let key = |builder: AmazonS3Builder| {
            let store = builder.with_region("x").build().unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime
                .block_on(store.credentials().get_credential())
                .map(|it| (it.key_id.clone(), it.secret_key.clone()))
        };
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let default = applied(&[]).unwrap();
        assert_eq!(default.get_config_value(&Key::Region).as_deref(), Some("eu-west-1"));
        assert_eq!(key(default).unwrap(), pair("AKID", "s3cr#t/=+"));
        let team = applied(&[("AWS_PROFILE", "team"), ("AWS_REGION", "mars")]).unwrap();
        assert_eq!(team.get_config_value(&Key::Region), None, "the environment's own comes first");
        assert_eq!(team.get_config_value(&Key::Endpoint).as_deref(), Some("http://127.0.0.1:9000"));
        assert_eq!(key(team).unwrap(), pair("TEAM", "team"));
        assert_eq!(key(applied(&[("AWS_PROFILE", "program")]).unwrap()).unwrap(), pair("P", "q"));
        let broken = key(applied(&[("AWS_PROFILE", "broken")]).unwrap()).unwrap_err().to_string();
        assert!(broken.contains("printed no credentials") && !broken.contains("secret\n"), "{broken}");
        assert!(applied(&[("AWS_PROFILE", "none")]).unwrap_err().contains("no profile `none`"));
        assert!(applied(&[("AWS_PROFILE", "sso")]).unwrap_err().contains("export-credentials --profile sso"));
        let web = applied(&[("AWS_WEB_IDENTITY_TOKEN_FILE", "/x")]).unwrap();
        assert_eq!(web.get_config_value(&Key::Region), None, "a role of the environment's comes first");
    }
}
