//! What udmap promises, held from outside: one binary, a file a theme.

mod bench;
mod buckets;
mod checks;
mod cli;
mod collect;
mod containers;
mod deploy;
mod documents;
mod dump;
mod endurance;
mod formats;
mod goldens;
mod judges;
#[cfg(feature = "lambda")]
mod lambda;
mod mapping;
mod outputs;
mod process;
mod properties;
mod rows;
mod s3;
mod sameness;
mod services;
mod store;
mod support;
mod tables;
mod tools;
mod words;
