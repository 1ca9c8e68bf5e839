//! What encrypted connections are made with.

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls_platform_verifier::Verifier;
use std::error::Error;
use std::sync::{Arc, OnceLock};

/// Whether a request failed because the certificate is not one to trust.
pub(super) fn is_untrusted(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if matches!(error.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))) {
            return true;
        }
        // What an `io::Error` wraps is not its source, but what that has.
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    false
}

/// Settings of encrypted connections, made when they are asked for first: reading the system's certificates takes
/// longer than a small object. Clones share them, and the sessions that can be resumed.
#[derive(Debug, Clone)]
pub(super) struct Tls {
    /// Certificates to trust besides the system's.
    pem: Option<Arc<[u8]>>,
    config: Arc<OnceLock<ClientConfig>>,
}

impl Tls {
    pub(super) fn new(pem: Option<&[u8]>) -> Tls {
        Tls { pem: pem.map(Arc::from), config: Arc::default() }
    }

    /// # Errors
    /// If there are no certificates to trust.
    pub(super) fn config(&self) -> Result<ClientConfig, rustls::Error> {
        if let Some(config) = self.config.get() {
            return Ok(config.clone());
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let more = CertificateDer::pem_slice_iter(self.pem.as_deref().unwrap_or_default());
        let verifier = Verifier::new_with_extra_roots(more.filter_map(Result::ok), Arc::clone(&provider))?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(self.config.get_or_init(|| config).clone())
    }
}
