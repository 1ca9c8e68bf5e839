//! udmap's job done with other JSON libraries: `udmap-peers NAME FILE` writes the events of a file
//! to stdout, `udmap-peers memory RUNS NAME,NAME,... FILE` measures conversions from memory.

mod auth;
mod bound;
mod harness;
mod nested60;
mod ours;
mod record;
mod serde_typed;
mod serde_value;
mod simd_tape;
mod sonic;
mod time;

use harness::{Job, Lines};
use std::process::ExitCode;

/// The job called `name`, if there is one. `auth-` and `nested60-` are the same library at another table.
fn job(name: &str) -> Option<Box<dyn Job>> {
    Some(match name {
        "udmap" => Box::new(ours::duo()),
        "bound" => Box::new(bound::Bound::default()),
        "serde-value" => Box::new(Lines(serde_value::convert)),
        "serde-typed" => Box::new(Lines(serde_typed::convert)),
        "simd-json" => {
            let mut parser = simd_tape::Parser::default();
            Box::new(Lines(move |line: &[u8], out: &mut Vec<u8>| simd_tape::convert(&mut parser, line, out)))
        }
        "sonic-rs" => Box::new(Lines(sonic::convert)),
        "auth-udmap" => Box::new(ours::auth()),
        "auth-simd-json" => {
            let mut parser = simd_tape::Parser::default();
            Box::new(Lines(move |line: &[u8], out: &mut Vec<u8>| auth::convert(&mut parser, line, out)))
        }
        "nested60-udmap" => Box::new(ours::nested60()),
        "nested60-serde-value" => Box::new(Lines(nested60::serde_value::convert)),
        "nested60-simd-json" => {
            let mut parser = simd_tape::Parser::default();
            Box::new(Lines(move |line: &[u8], out: &mut Vec<u8>| {
                nested60::simd_tape::convert(&mut parser, line, out)
            }))
        }
        _ => return None,
    })
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["nested60-records", count] => nested60::records::write(count.parse().unwrap_or(0)),
        ["memory", runs, names, file] => {
            let jobs: Option<Vec<_>> = names.split(',').map(|name| Some((name, job(name)?))).collect();
            let Some(jobs) = jobs else { return usage() };
            harness::memory(jobs, runs.parse().unwrap_or(1), file)
        }
        [name, file] => {
            let Some(mut job) = job(name) else { return usage() };
            harness::file(&mut *job, file)
        }
        _ => return usage(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: udmap-peers NAME FILE | memory RUNS NAME,... FILE | nested60-records COUNT");
    ExitCode::from(2)
}
