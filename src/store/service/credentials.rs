//! Credentials on their way to the signer: what came from elsewhere is checked before it stands in a header, and having none
//! is said as that.

use super::carried::CarriedError;
use super::settings::unfit_keys;
use crate::store::error::ErrorKind;
use async_trait::async_trait;
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;
use std::sync::Arc;

type Provider = Arc<dyn CredentialProvider<Credential = AwsCredential>>;

/// Credentials from somewhere.
#[derive(Debug)]
pub(super) struct Checked {
    from: Option<Provider>,
    /// Whether nothing is set, so that the instance is asked as a last resort.
    last_resort: bool,
}

impl Checked {
    /// What a service or a program gives.
    pub(super) fn new(from: Provider) -> Checked {
        Checked { from: Some(from), last_resort: false }
    }

    /// What the instance's metadata service gives, if that may be asked.
    pub(super) fn last_resort(instance: Option<Provider>) -> Checked {
        Checked { from: instance, last_resort: true }
    }

    fn failed(&self, why: &str) -> object_store::Error {
        let told = if self.last_resort {
            let why = match (&self.from, why) {
                (None, _) => "there are no credentials".to_owned(),
                (_, why) => {
                    format!(
                        "there are no credentials, and the machine has no role to give them (instance metadata: {why})"
                    )
                }
            };
            CarriedError::new(ErrorKind::Denied, why).with_hint(
                "set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or `AWS_PROFILE`; for a public bucket, read with \
                 `--no-sign-request`",
            )
        } else {
            CarriedError::new(ErrorKind::Denied, format!("cannot get credentials: {why}"))
                .with_hint("see that the service or program that gives them works")
        };
        told.into()
    }
}

#[async_trait]
impl CredentialProvider for Checked {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let Some(from) = &self.from else { return Err(self.failed("")) };
        // The crate takes an answer that can't stand in a header or a URL for a fault of the program.
        let credential = match crate::panics::foreign(from.get_credential()).await {
            Ok(Ok(credential)) => credential,
            Ok(Err(error)) if CarriedError::within(&error).is_some() && !self.last_resort => {
                return Err(error);
            }
            Ok(Err(error)) => return Err(self.failed(&last(&error))),
            Err(_) => return Err(self.failed("the answer can't be used")),
        };
        match unfit_keys(&credential) {
            Some(why) => Err(self.failed(&why)),
            None => Ok(credential),
        }
    }
}

/// What went wrong at the bottom.
fn last(error: &object_store::Error) -> String {
    if let Some(answer) = super::answer::Answer::within(error) {
        return answer.words();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives the key id, or fails.
    #[derive(Debug)]
    struct Gives(Option<&'static str>);

    #[async_trait]
    impl CredentialProvider for Gives {
        type Credential = AwsCredential;

        async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
            let Some(key_id) = self.0 else {
                return Err(object_store::Error::NotImplemented {
                    operation: "x".into(),
                    implementer: "y".into(),
                });
            };
            assert_ne!(key_id, "panic");
            Ok(Arc::new(AwsCredential { key_id: key_id.into(), secret_key: "s".into(), token: None }))
        }
    }

    #[tokio::test]
    async fn what_does_not_fit_is_an_error() {
        let get = async |checked: Checked| match checked.get_credential().await {
            Ok(credential) => credential.key_id.clone(),
            Err(error) => {
                let told = CarriedError::within(&error).unwrap();
                format!("{} {}", told.why, told.hint.as_deref().unwrap_or_default())
            }
        };
        let from = |gives| Arc::new(Gives(gives)) as Provider;
        assert_eq!(get(Checked::new(from(Some("AKID")))).await, "AKID");
        assert!(
            get(Checked::new(from(Some("AK\nID"))))
                .await
                .contains("the key id is not a key id: it has a line break")
        );
        assert!(get(Checked::new(from(Some("panic")))).await.contains("the answer can't be used"));
        assert!(get(Checked::new(from(None))).await.starts_with("cannot get credentials"));
        for none in [Checked::last_resort(None), Checked::last_resort(Some(from(None)))] {
            let said = get(none).await;
            assert!(
                said.starts_with("there are no credentials") && said.contains("--no-sign-request"),
                "{said}"
            );
        }
    }
}
