//! What the environment says of the way to a service: proxies, certificates, and other services' variables.

#[cfg(any(feature = "gcs", feature = "azure"))]
use super::given::{Form, Given};
use super::given::{Lookup, SettingError, foreign, read, variable};
use crate::text::shown;
#[cfg(any(feature = "gcs", feature = "azure"))]
use std::ffi::OsString;
use std::path::Path;
use url::Url;

/// Checks the proxy that requests would take. Its password, if it has one, is not shown.
pub(super) fn proxies(lookup: Lookup<'_>, encrypted: bool) -> Result<(), SettingError> {
    let names = if encrypted { ["HTTPS_PROXY", "https_proxy"] } else { ["HTTP_PROXY", "http_proxy"] };
    for name in names.into_iter().chain(["ALL_PROXY", "all_proxy"]) {
        let Some(value) = variable(lookup, name)? else { continue };
        let whole = if value.contains("://") { value.clone() } else { format!("http://{value}") };
        let found = value.rsplit('@').next().unwrap_or_default();
        let wrong = |expected: &str| {
            SettingError::new(format!("`{name}`: expected {expected}, found `{}`", shown(found)))
        };
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
pub(super) fn certificates(lookup: Lookup<'_>) -> Result<Option<Vec<u8>>, SettingError> {
    for (name, is_folder) in [("SSL_CERT_FILE", false), ("SSL_CERT_DIR", true)] {
        if let Some(path) = variable(lookup, name)? {
            // Of folders there may be several.
            let mut paths = std::env::split_paths(&path).filter(|path| !path.as_os_str().is_empty());
            let there = |path: &Path| if is_folder { path.is_dir() } else { path.is_file() };
            if !(is_folder && paths.any(|path| there(&path)) || there(Path::new(&path))) {
                let what = if is_folder { "a folder" } else { "a file" };
                return Err(SettingError::new(format!(
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
        return Err(
            SettingError::new(why).with_hint("it holds certificates as PEM: `-----BEGIN CERTIFICATE-----`")
        );
    }
    Ok(Some(text.into_bytes()))
}

/// Checks what another service's client would read from variables whose names begin so.
#[cfg(any(feature = "gcs", feature = "azure"))]
pub(super) fn others(
    prefix: &str,
    all: impl Iterator<Item = (OsString, OsString)>,
) -> Result<(), SettingError> {
    for (name, value) in all {
        let Some(name) = name.to_str().filter(|name| name.starts_with(prefix)) else { continue };
        let Ok(value) = value.into_string() else {
            return Err(SettingError::new(format!("`{name}` is not UTF-8")));
        };
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
                return Err(SettingError::new(format!("{}: expected a key as JSON", given.setting)));
            }
        } else if is(&["_ALLOW_HTTP", "_SKIP_SIGNATURE", "_USE_EMULATOR", "_USE_AZURE_CLI"]) {
            given.check(Form::Switch)?;
        } else if is(&["_KEY", "_SECRET", "_TOKEN", "_ACCOUNT_NAME", "_ID"]) {
            given.check(Form::Token)?;
        }
    }
    Ok(())
}
