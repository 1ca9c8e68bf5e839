//! Requests for keys that neither object_store's paths nor URLs can hold: `a/../b`, `a//b`, ` a`.
//!
//! Inside they are spelled another way ([`encode_key`](super::keys::encode_key)). Here a request gets the key's
//! own name, a signature for it (AWS Signature Version 4, as the API reference of S3 describes it),
//! and a client that sends names as they are: the usual one follows the URL standard and resolves
//! `..` itself. Proxies that the environment names are not used for such keys.

use super::keys::{decode_path, is_encoded};
use super::tls::Tls;
use crate::text::percent_encoded;
use aws_lc_rs::{digest, hmac};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use object_store::aws::AwsCredential;
use object_store::client::{
    HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse, HttpResponseBody,
};
use object_store::{CredentialProvider, HeaderValue};
use std::sync::{Arc, OnceLock};

/// What a bucket's requests are signed with.
pub(crate) type Keys = Arc<OnceLock<Arc<dyn CredentialProvider<Credential = AwsCredential>>>>;

/// A client for unusual keys. It is made when there is one.
#[derive(Debug)]
pub(super) struct UnusualKeys {
    keys: Keys,
    tls: Tls,
    client: OnceLock<Client<HttpsConnector<HttpConnector>, HttpRequestBody>>,
}

/// Whether a request is for an unusual key.
pub(super) fn is_unusual(request: &HttpRequest) -> bool {
    is_encoded(request.uri().path())
}

impl UnusualKeys {
    pub(super) fn new(keys: Keys, tls: Tls) -> UnusualKeys {
        UnusualKeys { keys, tls, client: OnceLock::new() }
    }

    fn client(&self) -> Result<&Client<HttpsConnector<HttpConnector>, HttpRequestBody>, HttpError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let config = self.tls.config().map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1().build();
        Ok(self.client.get_or_init(|| Client::builder(TokioExecutor::new()).build(connector)))
    }

    pub(super) async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let uri = request.uri();
        let path = decode_path(uri.path());
        let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        let scheme = uri.scheme_str().unwrap_or("https");
        *request.uri_mut() = format!("{scheme}://{authority}{path}{query}")
            .parse()
            .map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
        if let (Some(keys), Some(signed)) = (self.keys.get(), request.headers().get("authorization"))
            && let Ok(signed) = signed.to_str().map(str::to_owned)
        {
            let credential =
                keys.get_credential().await.map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
            if let Some(authorization) = sign(&mut request, &signed, &path, &authority, &credential) {
                request.headers_mut().insert("authorization", authorization);
            }
        }
        let response = self.client()?.request(request).await.map_err(|error| {
            let kind = if error.is_connect() { HttpErrorKind::Connect } else { HttpErrorKind::Request };
            HttpError::new(kind, error)
        })?;
        let (parts, body) = response.into_parts();
        let body = body.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error));
        Ok(HttpResponse::from_parts(parts, HttpResponseBody::new(body)))
    }
}

/// Signs a request anew that was signed for another path: `signed` says when, where and what.
fn sign(
    request: &mut HttpRequest,
    signed: &str,
    path: &str,
    host: &str,
    credential: &AwsCredential,
) -> Option<HeaderValue> {
    let field = |name: &str| {
        let rest = &signed[signed.find(name)? + name.len()..];
        Some(rest.split(',').next().unwrap_or(rest).trim())
    };
    let scope = field("Credential=")?.split_once('/')?.1;
    let names = field("SignedHeaders=")?;
    if let Some(token) = &credential.token {
        request.headers_mut().insert("x-amz-security-token", HeaderValue::from_str(token).ok()?);
    }
    let header = |name: &str| request.headers().get(name)?.to_str().ok();
    let mut headers = String::new();
    for name in names.split(';') {
        let value = if name == "host" { host } else { header(name)? };
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        headers.push_str(&format!("{name}:{value}\n"));
    }
    let mut query: Vec<(String, String)> =
        url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
            .map(|(key, value)| (percent_encoded(key.as_bytes()), percent_encoded(value.as_bytes())))
            .collect();
    query.sort();
    let query: Vec<String> = query.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let (date, payload) = (header("x-amz-date")?, header("x-amz-content-sha256")?);
    let method = request.method().as_str();
    let canonical = format!("{method}\n{path}\n{}\n{headers}\n{names}\n{payload}", query.join("&"));
    let hashed = crate::text::hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashed}");
    let mut key = Bytes::from(format!("AWS4{}", credential.secret_key));
    for part in scope.split('/').chain([text.as_str()]) {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), part.as_bytes());
        key = Bytes::copy_from_slice(tag.as_ref());
    }
    let signature = crate::text::hex(&key);
    let key_id = &credential.key_id;
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders={names}, Signature={signature}");
    HeaderValue::from_str(&authorization).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Example of the documentation: GET Object, "Authenticating Requests (AWS Signature Version 4):
    /// Examples" in the Amazon S3 API Reference.
    #[test]
    fn the_signature_of_the_documentation() {
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.uri_mut() = "https://examplebucket.s3.amazonaws.com/test.txt".parse().unwrap();
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        for (name, value) in
            [("range", "bytes=0-9"), ("x-amz-content-sha256", empty), ("x-amz-date", "20130524T000000Z")]
        {
            request.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        let credential = AwsCredential {
            key_id: "AKIAIOSFODNN7EXAMPLE".into(),
            secret_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
            token: None,
        };
        let signed = "AWS4-HMAC-SHA256 Credential=X/20130524/us-east-1/s3/aws4_request, \
                      SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, Signature=none";
        let host = "examplebucket.s3.amazonaws.com";
        let made = sign(&mut request, signed, "/test.txt", host, &credential).unwrap();
        let want = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
        assert!(made.to_str().unwrap().ends_with(&format!("Signature={want}")), "{made:?}");
    }
}
