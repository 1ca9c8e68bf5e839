//! What a raw text becomes in an event: a text, a number or a boolean.

use crate::udm::Type;

/// The type that a raw text becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Bool,
    Integer { min: i128, max: i128, quoted: bool },
    Float,
}

impl Kind {
    /// The kind for a field of this type; nothing for types that raw texts don't become.
    pub(crate) fn of(kind: Type) -> Option<Kind> {
        match kind {
            Type::String => Some(Kind::Text),
            Type::Bool => Some(Kind::Bool),
            Type::Integer { min, max, quoted } => Some(Kind::Integer { min, max, quoted }),
            Type::Float { .. } => Some(Kind::Float),
            _ => None,
        }
    }

    /// What was expected, if `text` is not a value of this kind.
    pub(crate) fn refuses(self, text: &str) -> Option<String> {
        let fits = match self {
            Kind::Text => true,
            Kind::Bool => matches!(text, "true" | "false"),
            Kind::Integer { min, max, .. } => {
                let digits = text.strip_prefix('-').unwrap_or(text);
                let plain = digits == "0" || !digits.starts_with('0');
                plain
                    && text != "-0"
                    && text.parse().is_ok_and(|n: i128| (min..=max).contains(&n))
                    && !text.starts_with('+')
            }
            Kind::Float => serde_json::from_str::<f64>(text).is_ok_and(f64::is_finite) && text.trim() == text,
        };
        if fits {
            return None;
        }
        Some(match self {
            Kind::Text => "a text".into(),
            Kind::Bool => "`true` or `false`".into(),
            Kind::Integer { min, max, .. } => format!("a whole number from {min} to {max}"),
            Kind::Float => "a number".into(),
        })
    }

    /// `text`, which is a value of this kind, as JSON.
    pub(crate) fn json(self, text: &str, out: &mut Vec<u8>) {
        match self {
            Kind::Text => json_text(text, out),
            Kind::Integer { quoted: true, .. } => json_text(text, out),
            _ => out.extend_from_slice(text.as_bytes()),
        }
    }
}

/// `text` as a JSON string: only what JSON must have escaped is escaped.
pub(crate) fn json_text(text: &str, out: &mut Vec<u8>) {
    // Writing a string to a vector can't fail.
    let _ = serde_json::to_writer(out, text);
}
