//! Google SecOps' parsers, run offline.
//!
//! Parsers are written in what Google calls CBN ("configuration based normalizer"): Logstash's filter section, remade. This
//! is a reading of it from Google's documents and from Google's own parsers with their expected events; the service
//! itself has no public specification.
//!
//! `scan` and `read` make statements (`syntax`) of a parser's text, `program` compiles them with the `plugins`, and `run`
//! runs them on the tokens of one log (`state`). `output` makes events of what a parser has merged into `@output`.

mod build;
mod condition;
mod copy;
mod date_format;
mod dump;
mod export;
mod failure;
mod grok_patterns;
mod number;
mod options;
mod output;
mod parser;
mod path;
mod pattern;
mod place;
mod plugin;
mod plugins;
mod position;
mod program;
mod raw;
mod re2;
mod read;
mod run;
mod scan;
mod source;
mod state;
mod symbols;
mod syntax;
mod template;
#[cfg(test)]
mod tests;
mod user_agent;
mod value;
mod warning;
mod xml;
mod zone;

pub use export::{Refused, export};
pub use parser::{Failed, Log, Outcome, Parser, RunOptions, Runner};
pub use position::{Position, ReadError};
pub use program::ParserPart;
pub use raw::{MAX_LOG_BYTES, TOO_LONG, log_text};
pub use warning::{Code, Warning};
