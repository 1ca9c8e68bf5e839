//! How fast this machine converts, and how fast it could at best: the measurements of `udmap bench`.

mod bound;
pub(crate) mod input;
pub(crate) mod machine;
pub(crate) mod measure;
