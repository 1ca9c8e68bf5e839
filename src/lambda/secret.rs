//! Duo's keys, and the credentials for SecOps, from AWS Secrets Manager: one signed request, with the signer that the S3 client brings.
//!
//! The SDK for it would bring forty crates more than this file needs, the extension that caches secrets a layer whose
//! name differs from region to region.

use crate::jobs::collect::Error;
use crate::jobs::settings::Environment;
use crate::text::{escaped, shown, shown_up_to};
use object_store::aws::{AwsAuthorizer, AwsCredential};
use object_store::client::{HttpRequest, HttpRequestBody};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use std::collections::HashMap;
use std::time::Duration;

/// How often it is asked before it counts as not answering, and how long it may take each time.
const TRIES: u32 = 3;
const PATIENCE: Duration = Duration::from_secs(5);
/// How much of an answer is shown, in characters.
const MOST_SHOWN: usize = 300;
/// The largest answer that is read, in bytes: a secret has at most 64 KiB.
const MOST_BYTES: usize = 1 << 20;
/// A secret's members, and the settings that they are.
const NAMES: [(&str, &str); 3] = [("ikey", "DUO_IKEY"), ("skey", "DUO_SKEY"), ("api_host", "DUO_API_HOST")];

/// What a secret holds, under the names of the settings.
#[derive(Debug, Default)]
pub(super) struct Keys(HashMap<&'static str, SecretString>);

/// The answer to GetSecretValue.
#[derive(Deserialize)]
struct SecretAnswer {
    #[serde(rename = "SecretString")]
    text: Option<SecretString>,
}

/// The answer to a request that is refused.
#[derive(Deserialize)]
struct ServiceError {
    #[serde(rename = "__type", default)]
    kind: String,
    #[serde(alias = "Message", default)]
    message: String,
}

impl Keys {
    pub(super) fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|value| value.expose_secret().to_owned())
    }

    /// Fetches the secret that the environment names by its ARN.
    ///
    /// # Errors
    /// If it can't be had, or is not what it should be. Nothing that is secret is in the error.
    pub(super) async fn fetch(arn: &str, env: Environment<'_>) -> Result<Keys, Error> {
        Keys::read(arn, &fetch("DUO_SECRET_ARN", arn, env).await?)
    }

    fn read(arn: &str, text: &SecretString) -> Result<Keys, Error> {
        // What serde says of a wrong value may quote it.
        let members: HashMap<String, SecretString> =
            serde_json::from_str(text.expose_secret()).map_err(|_| {
                failed(arn, "its value is not what it should be").with_hint(
                    r#"its value is a JSON object of texts: {"ikey":"...","skey":"...","api_host":"api-..."}"#,
                )
            })?;
        let named = |(member, name)| Some((name, members.get(member)?.clone()));
        Ok(Keys(NAMES.into_iter().filter_map(named).collect()))
    }
}

/// Fetches the text of a secret by its ARN, which is the value of the setting `name`, with the credentials that Lambda
/// puts into the environment.
///
/// # Errors
/// If it can't be had. Nothing that is secret is in the error.
pub(super) async fn fetch(name: &str, arn: &str, env: Environment<'_>) -> Result<SecretString, Error> {
    let (url, region) = address(name, arn, env)?;
    let body = serde_json::json!({ "SecretId": arn }).to_string();
    let client = crate::store::http_client()
        .timeout(PATIENCE)
        .build()
        .map_err(|error| failed(arn, &error.to_string()))?;
    let mut tries = 0;
    let why = loop {
        tries += 1;
        let request = signed(&url, &region, &body, env).map_err(|why| failed(arn, &why))?;
        let sent = client.post(&url).headers(request.headers().clone()).body(body.clone()).send().await;
        let answer = match sent {
            Ok(answer) => Ok((answer.status(), whole(answer).await)),
            Err(error) => Err(cause(&error)),
        };
        let why = match answer {
            Ok((status, Ok(bytes))) if status.is_success() => return text_of(arn, &bytes),
            Ok((status, Ok(bytes))) if status.is_client_error() => return Err(refused(arn, &bytes)),
            Ok((status, Ok(_))) => format!("it answers with status {status}"),
            Ok((_, Err(why))) | Err(why) => why,
        };
        if tries == TRIES {
            break why;
        }
        tokio::time::sleep(Duration::from_millis(500 << tries)).await;
    };
    Err(failed(arn, &why)
        .with_hint("the function must reach Secrets Manager: in a VPC, by a NAT or an endpoint"))
}

/// What an answer says that the secret is.
fn text_of(arn: &str, answer: &[u8]) -> Result<SecretString, Error> {
    let SecretAnswer { text } =
        serde_json::from_slice(answer).map_err(|_| failed(arn, "the answer is not what it should be"))?;
    text.ok_or_else(|| failed(arn, "its value is not a text"))
}

/// An answer's body.
async fn whole(mut answer: reqwest::Response) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| cause(&error))? {
        if bytes.len() + chunk.len() > MOST_BYTES {
            return Err(format!("the answer is larger than {} KiB", MOST_BYTES >> 10));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// What went wrong at the bottom.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

/// Where a secret is asked for, and its region.
fn address(name: &str, arn: &str, env: Environment<'_>) -> Result<(String, String), Error> {
    let parts: Vec<&str> = arn.trim().splitn(7, ':').collect();
    let ["arn", partition, "secretsmanager", region, _, "secret", _] = parts[..] else {
        let error = Error::config(format!("`{}` ({name}) is not the ARN of a secret", shown(arn)));
        return Err(error.with_hint("as in arn:aws:secretsmanager:eu-west-1:111122223333:secret:duo-AbCdEf"));
    };
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !plain(region) {
        return Err(Error::config(format!("`{}` ({name}) names no region", shown(arn))));
    }
    let domain = if partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
    let url = env
        .text("AWS_ENDPOINT_URL_SECRETS_MANAGER")
        .or_else(|| env.text("AWS_ENDPOINT_URL"))
        .unwrap_or_else(|| format!("https://secretsmanager.{region}.{domain}"));
    Ok((format!("{}/", url.trim_end_matches('/')), region.to_owned()))
}

/// The request with its signature; its headers are what is wanted of it.
fn signed(url: &str, region: &str, body: &str, env: Environment<'_>) -> Result<HttpRequest, String> {
    let need = |name: &str| env.text(name).ok_or_else(|| format!("{name} is missing"));
    let credential = AwsCredential {
        key_id: need("AWS_ACCESS_KEY_ID")?,
        secret_key: need("AWS_SECRET_ACCESS_KEY")?,
        token: env.text("AWS_SESSION_TOKEN"),
    };
    let mut request = HttpRequest::new(HttpRequestBody::from(body.to_owned()));
    *request.method_mut() = reqwest::Method::POST;
    *request.uri_mut() = url.parse().map_err(|error| format!("`{url}` is not a URL: {error}"))?;
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
    headers.insert("x-amz-target", HeaderValue::from_static("secretsmanager.GetSecretValue"));
    let signer = AwsAuthorizer::new(&credential, "secretsmanager", region);
    signer.try_authorize(&mut request, None).map_err(|error| error.to_string())?;
    Ok(request)
}

fn refused(arn: &str, answer: &[u8]) -> Error {
    let Ok(ServiceError { kind, message }) = serde_json::from_slice(answer) else {
        return failed(arn, "the answer is not JSON");
    };
    let kind = kind.rsplit('#').next().unwrap_or_default();
    let error = failed(arn, format!("{kind}: {message}").trim_end_matches([':', ' ']));
    match kind {
        "AccessDeniedException" => error.with_hint(
            "the role needs secretsmanager:GetSecretValue on this secret, and kms:Decrypt if it has a key of its own",
        ),
        "ResourceNotFoundException" => {
            error.with_hint("is the ARN right, and does the secret have a value? `aws secretsmanager put-secret-value`")
        }
        _ => error,
    }
}

fn failed(arn: &str, why: &str) -> Error {
    Error::config(format!(
        "the secret `{}` can't be had: {}",
        escaped(arn.trim()),
        shown_up_to(why, MOST_SHOWN)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:duo-AbCdEf";

    #[test]
    fn addresses() {
        let none = Environment(&|_| None);
        let table = [
            (ARN, Some("https://secretsmanager.eu-west-1.amazonaws.com/")),
            (
                "arn:aws-cn:secretsmanager:cn-north-1:1:secret:a:b",
                Some("https://secretsmanager.cn-north-1.amazonaws.com.cn/"),
            ),
            ("duo", None),
            ("arn:aws:s3:::bucket", None),
            ("arn:aws:secretsmanager::1:secret:a", None),
            ("arn:aws:secretsmanager:evil.example/:1:secret:a", None),
        ];
        for (arn, url) in table {
            assert_eq!(address("X", arn, none).ok().map(|(url, _)| url).as_deref(), url, "{arn}");
        }
    }

    #[test]
    fn values() {
        let read = |value: serde_json::Value| Keys::read(ARN, &text_of(ARN, value.to_string().as_bytes())?);
        let value = r#"{"ikey":"DI","skey":"s3cr3t","api_host":"api-1.duosecurity.com","other":"x"}"#;
        let keys = read(serde_json::json!({ "SecretString": value, "VersionId": "1" })).unwrap();
        assert_eq!(keys.get("DUO_SKEY").as_deref(), Some("s3cr3t"));
        assert_eq!(
            (keys.get("DUO_API_HOST").is_some(), keys.get("other"), keys.get("S3_BUCKET")),
            (true, None, None)
        );
        assert!(!format!("{keys:?}").contains("s3cr3t"));
        for wrong in ["s3cr3t", r#"{"skey":["s3cr3t"]}"#, r#"["s3cr3t"]"#, r#"{"skey":"s3cr3t"#] {
            let error = read(serde_json::json!({ "SecretString": wrong })).unwrap_err();
            assert!(!error.to_string().contains("s3cr3t") && error.hint().is_some(), "{error}");
        }
        assert!(read(serde_json::json!({ "SecretBinary": "AA==" })).is_err());
    }
}
