//! Turns Duo telephony logs into Google SecOps UDM events, by a mapping table kept as data.
//!
//! ```
//! use udmap::convert::{Converter, Options};
//! use udmap::mapping::Mapping;
//!
//! let mapping = Mapping::builtin("duo_telephony").expect("the table comes with udmap");
//! let converter = Converter::new(&mapping, &Options::default());
//! let log = br#"{"context":"enrollment","credits":1,"phone":"+12125556707","ts":"2023-03-21T22:34:49.466370+00:00","type":"sms"}
//! {"context":"enrollment"}"#;
//!
//! let batch = converter.convert(log);
//! let event = String::from_utf8(batch.events)?;
//! assert!(event.starts_with(r#"{"metadata":{"product_event_type":"enrollment","event_timestamp":"2023-03-21T22:34:49.466370Z""#));
//! assert_eq!(batch.rejects[0].reason.code(), "no-timestamp");
//! assert_eq!(batch.rejects[0].line, 2);
//! assert!(batch.tally.balances());
//! # Ok::<(), std::string::FromUtf8Error>(())
//! ```
//!
//! The parts, each leaning only on those after it: [`convert`] applies a [`mapping`] to records;
//! [`mapping`] reads tables and checks them against [`udm`]; [`record`] finds records in bytes.
//! They know no file, network, clock or terminal. [`store`] (feature `store`) opens and writes
//! files and objects, compressed or not; [`dump`] (feature `dump`) converts whole prefixes of them; [`collect`] (feature `collect`) brings Duo's logs into a bucket or a
//! folder; [`synth`] (feature `synth`) makes synthetic logs.

#[cfg(feature = "files")]
#[doc(hidden)]
pub mod bindings;
pub mod check;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[cfg(feature = "files")]
pub mod columns;
pub mod convert;
#[cfg(feature = "bucket")]
pub mod jobs;
pub mod json;
#[cfg(feature = "cli")]
pub mod lab;
#[cfg(feature = "lambda")]
#[doc(hidden)]
pub mod lambda;
pub mod mapping;
mod panics;
pub mod record;
#[cfg(feature = "files")]
mod report;
mod simd;
#[cfg(feature = "files")]
pub mod store;
mod sync;
mod text;
pub mod time;
pub mod udm;
