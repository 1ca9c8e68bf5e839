//! A setting's value as it was given, and what it must look like: the crates below take a value
//! that fits nowhere for a fault of the program.

use crate::text::shown;
use object_store::client::{HttpRequest, HttpRequestBody};
use std::ffi::OsString;
use url::Url;

/// What a variable of the environment says.
pub(super) type Lookup<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// The longest file of a token or of certificates.
const MOST_FILE: u64 = 4 << 20;

/// A setting that can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SettingError {
    /// What is wrong, with the name of the setting; never a secret.
    pub(crate) why: String,
    /// What to do.
    pub(crate) hint: Option<String>,
}

impl SettingError {
    pub(super) fn new(why: impl Into<String>) -> SettingError {
        SettingError { why: why.into(), hint: None }
    }

    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> SettingError {
        self.hint = Some(hint.into());
        self
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

/// A value, and the setting that has it, for messages.
pub(super) struct Given {
    pub(super) setting: String,
    pub(super) value: String,
}

/// A variable's value. An empty one is none.
pub(super) fn variable(lookup: Lookup<'_>, name: &str) -> Result<Option<String>, SettingError> {
    match lookup(name).map(OsString::into_string) {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value).filter(|value| !value.trim().is_empty())),
        Some(Err(_)) => Err(SettingError::new(format!("`{name}` is not UTF-8"))),
    }
}

impl Given {
    pub(super) fn check(&self, form: Form) -> Result<(), SettingError> {
        let (setting, value) = (&self.setting, self.value.as_str());
        let graphic = |c: char| c.is_ascii_graphic();
        let fails = |expected: &str| {
            Err(SettingError::new(format!("{setting}: expected {expected}, found `{}`", shown(value))))
        };
        // Of what may be secret, only what is wrong with it is said.
        let hidden = |kind: &str, found: &str| {
            Err(SettingError::new(format!("{setting} is not {kind}: it has {found}"))
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
    pub(super) fn url(&self) -> Result<Url, SettingError> {
        let (setting, value) = (&self.setting, self.value.as_str());
        if value.contains('@') {
            // Not the value: it may hold a password.
            return Err(SettingError::new(format!(
                "{setting}: expected a URL without a name or password, found an `@`"
            ))
            .with_hint("credentials go into `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`"));
        }
        let bare = value.strip_prefix("http://").or_else(|| value.strip_prefix("https://"));
        let found = shown(value);
        let wrong = || {
            SettingError::new(format!(
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
pub(super) fn is_uri(text: &str) -> bool {
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
pub(super) fn foreign(text: &str, fits: impl Fn(char) -> bool) -> Option<&'static str> {
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

pub(super) fn truthy(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "1" | "true" | "on" | "yes" | "y")
}

/// A file that a setting names.
pub(super) fn read(setting: &str, path: &str) -> Result<String, SettingError> {
    use std::io::Read as _;
    let cannot =
        |why: &str| SettingError::new(format!("cannot read the file of {setting}, `{}`: {why}", shown(path)));
    let metadata = std::fs::metadata(path).map_err(|error| cannot(&error.to_string()))?;
    if !metadata.is_file() {
        return Err(cannot("it is not a file"));
    }
    let (mut text, file) = (String::new(), std::fs::File::open(path));
    let read = file.and_then(|file| file.take(MOST_FILE).read_to_string(&mut text));
    read.map_err(|error| cannot(&error.to_string()))?;
    Ok(text)
}
