//! What the command does about each answer of the service, and about none.

use super::fake::{Fault, Manner, error, unavailable};
use super::{World, bad, lines, sorted};
use crate::http::{Reply, serve};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Faults for the requests of these numbers, counted from 1.
fn at(faults: Vec<(u64, Fault)>) -> impl Fn(&super::fake::Call<'_>) -> Option<Fault> + Send + Sync {
    move |call| faults.iter().find(|(number, _)| *number == call.number).map(|(_, fault)| fault.clone())
}

fn small(world: &World) -> std::process::Command {
    let mut command = world.send(&["in.ndjson"]);
    command.args(["--batch-events", "10", "--parallel", "1"]);
    command
}

#[test]
fn all_arrives_and_a_second_run_sends_nothing() {
    let world = World::new();
    let text = lines(0..95, &[]);
    world.write("in.ndjson", &text);
    let run = world.expect(0, &mut small(&world));
    assert!(run.stderr.contains("95"), "{}", run.stderr);
    let mut events = world.fake.events();
    assert_eq!(world.fake.imports().len(), 10);
    events.sort();
    assert_eq!(events, sorted(&text));
    world.expect(0, &mut small(&world));
    assert_eq!(world.fake.imports().len(), 10, "a second run sends nothing");
    assert!(world.rejects().is_empty());
}

#[test]
fn retry_after_is_honoured() {
    let world = World::new();
    world.write("in.ndjson", lines(0..30, &[]));
    let limited = || error(429, "RESOURCE_EXHAUSTED", "Quota exceeded: burst limit.");
    world.fake.faults(at(vec![(2, Fault::Answer(limited().with("retry-after", "1")))]));
    world.expect(0, &mut small(&world));
    let imports = world.fake.imports();
    let waited = imports[2].at - imports[1].at;
    assert!(waited >= Duration::from_secs(1) && waited < Duration::from_secs(10), "{waited:?}");
    assert_eq!(imports[2].body, imports[1].body, "the same request");
    assert_eq!((imports.len(), world.fake.repeats()), (4, 0));
}

/// While one of several requests waits for the rate limit, the others do, too.
#[test]
fn all_requests_wait_for_the_rate_limit() {
    let world = World::new();
    world.write("in.ndjson", lines(0..200, &[]));
    let limited = error(429, "RESOURCE_EXHAUSTED", "Quota exceeded.").with("retry-after", "1");
    world.fake.faults(at(vec![(3, Fault::Answer(limited))]));
    let mut command = world.send(&["in.ndjson", "--batch-events", "10", "--parallel", "4"]);
    world.expect(0, &mut command);
    let imports = world.fake.imports();
    let limited = imports.iter().find(|import| import.status == 429).expect("one").at;
    let meanwhile =
        imports.iter().filter(|it| it.at > limited && it.at < limited + Duration::from_millis(900));
    // Those that were on their way already.
    assert!(meanwhile.count() <= 4);
    assert_eq!(imports.len(), 21);
}

#[test]
fn status_429_and_503_are_retried() {
    let world = World::new();
    let text = lines(0..60, &[]);
    world.write("in.ndjson", &text);
    let with = |code, status| Fault::Answer(error(code, status, "x"));
    world.fake.faults(at(vec![
        (1, with(429, "RESOURCE_EXHAUSTED")),
        (2, with(429, "RESOURCE_EXHAUSTED")),
        (4, unavailable()),
        (5, with(500, "INTERNAL")),
        (6, with(504, "DEADLINE_EXCEEDED")),
        (7, with(408, "ABORTED")),
        (8, Fault::Reset),
        (9, Fault::Lost),
        (10, Fault::Cut),
        (11, Fault::Answer(Reply::new(502, "<html>Bad Gateway</html>"))),
    ]));
    let run = world.expect(0, &mut small(&world));
    let mut events = world.fake.events();
    events.sort();
    events.dedup();
    assert_eq!(events, sorted(&text));
    assert_eq!(world.fake.repeats(), 2, "what was taken without an answer");
    let imports = world.fake.imports();
    assert!(imports[3..12].windows(2).all(|two| two[0].body == two[1].body), "the same request");
    assert_eq!(imports.len(), 16);
    assert!(run.stderr.contains("may be there twice"), "{}", run.stderr);
}

/// Waits grow while the service is down.
#[test]
fn waits_double() {
    let world = World::new();
    world.write("in.ndjson", lines(0..5, &[]));
    world.fake.faults(|call| (call.number <= 5).then(unavailable));
    world.expect(0, small(&world).args(["--retry-wait", "40ms"]));
    let times: Vec<Instant> = world.fake.imports().iter().map(|import| import.at).collect();
    for (wait, two) in [40, 80, 160, 320, 640].into_iter().zip(times.windows(2)) {
        let waited = two[1] - two[0];
        assert!(
            waited >= Duration::from_millis(wait) && waited < Duration::from_millis(wait * 5 / 4 + 500),
            "{waited:?}"
        );
    }
}

#[test]
fn a_service_that_stays_away_ends_the_run_and_the_next_one_continues() {
    let world = World::new();
    let text = lines(0..30, &[]);
    world.write("in.ndjson", &text);
    world.fake.faults(|call| (call.number > 1).then(unavailable));
    let run = world.expect(2, small(&world).args(["--give-up", "300ms"]));
    assert!(run.stderr.contains("503"), "{}", run.stderr);
    assert_eq!(world.fake.events().len(), 10);
    world.fake.faults(|_| None);
    world.expect(0, &mut small(&world));
    assert_eq!(world.fake.events().iter().map(|it| it.to_vec()).collect::<Vec<_>>().len(), 30);
    assert_eq!(world.fake.repeats(), 0);
}

#[test]
fn fatal_is_not_retried() {
    for (code, status, words) in [
        (403, "PERMISSION_DENIED", vec!["chronicle.events.import", super::tokens::ACCOUNT]),
        (404, "NOT_FOUND", vec!["acme-secops", "eu", "0e1f2a3b-1111-2222-3333-444455556666", "127.0.0.1"]),
        (409, "ABORTED", vec!["409"]),
        (405, "X", vec!["405"]),
        (400, "FAILED_PRECONDITION", vec!["400"]),
    ] {
        let world = World::new();
        world.write("in.ndjson", lines(0..30, &[]));
        world.fake.faults(at(vec![(2, Fault::Answer(error(code, status, "It is so.")))]));
        let run = world.expect(2, &mut small(&world));
        assert!(words.iter().all(|words| run.stderr.contains(words)), "{}", run.stderr);
        assert!(run.stderr.contains("It is so."), "{}", run.stderr);
        assert_eq!((world.fake.imports().len(), world.fake.events().len()), (2, 10), "{code}");
        assert!(world.rejects().is_empty());
        world.fake.faults(|_| None);
        world.expect(0, &mut small(&world));
        assert_eq!((world.fake.events().len(), world.fake.repeats()), (30, 0));
    }
}

/// The places that are named are asked, and no others.
#[test]
fn a_wrong_instance_is_named() {
    let world = World::new();
    world.write("in.ndjson", lines(0..3, &[]));
    let run = world.expect(2, small(&world).args(["--instance", "another"]));
    assert!(run.stderr.contains("`another`"), "{}", run.stderr);
    for version in ["v1beta", "v1alpha"] {
        world.write("in.ndjson", lines(0..3, &[]));
        let mut command = small(&world);
        world.expect(0, command.args(["--api-version", version, "--state", &format!("{version}.json")]));
        let path = world.fake.imports().last().expect("one").path.clone();
        assert!(path.starts_with(&format!("/{version}/projects/")), "{path}");
    }
}

#[test]
fn html_200_is_not_success() {
    for answer in [
        Reply::new(200, "<html><title>Please log in</title></html>").with("content-type", "text/html"),
        Reply::new(200, r#"{"status":"ok"}"#),
        Reply::new(200, r#"{"error":{"code":400,"message":"x","status":"INVALID_ARGUMENT"}}"#),
        Reply::new(200, "{"),
    ] {
        let world = World::new();
        world.write("in.ndjson", lines(0..30, &[]));
        world.fake.faults(at(vec![(2, Fault::Answer(answer))]));
        world.expect(2, &mut small(&world));
        assert_eq!((world.fake.imports().len(), world.fake.events().len()), (2, 10));
        world.fake.faults(|_| None);
        world.expect(0, &mut small(&world));
        assert_eq!((world.fake.events().len(), world.fake.repeats()), (30, 0), "it was not taken for done");
    }
}

#[test]
fn redirect_gets_no_token() {
    let asked: Arc<Mutex<Vec<Option<String>>>> = Arc::default();
    let noted = Arc::clone(&asked);
    let elsewhere = serve(move |request| {
        noted.lock().expect("not poisoned").push(request.header("authorization").map(str::to_owned));
        Some(Reply::new(200, "{}"))
    });
    for status in [301, 302, 303, 307, 308] {
        for place in [format!("{elsewhere}/x"), "/v1/elsewhere:import".to_owned()] {
            let world = World::new();
            world.write("in.ndjson", lines(0..3, &[]));
            world.fake.faults(at(vec![(1, Fault::Answer(Reply::new(status, "").with("location", place)))]));
            world.expect(2, &mut small(&world));
            assert_eq!(world.fake.imports().len(), 1, "{status} is not followed");
        }
    }
    assert!(asked.lock().expect("not poisoned").is_empty(), "nobody else is asked");
}

/// A timeout below the service's own makes lost answers by itself.
#[test]
fn timeout_exceeds_server() {
    let help = crate::support::run(&["send", "--help"]).stdout;
    let option = help.find("--timeout").expect("the option");
    let default = help[option..].find("[default: 150s]");
    assert!(default.is_some_and(|distance| distance < 800), "{help}");
    // An answer that is slow, but within the time, is waited for.
    let world = World::new();
    world.write("in.ndjson", lines(0..3, &[]));
    world.fake.faults(at(vec![(1, Fault::Late(Duration::from_millis(700)))]));
    world.expect(0, small(&world).args(["--timeout", "30s"]));
    assert_eq!((world.fake.imports().len(), world.fake.repeats()), (1, 0));
}

#[test]
fn no_timeout_hangs() {
    let world = World::new();
    world.write("in.ndjson", lines(0..3, &[]));
    world.fake.faults(at(vec![(1, Fault::Late(Duration::from_secs(100)))]));
    let begun = Instant::now();
    let run = world.expect(0, small(&world).args(["--timeout", "300ms"]));
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert_eq!((world.fake.imports().len(), world.fake.repeats()), (2, 1));
    assert!(run.stderr.contains("may be there twice"), "{}", run.stderr);
}

/// A good answer after a bad one does not hide it.
#[test]
fn slice_status_is_kept() {
    let world = World::new();
    world.write("in.ndjson", lines(0..40, &[]));
    let answered = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&answered);
    world.fake.faults(move |call| {
        counted.fetch_add(1, SeqCst);
        let first = call.body.windows(4).any(|it| it == b"\"n0\"");
        first.then(|| {
            Fault::Answer(error(403, "PERMISSION_DENIED", "Not these.").after(Duration::from_millis(100)))
        })
    });
    let mut command = world.send(&["in.ndjson", "--batch-events", "10", "--parallel", "4"]);
    let run = world.expect(2, &mut command);
    assert!(run.stderr.contains("Not these."), "{}", run.stderr);
    assert!(answered.load(SeqCst) <= 4);
    let before = world.fake.events().len();
    world.fake.faults(|_| None);
    world.expect(0, &mut world.send(&["in.ndjson", "--parallel", "4"]));
    assert_eq!((world.fake.events().len(), world.fake.repeats()), (40, 0), "{before} before");
}

/// Where nothing at all is taken, the fault is not the events'.
#[test]
fn refused_all_stops() {
    for (parallel, number) in [("1", 5_000), ("4", 5_000), ("1", 20)] {
        let mended = Arc::new(AtomicBool::new(false));
        let is_mended = Arc::clone(&mended);
        let world =
            World::with(Manner { refuses: Box::new(move |_| !is_mended.load(SeqCst)), ..Manner::default() });
        world.write("in.ndjson", lines(0..number, &[]));
        let mut command = world.send(&["in.ndjson", "--parallel", parallel]);
        if number < 32 {
            // So few may all be bad.
            world.expect(1, &mut command);
            assert_eq!(world.rejects().len(), number);
            continue;
        }
        let run = world.expect(2, &mut command);
        assert!(world.fake.imports().len() <= 400, "{}", world.fake.imports().len());
        assert!(world.rejects().is_empty(), "nobody is rejected");
        assert!(run.stderr.contains("Request contains an invalid argument."), "{}", run.stderr);
        // And when it is mended, all of them arrive.
        mended.store(true, SeqCst);
        let before = world.fake.imports().len();
        world.expect(0, &mut world.send(&["in.ndjson"]));
        assert_eq!((world.fake.events().len(), world.fake.repeats()), (number, 0));
        assert!(world.fake.imports().len() - before < 100);
    }
}

/// Bad events before the first good one are rejected once something was accepted.
#[test]
fn a_bad_beginning_is_not_a_bad_service() {
    let world = World::new();
    let text = (0..20).map(|n| bad(n) + "\n").collect::<String>() + &lines(20..500, &[]);
    world.write("in.ndjson", text);
    world.expect(1, world.send(&["in.ndjson"]).args(["--batch-events", "100"]));
    assert_eq!((world.rejects().len(), world.fake.events().len()), (20, 480));
}

/// Rejects that could not be written are not taken for written: the next run writes them.
#[cfg(target_os = "linux")]
#[test]
fn rejects_that_could_not_be_written_come_later() {
    let world = World::new();
    world.write("in.ndjson", lines(0..30, &[12]));
    let args = ["in.ndjson", "--batch-events", "10", "--parallel", "1"];
    let run = world.expect(2, world.send(&args).args(["--rejects", "/dev/full"]));
    assert!(run.stderr.contains("cannot write the rejects"), "{}", run.stderr);
    world.expect(1, &mut world.send(&args));
    assert_eq!((world.rejects().len(), world.fake.events().len()), (1, 29));
}
