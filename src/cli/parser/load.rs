//! Parsers from files.

use crate::cbn::Parser;
use crate::report::summary::counted;
use crate::store::{Source, list};
use crate::text::escaped;
use anyhow::{Context as _, anyhow, bail};
use std::io::Read as _;
use std::sync::Arc;

/// The most bytes of a parser's text.
const MOST: u64 = 16 << 20;

/// The text of a parser.
pub(in crate::cli) fn text_of(source: &Source) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    source.open(Arc::default(), Arc::default())?.take(MOST + 1).read_to_end(&mut bytes)?;
    let name = escaped(source.name());
    if bytes.len() as u64 > MOST {
        bail!("`{name}` is larger than {} MiB: it can't be a parser", MOST >> 20);
    }
    String::from_utf8(bytes).ok().with_context(|| format!("`{name}` is not UTF-8"))
}

/// The parser of a file.
pub(super) fn load(name: &str) -> anyhow::Result<Parser> {
    let sources = list(&[name.to_owned()], &[])?.sources;
    let [source] = &sources[..] else {
        bail!("expected one parser, found {} in `{}`", counted(sources.len() as u64, "file"), escaped(name));
    };
    Parser::read(&text_of(source)?).map_err(|error| {
        let hint = error.hint.as_ref().map_or(String::new(), |hint| format!("\nhint: {hint}"));
        anyhow!("{}:{error}{hint}", escaped(name))
    })
}
