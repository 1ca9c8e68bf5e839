//! What udmap promises, held from outside: one binary, a file a theme.

mod bench;
mod buckets;
mod checks;
mod cli;
mod collect;
mod containers;
mod deploy;
mod differential;
mod documents;
mod dump;
mod duo_logs;
mod endurance;
mod examples;
mod formats;
mod generate;
mod goldens;
mod http;
mod inputs;
#[cfg(feature = "lambda")]
mod lambda;
mod language;
mod mapping;
mod mixed;
mod oracles;
mod outputs;
mod packaging;
mod parser;
mod process;
mod properties;
mod rest;
mod rows;
mod s3;
mod send;
#[cfg(feature = "serve")]
mod serve;
#[cfg(feature = "serve")]
mod serve_page;
mod services;
mod shippers;
mod store;
mod support;
mod table_schema;
mod tables;
mod terminals;
mod tools;
mod words;
