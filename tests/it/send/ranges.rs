//! What a run that ended in the middle leaves, and what the next one makes of it: the same requests, never others.

use super::fake::{Fault, Import, Manner, unavailable};
use super::{World, event, lines, sorted};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The bodies of requests, each once.
fn bodies(imports: &[Import]) -> BTreeSet<Vec<u8>> {
    imports.iter().map(|import| import.body.clone()).collect()
}

/// Starts a command and kills it when this many more requests have come.
fn kill_after(world: &World, command: &mut Command, requests: usize) {
    let before = world.fake.imports().len();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the command starts");
    let end = Instant::now() + Duration::from_secs(60);
    while world.fake.imports().len() < before + requests {
        assert!(Instant::now() < end && child.try_wait().expect("waited for").is_none(), "it comes that far");
        std::thread::sleep(Duration::from_micros(200));
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
}

/// A range that is not done is sent again as it was, whatever limits the next run is given.
#[test]
fn ranges_stay_frozen() {
    let world = World::new();
    let text = lines(0..200, &[]);
    world.write("in.ndjson", &text);
    world.fake.faults(|call| (call.number >= 5).then_some(Fault::Late(Duration::from_millis(400))));
    kill_after(&world, &mut world.send(&["in.ndjson", "--batch-events", "7", "--parallel", "3"]), 6);
    let known = bodies(&world.fake.imports());
    world.fake.faults(|_| None);
    world.expect(0, &mut world.send(&["in.ndjson", "--batch-events", "50", "--batch-bytes", "1kB"]));
    let imports = world.fake.imports();
    let all = bodies(&imports);
    assert_eq!(all.len(), 29, "200 events by sevens, and no range in two forms");
    assert!(known.is_subset(&all));
    let mut events = world.fake.events();
    events.sort();
    events.dedup();
    assert_eq!(events, sorted(&text));
    assert!(world.fake.repeats() <= 3);
}

/// "The rest of a range" is never one request, wherever a run is killed.
#[test]
fn split_stays_split() {
    let world = World::new();
    world.write("in.ndjson", lines(0..16, &[11]));
    // In each life one request is answered, and the next one is on its way when the run is killed.
    let mut lives = 0;
    let status = loop {
        lives += 1;
        assert!(lives < 20, "it comes to an end");
        world.fake.faults(|call| (call.number >= 2).then_some(Fault::Late(Duration::from_secs(5))));
        let before = world.fake.count();
        let mut command = world.send(&["in.ndjson", "--batch-events", "16", "--parallel", "1"]);
        let mut child =
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the command starts");
        let ended = loop {
            if let Some(status) = child.try_wait().expect("waited for") {
                break Some(status);
            }
            if world.fake.count() >= before + 2 {
                break None;
            }
            std::thread::sleep(Duration::from_micros(300));
        };
        if let Some(status) = ended {
            break status;
        }
        child.kill().expect("killed");
        child.wait().expect("ended");
    };
    assert!(status.code().is_some_and(|status| status < 2), "{status}");
    let imports = world.fake.imports();
    let sizes: BTreeSet<usize> = imports.iter().map(|import| import.items).collect();
    assert_eq!(sizes, BTreeSet::from([1, 2, 4, 8, 16]), "nothing but halves");
    // All sixteen, and both halves on the way down.
    assert_eq!(bodies(&imports).len(), 9);
    assert_eq!(imports.iter().filter(|import| import.items == 16).count(), 1, "and no range anew");
    assert_eq!(world.rejects().len(), 1);
    let mut events = world.fake.events();
    events.sort();
    events.dedup();
    assert_eq!(events, sorted(&(lines(0..11, &[]) + &lines(12..16, &[]))));
}

#[test]
fn appended_begins_a_new_range() {
    let world = World::new();
    world.write("in.ndjson", lines(0..25, &[]));
    let command = || world.send(&["in.ndjson", "--batch-events", "10"]);
    // The last, short range is taken, and its answer lost with the run.
    world.fake.faults(|call| call.body.windows(5).any(|it| it == b"\"n24\"").then_some(Fault::Lost));
    world.expect(2, command().args(["--give-up", "1ms"]));
    world.fake.faults(|_| None);
    world.write("in.ndjson", lines(0..48, &[]));
    world.expect(0, &mut command());
    let imports = world.fake.imports();
    let taken: BTreeSet<usize> = imports.iter().map(|import| import.items).collect();
    assert_eq!(taken, BTreeSet::from([10, 5, 3]), "the short range is not filled up");
    assert_eq!(bodies(&imports).len(), 6);
    let mut events = world.fake.events();
    let count = events.len();
    events.sort();
    events.dedup();
    assert_eq!(events, sorted(&lines(0..48, &[])));
    assert_eq!((count - events.len()) % 5, 0);
    // Only what is new.
    let before = world.fake.imports().len();
    world.write("in.ndjson", lines(0..49, &[]));
    world.expect(0, &mut command());
    let imports = world.fake.imports();
    assert_eq!((imports.len() - before, imports[before].items), (1, 1));
}

/// A file that is not what it was is never taken for done.
#[test]
fn replaced_input_is_not_skipped() {
    let texts = [
        lines(0..40, &[]),
        lines(100..140, &[]),
        lines(0..39, &[]) + &lines(99..100, &[]),
        lines(0..10, &[]),
    ];
    for replaced in &texts[1..] {
        let world = World::new();
        world.write("in.ndjson", &texts[0]);
        world.expect(0, &mut world.send(&["in.ndjson"]));
        world.write("in.ndjson", replaced);
        let run = world.finish(&mut world.send(&["in.ndjson"]));
        let arrived = world.fake.events();
        let all = replaced.lines().all(|line| arrived.contains(&line.as_bytes().to_vec()));
        assert!(run.status == 2 || run.status == 0 && all, "{}: {}", run.status, run.stderr);
        assert!(run.status == 0 || run.stderr.contains("in.ndjson"), "{}", run.stderr);
    }
}

/// A second run on one state stops, and touches nothing.
#[test]
fn one_of_two_runs() {
    let world = World::new();
    world.write("in.ndjson", lines(0..40, &[]));
    world.fake.faults(|_| Some(Fault::Late(Duration::from_millis(150))));
    let command = || world.send(&["in.ndjson", "--batch-events", "10", "--parallel", "1"]);
    let mut first =
        command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the command starts");
    let end = Instant::now() + Duration::from_secs(30);
    while world.fake.imports().is_empty() {
        assert!(Instant::now() < end);
        std::thread::sleep(Duration::from_millis(1));
    }
    let second = world.expect(2, &mut command());
    assert!(second.stderr.contains("another run"), "{}", second.stderr);
    assert!(first.wait().expect("ended").success());
    assert_eq!((world.fake.events().len(), world.fake.imports().len()), (40, 4));
    world.expect(0, &mut command());
    assert_eq!(world.fake.imports().len(), 4);
}

/// A signal ends a run; what it had sent is noted.
#[test]
#[cfg(unix)]
fn a_signal_ends_it_and_nothing_comes_twice() {
    let world = World::new();
    world.write("in.ndjson", lines(0..100, &[]));
    world.fake.faults(|call| (call.number > 3).then(unavailable));
    let command = || world.send(&["in.ndjson", "--batch-events", "10", "--parallel", "1"]);
    let child = command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
    while world.fake.imports().len() < 8 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let asked = Instant::now();
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill").success());
    let output = child.wait_with_output().expect("ended");
    assert!(asked.elapsed() < Duration::from_secs(5));
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    world.fake.faults(|_| None);
    world.expect(0, &mut command());
    assert_eq!((world.fake.events().len(), world.fake.repeats()), (100, 0));
}

/// A state that is damaged, or another's, is refused: nothing is sent.
#[test]
fn a_state_that_can_t_be_is_refused() {
    let world = World::new();
    world.write("in.ndjson", lines(0..10, &[]));
    world.expect(0, &mut world.send(&["in.ndjson"]));
    let good = std::fs::read_to_string(world.at("state.json")).expect("a state");
    for bad in [String::new(), good[..good.len() / 2].to_owned(), "[]".into(), "{\"a\":1}".into(), "x".into()]
    {
        world.write("state.json", &bad);
        let run = world.expect(2, &mut world.send(&["in.ndjson"]));
        assert!(run.stderr.contains("state.json"), "{}", run.stderr);
        assert_eq!(std::fs::read_to_string(world.at("state.json")).expect("a state"), bad);
    }
    world.write("state.json", good);
    let run = world.expect(2, world.send(&["in.ndjson"]).args(["--instance", "another"]));
    assert!(run.stderr.contains("another"), "{}", run.stderr);
    assert_eq!(world.fake.imports().len(), 1);
}

/// How many requests it takes at most to find the bad ones.
fn most_requests(batches: usize, bad: usize, batch: usize) -> usize {
    let log = usize::BITS - batch.next_power_of_two().leading_zeros() - 1;
    batches + 2 * bad * (log as usize + 1)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is bad, what is good arrives once, what is bad is rejected once, and it takes no more requests than
    /// needed, also when the service says wrongly which event it was.
    #[test]
    fn requests_are_bounded(
        number in 1usize..400,
        batch in 1usize..80,
        bad in prop::collection::btree_set(0usize..400, 0..25),
        parallel in 1usize..5,
        names in 0usize..3,
    ) {
        let names: Option<fn(usize, usize) -> usize> =
            [None, Some((|at, _| at) as fn(usize, usize) -> usize), Some(|at, items| (at + 1) % items.max(1))][names];
        let world = World::with(Manner { names, ..Manner::default() });
        let bad: Vec<usize> = bad.into_iter().filter(|n| *n < number).collect();
        world.write("in.ndjson", lines(0..number, &bad));
        let (batch_text, parallel) = (batch.to_string(), parallel.to_string());
        let mut command = world.send(&["in.ndjson", "--batch-events", &batch_text, "--parallel", &parallel]);
        world.expect(i32::from(!bad.is_empty()), &mut command);
        let good: String = (0..number).filter(|n| !bad.contains(n)).map(|n| event(n) + "\n").collect();
        let mut events = world.fake.events();
        events.sort();
        prop_assert_eq!(events, sorted(&good));
        let mut rejected: Vec<u64> = world.rejects().iter().map(|it| it["line"].as_u64().unwrap_or(0)).collect();
        rejected.sort_unstable();
        prop_assert_eq!(rejected, bad.iter().map(|n| *n as u64 + 1).collect::<Vec<_>>());
        let (requests, most) = (world.fake.imports().len(), most_requests(number.div_ceil(batch), bad.len(), batch));
        prop_assert!(requests <= most, "{} requests, {} at most", requests, most);
    }
}

/// The input may grow while it is read; what comes later is for the next run.
#[test]
fn an_input_that_is_still_being_written() {
    let world = World::new();
    let whole = lines(0..30, &[]);
    let half = whole.len() - 40;
    world.write("in.ndjson", &whole[..half]);
    let run = world.expect(2, &mut world.send(&["in.ndjson"]));
    assert!(run.stderr.contains("not finished"), "{}", run.stderr);
    assert_eq!(world.fake.events().len(), 29);
    let mut file = std::fs::OpenOptions::new().append(true).open(world.at("in.ndjson")).expect("opened");
    file.write_all(&whole.as_bytes()[half..]).expect("appended");
    world.expect(0, &mut world.send(&["in.ndjson"]));
    let mut events = world.fake.events();
    events.sort();
    assert_eq!(events, sorted(&whole));
}

/// A run is killed after it wrote a reject, and before it noted that: also if the next one is killed, too.
#[test]
fn a_reject_is_written_once_however_often_it_is_killed() {
    let world = World::new();
    world.write("in.ndjson", lines(0..30, &[15]));
    let command = || world.send(&["in.ndjson", "--batch-events", "10", "--parallel", "1"]);
    // The state before the second range, and the rejects behind it.
    world.fake.faults(|call| (call.number >= 2).then(unavailable));
    world.expect(2, command().args(["--give-up", "1ms"]));
    let before = std::fs::read(world.at("state.json")).expect("a state");
    world.fake.faults(|_| None);
    world.expect(1, &mut command());
    assert_eq!(world.rejects().len(), 1);
    world.write("state.json", before);
    // A run that comes to nothing, and one that comes to the reject again.
    world.fake.faults(|_| Some(unavailable()));
    world.expect(2, command().args(["--give-up", "1ms"]));
    world.fake.faults(|_| None);
    world.finish(&mut command());
    assert_eq!(world.rejects().len(), 1);
}
