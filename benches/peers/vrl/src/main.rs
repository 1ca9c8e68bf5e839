//! udmap's job by VRL, Vector's language, compiled once: arguments as of `udmap-peers`.

#[path = "../../src/harness.rs"]
mod harness;

use harness::Lines;
use std::process::ExitCode;
use vrl::compiler::runtime::Runtime;
use vrl::compiler::{TargetValue, TimeZone};
use vrl::diagnostic::Formatter;
use vrl::value::{Secrets, Value};

fn main() -> ExitCode {
    // Read when run, so that a changed program needs no new build of VRL.
    let source =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/duo.vrl")).expect("the program");
    let program = match vrl::compiler::compile(&source, &vrl::stdlib::all()) {
        Ok(compiled) => compiled.program,
        Err(problems) => {
            eprintln!("{}", Formatter::new(&source, problems));
            return ExitCode::FAILURE;
        }
    };
    let mut runtime = Runtime::default();
    let mut job = Lines(move |line: &[u8], out: &mut Vec<u8>| {
        let value: Value = serde_json::from_slice(line).ok()?;
        let metadata = Value::Object(Default::default());
        let mut target = TargetValue { value, metadata, secrets: Secrets::default() };
        let resolved = runtime.resolve(&mut target, &program, &TimeZone::default());
        runtime.clear();
        resolved.inspect_err(|error| eprintln!("{error}")).ok()?;
        serde_json::to_writer(out, &target.value).ok()
    });
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match &args[..] {
        [memory, runs, name, file] if memory == "memory" => {
            harness::memory(vec![(name, Box::new(job))], runs.parse().unwrap_or(1), file)
        }
        [_name, file] => harness::file(&mut job, file),
        _ => {
            eprintln!("usage: udmap-peers-vrl NAME FILE | memory RUNS NAME FILE");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
