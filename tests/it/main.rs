//! What udmap promises, held from outside: one binary, a file a theme.

mod bench;
#[cfg(feature = "dump")]
mod buckets;
mod checks;
mod cli;
#[cfg(feature = "collect")]
mod collect;
mod containers;
mod deploy;
#[cfg(feature = "dump")]
mod dump;
mod endurance;
mod forms;
mod goldens;
mod judges;
#[cfg(feature = "lambda")]
mod lambda;
mod mapping;
mod outputs;
mod process;
mod properties;
mod rows;
#[cfg(feature = "objects")]
mod s3;
mod sameness;
mod support;
mod tables;
