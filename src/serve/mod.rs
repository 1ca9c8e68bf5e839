//! `udmap serve`: a local page on which a table is written while one looks at what it makes of records.
//!
//! The server listens on 127.0.0.1 alone and answers who knows its token. It keeps samples of logs in memory, and writes
//! a file only when it is told to save one. All that it knows of records, tables and events comes from other rooms.

mod answer;
mod api;
mod command;
mod compared;
mod fields;
mod forms;
mod gate;
mod http;
mod index;
#[cfg(feature = "parser")]
mod parser;
mod places;
mod pretty;
mod profile;
mod record;
mod rule;
mod run;
mod sample;
mod save;
mod share;
mod state;
mod table;
#[cfg(test)]
mod tests;
mod web;
mod work;

pub(crate) use http::listen;
pub(crate) use sample::Sample;
pub(crate) use state::{Opened, State};
pub(crate) use table::best_table;
