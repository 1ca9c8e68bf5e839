//! Opens a bucket of a service by what the environment says: credentials, region, endpoint.

use super::http::Connector;
use super::profile;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use std::sync::Arc;
use std::time::Duration;

/// How a bucket is asked.
#[derive(Debug, Clone)]
pub(crate) struct Manner {
    /// How often a request is tried again that failed for a reason that may pass.
    pub(crate) retries: usize,
    /// For how long.
    pub(crate) retry_for: Duration,
    /// The longest time for one request, its answer's body included. Without one, the longest
    /// silence is a minute.
    pub(crate) timeout: Option<Duration>,
    /// Whether requests go unsigned.
    pub(crate) anonymous: bool,
    /// What stands between the store and the network.
    pub(crate) connector: Option<Connector>,
}

impl Default for Manner {
    /// Fewer and shorter tries than the crate's own three minutes: a run has a deadline.
    fn default() -> Manner {
        let minute = Duration::from_secs(60);
        Manner { retries: 6, retry_for: minute, timeout: Some(minute), anonymous: false, connector: None }
    }
}

impl Manner {
    fn retry(&self) -> RetryConfig {
        RetryConfig {
            backoff: BackoffConfig::default(),
            max_retries: self.retries,
            retry_timeout: self.retry_for,
        }
    }

    fn client(&self) -> ClientOptions {
        let client = ClientOptions::new().with_connect_timeout(Duration::from_secs(10));
        match self.timeout {
            Some(timeout) => client.with_timeout(timeout),
            None => client.with_timeout_disabled().with_read_timeout(Duration::from_secs(60)),
        }
    }
}

/// The bucket of `scheme://bucket`.
pub(crate) fn build(scheme: &str, bucket: &str, manner: &Manner) -> Result<Arc<dyn ObjectStore>, String> {
    let text = |error: object_store::Error| error.to_string();
    match scheme {
        "s3" | "s3a" => {
            let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket).with_retry(manner.retry());
            // from_env has put its own client options in place: only what is missing is added.
            let http = std::env::var("AWS_ALLOW_HTTP").is_ok_and(|value| truthy(&value));
            builder = builder.with_client_options(manner.client().with_allow_http(http));
            if manner.anonymous {
                builder = builder.with_skip_signature(true);
            } else {
                builder = profile::apply(builder, &|name| std::env::var(name).ok())?;
            }
            // Deletions of single objects have a condition, those of many have none.
            builder = builder.with_config(AmazonS3ConfigKey::DisableBulkDelete, "true");
            if let Some(connector) = &manner.connector {
                builder = builder.with_http_connector(connector.clone());
            }
            let store = builder.build().map_err(text)?;
            if let Some(connector) = &manner.connector {
                // Each bucket has a connector of its own, so nothing was set.
                let _ = connector.keys.set(Arc::clone(store.credentials()));
            }
            Ok(Arc::new(store))
        }
        #[cfg(feature = "gcs")]
        "gs" => {
            let builder = object_store::gcp::GoogleCloudStorageBuilder::from_env();
            let mut builder = builder
                .with_bucket_name(bucket)
                .with_retry(manner.retry())
                .with_client_options(manner.client())
                .with_skip_signature(manner.anonymous);
            if let Some(connector) = &manner.connector {
                builder = builder.with_http_connector(connector.clone());
            }
            Ok(Arc::new(builder.build().map_err(text)?))
        }
        #[cfg(feature = "azure")]
        "az" => {
            let builder = object_store::azure::MicrosoftAzureBuilder::from_env();
            let mut builder = builder
                .with_container_name(bucket)
                .with_retry(manner.retry())
                .with_client_options(manner.client())
                .with_skip_signature(manner.anonymous);
            if let Some(connector) = &manner.connector {
                builder = builder.with_http_connector(connector.clone());
            }
            Ok(Arc::new(builder.build().map_err(text)?))
        }
        #[cfg(not(feature = "gcs"))]
        "gs" => Err("this udmap was built without the feature `gcs`".into()),
        #[cfg(not(feature = "azure"))]
        "az" => Err("this udmap was built without the feature `azure`".into()),
        _ => Err(format!("`{scheme}` is no kind of store: s3, gs, az, or a path")),
    }
}

fn truthy(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "1" | "true" | "on" | "yes" | "y")
}
