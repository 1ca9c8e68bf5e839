//! Brings Duo's logs from its Admin API into a bucket or a folder, each record exactly once.
//!
//! [`Settings`] say what to collect from where to where, [`Settings::open`] makes a [`Collector`]
//! of them for each log, [`Collector::run`] is one run with its [`Limits`] and gives a [`Report`] or a
//! [`Failure`]; [`run`] and [`run_and`] run several at once. This is what a command, a daemon or a function of a cloud calls:
//!
//! ```no_run
//! use std::time::Duration;
//! use udmap::jobs::collect::{self, Error, Limits, Settings};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let settings = Settings::read(&|name| std::env::var(name).ok())?;
//! let mut collectors = settings.open(|_| Ok::<_, Error>(None))?;
//! let limits = Limits { deadline: Some(Duration::from_secs(280)), ..Limits::default() };
//! collect::run(&mut collectors, None, &limits, &mut |log, result| match result {
//!     Ok(report) => println!("{log}: {}", report.line()),
//!     Err(failure) => eprintln!("{log}: {failure}"),
//! })
//! .await;
//! # Ok(())
//! # }
//! ```
//!
//! The parts: `logs` are the rows of what there is to collect; `sign`, `answer`, `page` and `client` speak with Duo;
//! `window`, `step`, `seconds`, `seen` and `state`
//! are plain values and functions that decide what is asked and what is delivered; `run` carries
//! it out on a `collector`, with the state that `held` reads and writes. Time comes from a [`Clock`], answers from a
//! [`Transport`], objects go through [`store::objects`](crate::store::objects); tests put their own in place of each.
//! Mappings are unknown here: what else is made of the records comes in as a [`Derive`].

mod answer;
mod check;
mod client;
mod clock;
mod collector;
mod credentials;
mod derive;
mod error;
mod every;
mod held;
mod listener;
mod logs;
mod page;
mod places;
mod record;
mod report;
mod run;
mod seconds;
mod seen;
pub(crate) mod settings;
pub mod sign;
mod state;
mod step;
mod together;
mod transport;
mod window;

pub use clock::{Clock, SystemClock};
pub use collector::{Collector, Limits};
pub use credentials::Credentials;
pub use derive::{Derive, Derived};
pub use error::{Error, ErrorKind};
pub use listener::{Listener, RunStep};
pub use logs::Log;
pub use places::Places;
pub use report::{Failure, Outcome, Report};
pub use settings::Settings;
pub use state::Gap;
pub use together::{run, run_and};
pub use transport::{Https, MAX_ANSWER_BYTES, NoAnswer, Request, Response, Transport};

pub use crate::jobs::finding::{Finding, Level};
pub use crate::jobs::settings::{Lookup, When};
pub use crate::jobs::waiting::Stop;
pub use crate::store::Compression;
pub use crate::time::duration;
