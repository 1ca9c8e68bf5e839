//! What udmap promises, held from outside: one binary, a file a theme.

mod bench;
mod cli;
mod endurance;
mod goldens;
mod judges;
mod mapping;
mod properties;
mod sameness;
mod support;
