//! 60 rules over nested fields: what is read from where, for the records and for udmap's rivals.
//!
//! `nested60.toml` says the same to udmap. Every field is in every record, so the rivals need not
//! ask which are absent, as udmap does.

pub mod records;
pub mod serde_value;
pub mod simd_tape;

/// The raw objects that nouns are made of, and the nouns.
pub const NOUNS: [(&str, &str); 3] = [("actor", "principal"), ("object", "target"), ("origin", "src")];

/// A noun's raw fields, a key or two of them, and the UDM fields that they fill.
pub const LEAVES: [(&[&str], &[&str]); 19] = [
    (&["name"], &["hostname"]),
    (&["app"], &["application"]),
    (&["domain"], &["administrative_domain"]),
    (&["link"], &["url"]),
    (&["user", "id"], &["user", "userid"]),
    (&["user", "name"], &["user", "user_display_name"]),
    (&["user", "title"], &["user", "title"]),
    (&["user", "company"], &["user", "company_name"]),
    (&["user", "number"], &["user", "employee_id"]),
    (&["process", "id"], &["process", "pid"]),
    (&["process", "line"], &["process", "command_line"]),
    (&["file", "path"], &["file", "full_path"]),
    (&["file", "hash"], &["file", "sha256"]),
    (&["file", "kind"], &["file", "mime_type"]),
    (&["place", "city"], &["location", "city"]),
    (&["place", "state"], &["location", "state"]),
    (&["place", "country"], &["location", "country_or_region"]),
    (&["place", "name"], &["location", "name"]),
    (&["device"], &["asset", "asset_id"]),
];
