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
mod inputs;
#[cfg(feature = "lambda")]
mod lambda;
mod language;
mod mapping;
mod oracles;
mod outputs;
mod packaging;
mod process;
mod properties;
mod rest;
mod rows;
mod s3;
mod services;
mod store;
mod support;
mod table_schema;
mod tables;
mod tools;
mod words;
