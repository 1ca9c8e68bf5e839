//! The plugins, a file each.

mod base64;
mod csv;
mod date;
mod grok;
mod json;
mod kv;
mod mutate;
mod statedump;
mod translate;
mod url_decode;
mod xml;

pub(super) use xml::XPathSource;

use super::build::Build;
use super::options::Options;
use super::plugin::Action;
use super::position::ReadError;

/// The plugins by name.
pub(super) const NAMES: [&str; 12] = [
    "base64",
    "csv",
    "date",
    "drop",
    "grok",
    "json",
    "kv",
    "mutate",
    "statedump",
    "translate",
    "url_decode",
    "xml",
];

/// Compiles a plugin that has this name; nothing if there is none. `drop` ends a log, and is not an action.
///
/// # Errors
/// If its options are not what it takes.
pub(super) fn compile(
    name: &str,
    options: &mut Options<'_>,
    build: &mut Build,
) -> Result<Option<Box<dyn Action>>, ReadError> {
    let compile = match name {
        "base64" => base64::compile,
        "csv" => csv::compile,
        "date" => date::compile,
        "grok" => grok::compile,
        "json" => json::compile,
        "kv" => kv::compile,
        "mutate" => mutate::compile,
        "statedump" => statedump::compile,
        "translate" => translate::compile,
        "url_decode" => url_decode::compile,
        "xml" => xml::compile,
        _ => return Ok(None),
    };
    compile(options, build).map(Some)
}
