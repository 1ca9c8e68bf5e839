//! What a request is answered: JSON, or why not.

use hyper::StatusCode;
use serde::Serialize;

/// Why a request gets no answer.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) error: String,
    pub(super) hint: Option<String>,
}

#[derive(Serialize)]
struct Told<'r> {
    error: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'r str>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, error: impl Into<String>) -> Refusal {
        Refusal { status, error: error.into(), hint: None }
    }

    /// What was asked can't be done.
    pub(super) fn bad(error: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::BAD_REQUEST, error)
    }

    /// What was asked for does not exist.
    pub(super) fn missing(error: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::NOT_FOUND, error)
    }

    /// What is there is left as it is.
    pub(super) fn conflict(error: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::CONFLICT, error)
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Refusal {
        Refusal { hint: Some(hint.into()), ..self }
    }

    pub(super) fn json(&self) -> Vec<u8> {
        json(&Told { error: &self.error, hint: self.hint.as_deref() })
    }
}

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Refusal {
        Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, format!("{error:#}"))
    }
}

/// A value as JSON.
pub(super) fn json(value: &impl Serialize) -> Vec<u8> {
    // Texts, numbers, and maps with texts as keys always serialize.
    serde_json::to_vec(value).unwrap_or_default()
}
