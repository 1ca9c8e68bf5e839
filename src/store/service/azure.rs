//! What Azure's requests need beyond the crate's: conditions, which its signature covers, and deletions one at a time,
//! because a deletion of many has no condition.

use object_store::HeaderValue;
use object_store::azure::{AzureAuthorizer, AzureCredentialProvider};
use object_store::client::{HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse};

/// Whether a request puts the blocks of a blob together.
pub(super) fn ends_parts(request: &HttpRequest) -> bool {
    let is_list = |query: &str| query.split('&').any(|pair| pair == "comp=blocklist");
    request.method().as_str() == "PUT" && request.uri().query().is_some_and(is_list)
}

/// Of a deletion of many that has one blob, the deletion of that blob. Its path is the crate's.
pub(super) fn single_delete(batch: &HttpRequest) -> Option<HttpRequest> {
    let is_batch = |query: &str| query.split('&').any(|pair| pair == "comp=batch");
    if batch.method().as_str() != "POST" || !batch.uri().query().is_some_and(is_batch) {
        return None;
    }
    let body = std::str::from_utf8(batch.body().as_bytes()?).ok()?;
    let mut targets = body.lines().filter_map(|line| line.strip_prefix("DELETE "));
    let (Some(target), None) = (targets.next(), targets.next()) else { return None };
    let (target, _) = target.rsplit_once(' ')?;
    // The blob's path begins with its container, which is where that of the batch ends.
    let container = batch.uri().path().trim_end_matches('/');
    let name = container.rsplit('/').next()?;
    let blob = target.trim_start_matches('/').strip_prefix(name)?.strip_prefix('/')?;
    let mut request = HttpRequest::new(HttpRequestBody::empty());
    *request.method_mut() = "DELETE".parse().ok()?;
    let (scheme, authority) = (batch.uri().scheme_str()?, batch.uri().authority()?);
    *request.uri_mut() = format!("{scheme}://{authority}{container}/{blob}").parse().ok()?;
    for name in ["authorization", "x-ms-version", "x-ms-date", "date"] {
        if let Some(value) = batch.headers().get(name) {
            request.headers_mut().insert(name, value.clone());
        }
    }
    Some(request)
}

/// The answer to a deletion of many that has one blob, which is deleted.
pub(super) fn deleted() -> HttpResponse {
    let body = "--one\r\nContent-Type: application/http\r\nContent-ID: 0\r\n\r\nHTTP/1.1 202 Accepted\r\n\r\n\r\n--one--\r\n";
    let mut response = HttpResponse::new(body.to_owned().into());
    response.headers_mut().insert("content-type", HeaderValue::from_static("multipart/mixed; boundary=one"));
    response
}

/// Adds a header to a request. If it is signed with the account's key, it gets a new signature.
pub(super) async fn with_header(
    request: &mut HttpRequest,
    name: &'static str,
    value: HeaderValue,
    credentials: Option<&AzureCredentialProvider>,
) -> Result<(), HttpError> {
    request.headers_mut().insert(name, value);
    let signed = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    let account = signed.and_then(|signed| signed.strip_prefix("SharedKey ")?.split_once(':'));
    let (Some((account, _)), Some(credentials)) = (account, credentials) else { return Ok(()) };
    let account = account.to_owned();
    let failed = |error| HttpError::new(HttpErrorKind::Unknown, error);
    let credential = credentials.get_credential().await.map_err(failed)?;
    request.headers_mut().remove("authorization");
    AzureAuthorizer::new(&credential, &account).try_authorize(request).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::StaticCredentialProvider;
    use object_store::azure::{AzureAccessKey, AzureCredential};
    use std::sync::Arc;

    #[tokio::test]
    async fn a_deletion_of_one_has_its_condition_and_a_signature_for_it() {
        let body = "--b\r\nContent-ID: 0\r\n\r\nDELETE /box/a%20b/c?x=y HTTP/1.1\r\nauthorization: SharedKey me:old\r\n\r\n--b--\r\n";
        let mut batch = HttpRequest::new(body.to_owned().into());
        *batch.method_mut() = "POST".parse().unwrap();
        *batch.uri_mut() = "http://127.0.0.1:1/me/box/?restype=container&comp=batch".parse().unwrap();
        batch.headers_mut().insert("authorization", HeaderValue::from_static("SharedKey me:old"));
        let mut request = single_delete(&batch).unwrap();
        assert_eq!(request.uri().to_string(), "http://127.0.0.1:1/me/box/a%20b/c?x=y");
        let key = AzureCredential::AccessKey(AzureAccessKey::try_new("c2VjcmV0").unwrap());
        let credentials: AzureCredentialProvider = Arc::new(StaticCredentialProvider::new(key));
        let etag = HeaderValue::from_static("\"e\"");
        with_header(&mut request, "if-match", etag, Some(&credentials)).await.unwrap();
        let signed = request.headers()["authorization"].to_str().unwrap();
        assert!(signed.starts_with("SharedKey me:") && signed != "SharedKey me:old", "{signed}");
        let two = format!("{body}DELETE /box/d HTTP/1.1\r\n");
        *batch.body_mut() = two.into();
        assert!(single_delete(&batch).is_none(), "of two");
    }
}
