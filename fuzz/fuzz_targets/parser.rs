//! Any text is read as a parser without a panic, and one that loads runs on any logs: always the same, within its limits.

#![no_main]

use libfuzzer_sys::fuzz_target;
use udmap::cbn::{Log, Outcome, Parser, Position, RunOptions, Runner, log_text};
use udmap::convert::FieldNames;
use udmap::time::Instant;

/// What is between the parser and its logs, and between logs.
const BETWEEN: &str = "\n====\n";

/// What a run gave of a log.
type Given = (Outcome, Vec<u8>);

fuzz_target!(|data: &[u8]| {
    let Ok(input) = std::str::from_utf8(data) else {
        assert!(log_text(data).is_err());
        return;
    };
    let mut parts = input.split(BETWEEN);
    let text = parts.next().unwrap_or_default();
    let logs: Vec<&str> = parts.collect();
    let places = Places::of(text);
    let parser = match Parser::read(text) {
        Ok(parser) => parser,
        Err(error) => {
            assert!(!error.message.is_empty());
            return places.have(error.at);
        }
    };
    for warning in parser.warnings() {
        assert!(!warning.message.is_empty());
        places.have(warning.at);
    }
    for (number, part) in parser.parts().iter().enumerate() {
        assert!(number + part.inside < parser.parts().len(), "{part:?}");
        places.have(part.at);
    }

    let mut plain = RunOptions::default();
    (plain.most_steps, plain.most_bytes) = (20_000, 1 << 20);
    let mut watched = plain.clone();
    (watched.explains, watched.dumps, watched.notes_reached) = (true, true, true);
    let mut other = plain.clone();
    (other.field_names, other.adds_platform_fields) = (FieldNames::Camel, false);
    other.log_type = Some("FUZZ".to_owned());

    // One runner for all logs keeps nothing of one that could be seen in the next, and all that it writes is counted.
    let mut one = parser.runner(&plain);
    let (mut written, mut all, mut count) = (Vec::new(), Vec::new(), 0);
    for log in &logs {
        let given = run(&mut one, log, &plain, &mut written);
        all.extend_from_slice(&given.1);
        count += if let Outcome::Events(count) = given.0 { count } else { 0 };
        let mut fresh = parser.runner(&watched);
        assert_eq!(shown(&given), shown(&run(&mut fresh, log, &watched, &mut Vec::new())));
        explained(&fresh, &given, &places);
        assert_eq!(fresh.reached().len(), parser.parts().len());
        let (dumped, lines) = (fresh.dumped().to_owned(), fresh.lines());
        assert_eq!(shown(&given), shown(&run(&mut fresh, log, &watched, &mut Vec::new())));
        assert_eq!((dumped, lines), (fresh.dumped().to_owned(), fresh.lines()));
        run(&mut parser.runner(&other), log, &other, &mut Vec::new());
    }
    assert!(written == all, "an event was changed when the next was written");
    assert_eq!(all.iter().filter(|byte| **byte == b'\n').count() as u64, count);
});

/// Runs a log, writes behind what is there, and says what it gave.
fn run(runner: &mut Runner, log: &str, options: &RunOptions, written: &mut Vec<u8>) -> Given {
    let start = written.len();
    let outcome = runner.run(&Log::new(log, Instant::EPOCH), written);
    let events = written[start..].to_vec();
    let text = std::str::from_utf8(&events).expect("events are UTF-8");
    assert!(text.is_empty() || text.ends_with('\n'));
    assert!(events.len() <= options.most_bytes + 1, "{} bytes of events", events.len());
    for event in text.lines() {
        let event: serde_json::Value =
            serde_json::from_str(event).unwrap_or_else(|error| panic!("{error}: {event}"));
        assert!(event.is_object());
    }
    let count = text.lines().count() as u64;
    match &outcome {
        Outcome::Events(said) => assert!(count > 0 && *said == count, "{said} events, and {count} lines"),
        Outcome::Dropped(_) | Outcome::NoOutput => assert_eq!(count, 0),
        Outcome::Failed(failed) => {
            assert!(!failed.message.is_empty());
            assert_eq!(count, 0);
        }
    }
    (outcome, events)
}

/// What is compared, so that a difference can be read.
fn shown((outcome, events): &Given) -> (&Outcome, std::borrow::Cow<'_, str>) {
    (outcome, String::from_utf8_lossy(events))
}

/// Each event has its fields' places, and a failure its own.
fn explained(runner: &Runner, (outcome, _): &Given, places: &Places) {
    match outcome {
        Outcome::Events(count) => {
            let lines = runner.lines();
            assert_eq!(lines.len() as u64, *count);
            for (path, at) in lines.into_iter().flatten() {
                assert!(!path.is_empty());
                places.have(at);
            }
        }
        Outcome::Failed(failed) => failed.at.into_iter().for_each(|at| places.have(at)),
        Outcome::Dropped(_) | Outcome::NoOutput => {}
    }
}

/// How many characters each line of a text has.
struct Places(Vec<usize>);

impl Places {
    fn of(text: &str) -> Places {
        Places(text.split('\n').map(|line| line.chars().count()).collect())
    }

    /// Panics if the place is not one of the text, or right behind a line.
    fn have(&self, at: Position) {
        let line = (at.line as usize).checked_sub(1).and_then(|line| self.0.get(line));
        let is_in = line.is_some_and(|length| (1..=length + 1).contains(&(at.column as usize)));
        assert!(is_in, "{at} is not in the text");
    }
}
