//! What is sent: files, folders, compressed ones, a pipe; and where the state may be.

use super::{World, event, lines, sorted};
use crate::dump::gzip;
use crate::s3::{Road, S3, SECRET, Way};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

fn arrived(world: &World) -> Vec<Vec<u8>> {
    let mut events = world.fake.events();
    events.sort();
    events
}

#[test]
fn folders_and_compressed_files() {
    let world = World::new();
    world.write("in/a.ndjson", lines(0..30, &[]));
    world.write("in/b/c.ndjson.gz", gzip(lines(30..60, &[]).as_bytes()));
    world.write("in/b/d.ndjson.zst", zstd::encode_all(lines(60..90, &[]).as_bytes(), 1).expect("zstd"));
    world.write("in/.hidden", "not for sending");
    world.expect(0, &mut world.send(&["in"]));
    assert_eq!(arrived(&world), sorted(&lines(0..90, &[])));
    // Each input is known by its name: one more sends one more.
    world.write("in/e.ndjson", lines(90..95, &[]));
    world.expect(0, &mut world.send(&["in"]));
    assert_eq!(arrived(&world), sorted(&lines(0..95, &[])));
    // However it is named.
    world.expect(0, &mut world.send(&["./in/../in/a.ndjson", "in/b/"]));
    assert_eq!(arrived(&world).len(), 95);
}

/// What comes through a pipe is known by its bytes.
#[test]
fn through_a_pipe() {
    let world = World::new();
    let send = |text: String| {
        let mut child = world
            .send(&["-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let mut stdin = child.stdin.take().expect("stdin");
        std::thread::spawn(move || std::io::Write::write_all(&mut stdin, text.as_bytes()));
        crate::support::Run::of(&child.wait_with_output().expect("ended"))
    };
    for (number, requests) in [(1500, 2), (1500, 2), (1510, 3)] {
        let run = send(lines(0..number, &[]));
        assert_eq!(run.status, 0, "{}", run.stderr);
        assert_eq!(world.fake.imports().len(), requests);
    }
    assert_eq!(arrived(&world), sorted(&lines(0..1510, &[])));
    // Something else is not taken for the same.
    let run = send(lines(5..1600, &[]));
    assert!(
        run.status == 2 && world.fake.events().len() == 1510 || world.fake.events().len() == 1510 + 1595,
        "{}",
        run.stderr
    );
}

/// As in the documents: a conversion straight into SecOps.
#[test]
fn straight_from_a_conversion() {
    let world = World::new();
    let log = crate::dump::log(9, 500);
    world.write("log.ndjson", &log);
    let mut convert = crate::support::udmap();
    convert.arg("convert").arg(world.at("log.ndjson")).arg("-q").stdout(Stdio::piped());
    let mut convert = convert.spawn().expect("the command starts");
    let mut send = world.send(&["-"]);
    send.stdin(convert.stdout.take().expect("stdout"));
    world.expect(0, &mut send);
    assert!(convert.wait().expect("ended").success());
    let mut expected: Vec<Vec<u8>> = crate::dump::events(&log)
        .split(|byte| *byte == b'\n')
        .filter(|it| !it.is_empty())
        .map(<[u8]>::to_vec)
        .collect();
    expected.sort();
    assert_eq!(arrived(&world), expected);
}

/// A dry run asks nobody and leaves nothing, and says what would be.
#[test]
fn dry_run_leaves_nothing() {
    let world = World::new();
    world.write("in.ndjson", lines(0..2500, &[]) + "{\n");
    let before = crate::support::names(world.folder());
    let run = world.finish(world.send(&["in.ndjson"]).arg("--dry-run"));
    assert!(run.status <= 1, "{}", run.stderr);
    assert!(run.stderr.contains("2,500") || run.stderr.contains("2500"), "{}", run.stderr);
    assert!(run.stderr.contains("invalid-json"), "{}", run.stderr);
    assert!(
        world.fake.imports().is_empty() && world.fake.other().is_empty() && world.fake.tokens().is_empty()
    );
    assert_eq!(crate::support::names(world.folder()), before);
    // Without credentials, too.
    let mut bare = world.bare();
    let run = world.finish(bare.args(["in.ndjson", "--state", "state.json", "--dry-run"]));
    assert!(run.status <= 1, "{}", run.stderr);
}

#[test]
fn nothing_to_send_is_a_status_of_its_own() {
    let world = World::new();
    world.write("empty.ndjson", "");
    let run = world.expect(3, &mut world.send(&["empty.ndjson"]));
    assert!(run.stderr.contains("--allow-empty"), "{}", run.stderr);
    world.expect(0, world.send(&["empty.ndjson"]).arg("--allow-empty"));
    let run = world.expect(2, &mut world.send(&["missing.ndjson"]));
    assert!(run.stderr.contains("missing.ndjson"), "{}", run.stderr);
    assert!(world.fake.imports().is_empty());
}

/// An array, or a value over lines, is not taken apart: what can't be sent whole is refused before anything is sent.
#[test]
fn only_lines_are_sent() {
    let world = World::new();
    world.write("in.ndjson", format!("[\n{},\n{}\n]\n", event(1), event(2)));
    let run = world.expect(2, &mut world.send(&["in.ndjson"]));
    assert!(run.stderr.contains("hint"), "{}", run.stderr);
    assert!(world.fake.imports().is_empty());
}

/// Every option can come from the environment.
#[test]
fn options_from_the_environment() {
    let world = World::new();
    world.write("in.ndjson", lines(0..30, &[]));
    let mut command = crate::support::udmap();
    command.current_dir(world.folder()).env("HOME", world.folder()).args(["send", "in.ndjson"]);
    for (name, value) in [
        ("PROJECT", super::fake::PROJECT),
        ("LOCATION", super::fake::LOCATION),
        ("INSTANCE", super::fake::INSTANCE),
        ("API_URL", &world.fake.url),
        ("CREDENTIALS", "key.json"),
        ("STATE", "state.json"),
        ("REJECTS", "rejects.ndjson"),
        ("BATCH_EVENTS", "10"),
        ("PARALLEL", "1"),
        ("RATE", "none"),
        ("SUMMARY", "summary.json"),
        ("QUIET", "true"),
    ] {
        command.env(format!("UDMAP_SEND_{name}"), value);
    }
    let run = world.expect(0, &mut command);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    assert_eq!((world.fake.imports().len(), world.fake.events().len()), (3, 30));
    let summary = std::fs::read_to_string(world.at("summary.json")).expect("a summary");
    let summary: serde_json::Value = serde_json::from_str(&summary).expect("JSON");
    assert_eq!(
        (&summary["accepted"], &summary["requests"], &summary["exit_status"]),
        (&30.into(), &3.into(), &0.into())
    );
}

/// `--rate` keeps to its bytes a second.
#[test]
fn rate_is_kept() {
    let world = World::new();
    let text = lines(0..500, &[]);
    world.write("in.ndjson", &text);
    let begun = std::time::Instant::now();
    let rate = format!("{}kB/s", text.len() / 1000);
    world.expect(0, world.send(&["in.ndjson", "--batch-events", "25"]).args(["--rate", &rate]));
    let took = begun.elapsed().as_secs_f64();
    assert!(took > 0.7 && took < 8.0, "{took} s for a second's worth");
}

fn with_s3(command: &mut Command, endpoint: &str) {
    command.env("AWS_ENDPOINT_URL", endpoint).env("AWS_ALLOW_HTTP", "true").env("AWS_REGION", "us-east-1");
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", SECRET);
}

#[test]
fn state_and_events_in_a_bucket() {
    let Some(s3) = S3::start() else { return };
    let world = World::new();
    for n in 0..4 {
        let text = lines(n * 100..(n + 1) * 100, &[]);
        s3.put("udm", &format!("events/{n}.ndjson.gz"), &gzip(text.as_bytes()));
    }
    let send = |endpoint: &str| {
        let mut command = world.bare();
        with_s3(&mut command, endpoint);
        command.args([
            "s3://udm/events/",
            "--credentials",
            "key.json",
            "--state",
            "s3://logs/state/send.json",
        ]);
        command.args(["--rejects", "rejects.ndjson", "--batch-events", "30"]);
        command
    };
    // On the way to the bucket things go wrong now and then.
    let road = Road::to(&s3, |passing| match passing.number % 7 {
        3 => Way::Refused(503, "SlowDown"),
        5 => Way::Lost,
        _ => Way::Through,
    });
    world.expect(0, &mut send(&road.endpoint));
    assert_eq!(arrived(&world), sorted(&lines(0..400, &[])));
    let requests = world.fake.imports().len();
    world.expect(0, &mut send(&s3.endpoint));
    s3.put("udm", "events/4.ndjson.gz", &gzip(lines(400..420, &[]).as_bytes()));
    world.expect(0, &mut send(&s3.endpoint));
    assert_eq!((arrived(&world), world.fake.imports().len()), (sorted(&lines(0..420, &[])), requests + 1));
    assert_eq!(s3.all("logs").keys().collect::<Vec<_>>(), ["state/send.json"]);
}

/// Two machines with one state in a bucket: one sends, the other stops; nothing is sent by both.
#[test]
fn one_of_two_runs_in_a_bucket() {
    let Some(s3) = S3::start() else { return };
    let world = World::new();
    world.write("in.ndjson", lines(0..400, &[]));
    world.fake.faults(|_| Some(super::fake::Fault::Late(std::time::Duration::from_millis(60))));
    let send = |rejects: &str| {
        let mut command = world.bare();
        with_s3(&mut command, &s3.endpoint);
        command.args(["in.ndjson", "--credentials", "key.json", "--state", "s3://logs/send.json"]);
        command.args(["--rejects", rejects, "--batch-events", "20", "--parallel", "1"]);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command
    };
    let done = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for rejects in ["rejects-1", "rejects-2"] {
            let done = &done;
            scope.spawn(move || {
                let output = send(rejects).output().expect("the command starts");
                let said = String::from_utf8_lossy(&output.stderr);
                match output.status.code() {
                    Some(0) => drop(done.fetch_add(1, SeqCst)),
                    status => assert!(status == Some(2) && said.contains("another run"), "{status:?} {said}"),
                }
            });
        }
    });
    assert!(done.load(SeqCst) <= 1 || world.fake.repeats() <= 1);
    let run = world.finish(&mut send("rejects-1"));
    assert_eq!(run.status, 0, "{}", run.stderr);
    let mut events = arrived(&world);
    let all = events.len();
    events.dedup();
    assert_eq!(events, sorted(&lines(0..400, &[])));
    // At most the request that the one who lost had on its way.
    assert!(all - events.len() <= 20, "{}", all - events.len());
}

#[test]
fn an_input_that_is_named_twice_is_sent_once() {
    let world = World::new();
    world.write("in/a.ndjson", lines(0..50, &[]));
    world.fake.faults(|_| Some(super::fake::Fault::Late(std::time::Duration::from_millis(100))));
    let mut command = world.send(&["in", "in/a.ndjson", "./in/../in/a.ndjson", "--batch-events", "10"]);
    world.expect(0, &mut command);
    assert_eq!(world.fake.events().len(), 50);
}

/// A dump's outputs by its manifest: each once, and none that another one has superseded.
#[test]
fn the_outputs_of_a_dump() {
    let world = World::new();
    let convert = || {
        let mut command = crate::support::udmap();
        command.current_dir(world.folder()).args(["convert", "dump", "-o", "out/", "-q"]);
        let run = crate::support::Run::of(&command.output().expect("the command starts"));
        assert_eq!(run.status, 0, "{}", run.stderr);
    };
    let logs: Vec<Vec<u8>> = (0..4).map(|seed| crate::dump::log(seed, 50)).collect();
    for (n, log) in logs[..3].iter().enumerate() {
        world.write(&format!("dump/{n}.ndjson"), log);
    }
    let events = |logs: &[Vec<u8>]| {
        let text: Vec<u8> = logs.iter().flat_map(|log| crate::dump::events(log)).collect();
        sorted(&String::from_utf8(text).expect("UTF-8"))
    };
    convert();
    world.expect(0, &mut world.send(&["--manifest", "out/"]));
    assert_eq!(arrived(&world), events(&logs[..3]));
    world.expect(0, &mut world.send(&["--manifest", "out/"]));
    assert_eq!(arrived(&world).len(), events(&logs[..3]).len());
    // One that is new, and nothing else.
    world.write("dump/3.ndjson", &logs[3]);
    convert();
    world.expect(0, &mut world.send(&["--manifest", "out/"]));
    assert_eq!(arrived(&world), events(&logs));
}
