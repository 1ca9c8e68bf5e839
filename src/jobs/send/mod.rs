//! Sends UDM events and raw logs into Google SecOps, by the Chronicle API's `events:import` and `logs:import`.
//!
//! SecOps leaves out a batch whose content equals an earlier one's. So what may have been lost is sent again with the
//! same bytes, never cut differently. `lines` and `reader` cut inputs into `piece`s by nothing but their lines, frozen
//! limits and what the `state` knows; `event` checks a line and makes a part of a request of it, `log` does so for raw
//! logs. `client` sends a piece
//! until there is a definite `answer`, at a `pace`, with tokens of `credentials`. `keeper` notes what came of it in the
//! state and among the `rejects` before anything rests on it. `run` puts these together; `check` looks at all of them
//! before the first run.

mod answer;
mod check;
mod client;
mod counts;
mod credentials;
mod error;
mod event;
mod hint;
mod inputs;
mod keeper;
mod lines;
mod log;
mod maker;
mod pace;
mod piece;
mod ranges;
mod reader;
mod rejects;
mod report;
mod run;
mod state;
mod target;
mod texts;

pub use check::check;
pub use client::Patience;
pub use counts::Counts;
pub use credentials::GivenCredentials;
pub use error::Error;
pub use rejects::RejectsTo;
pub use report::{Failure, Report};
pub use run::{Settings, dry_run, send};
pub use target::{Method, RawLogs, Target, api_url, plain_name};
pub use texts::{Rate, batch_bytes, period, rate, times};

pub use crate::jobs::waiting::Stop;
