//! Raw logs: `--log-type`, by `logs:import`.

use super::World;
use super::fake::{Fault, MOST, Manner};
use super::strict::Log;
use chrono::{DateTime, FixedOffset};
use std::process::Command;

fn time(text: &str) -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339(text).expect(text)
}

fn record(n: usize) -> String {
    format!(
        r#"{{"context": "authentication", "credits": {n}, "ts": "2026-03-10T12:00:{:02}.123456+00:00", "type": "sms"}}"#,
        n % 60
    )
}

fn send(world: &World) -> Command {
    let mut command = world.send(&["log.ndjson", "--log-type", "DUO_TELEPHONY"]);
    command.env("UDMAP_SEND_BATCH_EVENTS", "10");
    command
}

#[test]
fn raw_records_are_untouched() {
    let world = World::new();
    let odd = [
        record(1),
        // Spaces at both ends, escapes, what is not JSON, and not even UTF-8.
        format!("  {} ", record(2)),
        r#"{"ts":"2026-03-10T12:00:00Z","a":"\u00e9\/","n":1.10}"#.to_owned(),
        "<13>Mar 10 12:00:00 host not JSON at all".to_owned(),
        record(3),
    ];
    let mut bytes = odd.join("\n").into_bytes();
    bytes.extend_from_slice(b"\n{\"a\":\"\xff\"}\n");
    world.write("log.ndjson", &bytes);
    world.expect(0, &mut send(&world));
    let data: Vec<Vec<u8>> = world.fake.logs().into_iter().map(|log| log.data).collect();
    let mut expected: Vec<Vec<u8>> = odd.iter().map(|line| line.as_bytes().to_vec()).collect();
    expected.push(b"{\"a\":\"\xff\"}".to_vec());
    assert_eq!(data, expected);
    let path = &world.fake.imports()[0].path;
    assert!(path.ends_with("/logTypes/DUO_TELEPHONY/logs:import"), "{path}");
}

#[test]
fn fraction_is_milliseconds() {
    let world = World::new();
    let of = |time: &str| {
        format!("{{\"ts\":\"{time}\",\"type\":\"sms\",\"context\":\"authentication\",\"credits\":1}}\n")
    };
    let times = [
        "2026-03-10T12:00:00.000000001Z",
        "2026-03-10T12:00:00.5Z",
        "2026-03-10T12:00:00.000123Z",
        "2026-03-10T12:00:00Z",
    ];
    world.write("log.ndjson", times.map(of).concat());
    world.expect(0, &mut send(&world));
    for (log, given) in world.fake.logs().iter().zip(times) {
        let (sent, given) = (time(&log.log_entry_time), time(given));
        assert!(
            (sent - given).abs() < chrono::Duration::microseconds(1),
            "{} for {given}",
            log.log_entry_time
        );
    }
}

#[test]
fn local_time_is_not_utc() {
    for zone in ["UTC", "Asia/Tokyo", "America/Los_Angeles"] {
        let world = World::new();
        world.write(
            "log.ndjson",
            format!("{}\n{}\nno time at all\n", record(1), record(2).replace("+00:00", "+09:00")),
        );
        let before = chrono::Utc::now();
        world.expect(0, send(&world).env("TZ", zone));
        let logs = world.fake.logs();
        assert_eq!(time(&logs[0].log_entry_time), time("2026-03-10T12:00:01.123456Z"));
        assert_eq!(time(&logs[1].log_entry_time), time("2026-03-10T03:00:02.123456Z"));
        // Without a time of its own it has that of its collection, by this clock.
        let entry = time(&logs[2].log_entry_time);
        assert!((entry.to_utc() - before).abs() < chrono::Duration::minutes(2), "{entry}");
        for log in &logs {
            let collection = time(&log.collection_time).to_utc();
            assert!((collection - before).abs() < chrono::Duration::minutes(2), "{collection}");
            assert!(collection > time(&log.log_entry_time));
        }
    }
}

/// The time of a try is not in the bytes: the second try sends the same.
#[test]
fn a_log_is_sent_again_as_it_was() {
    let world = World::new();
    world.write("log.ndjson", (0..30).map(|n| record(n) + "\n").collect::<String>() + "no time\n");
    world.fake.faults(|call| (call.number % 2 == 1).then_some(Fault::Lost));
    let run = world.expect(2, send(&world).args(["--give-up", "1ms", "--parallel", "1"]));
    assert!(!run.stderr.is_empty());
    std::thread::sleep(std::time::Duration::from_millis(1100));
    world.expect(0, &mut send(&world));
    let imports = world.fake.imports();
    let mut bodies: Vec<&Vec<u8>> = imports.iter().map(|import| &import.body).collect();
    bodies.sort();
    bodies.dedup();
    assert_eq!(bodies.len(), 4, "ranges of 10, 10, 10 and 1, none in two forms");
}

#[test]
fn config_labels_stay() {
    let world = World::new();
    let labelled =
        record(2).replace('{', r#"{"labels":{"env":{"value":"mine"}},"environmentNamespace":"mine","#);
    world.write("log.ndjson", format!("{}\n{labelled}\n", record(1)));
    let mut command = send(&world);
    command.args(["--label", "env=prod", "--label", "team=a=b", "--namespace", "corp"]);
    world.expect(0, command.args(["--forwarder", "f0000000-1111-2222-3333-444455556666"]));
    for Log { namespace, labels, forwarder, .. } in world.fake.logs() {
        assert_eq!(namespace.as_deref(), Some("corp"));
        assert_eq!(labels, [("env".into(), "prod".into()), ("team".into(), "a=b".into())]);
        assert!(forwarder.is_some_and(|it| it.ends_with("/forwarders/f0000000-1111-2222-3333-444455556666")));
    }
    assert_eq!(world.fake.logs().len(), 2);
}

/// A log over the limit is rejected with its bytes, and what is behind it arrives.
#[test]
fn too_large_log_ends() {
    let world = World::new();
    let huge = format!("{{\"ts\":\"2026-03-10T12:00:00Z\",\"a\":\"{}\"}}", "x".repeat(3_100_000));
    world.write("log.ndjson", format!("{}\n{huge}\n{}\n", record(1), record(2)));
    world.expect(1, &mut send(&world));
    assert_eq!(world.fake.logs().len(), 2);
    let rejects = world.rejects();
    assert_eq!(
        (rejects.len(), &rejects[0]["reason"], &rejects[0]["line"]),
        (1, &"too-large".into(), &2.into())
    );
    assert_eq!(rejects[0]["raw"], huge.as_str());
    assert!(world.fake.imports().len() <= 3);
}

/// What counts is the base64 that goes out, a third more than the log.
#[test]
fn size_of_logs_is_that_of_base64() {
    let world = World::new();
    let line = |n: usize| {
        format!("{{\"ts\":\"2026-03-10T12:00:00Z\",\"n\":{n},\"a\":\"{}\"}}\n", "x".repeat(90_000))
    };
    world.write("log.ndjson", (0..60).map(line).collect::<String>());
    let mut command = world.send(&["log.ndjson", "--log-type", "DUO_TELEPHONY", "--batch-bytes", "4MB"]);
    world.expect(0, &mut command);
    let imports = world.fake.imports();
    assert!(imports.iter().all(|import| import.taken && import.body.len() <= MOST), "{}", imports.len());
    assert_eq!(world.fake.logs().len(), 60);
}

/// A refused log is found, and is in the rejects as it was.
#[test]
fn a_refused_log_is_found() {
    let world = World::with(Manner::default());
    let text: String = (0..50).map(|n| record(n) + if n == 33 { " refuse me\n" } else { "\n" }).collect();
    world.write("log.ndjson", text);
    let run = world.expect(1, &mut send(&world));
    let rejects = world.rejects();
    assert_eq!(
        (rejects.len(), &rejects[0]["reason"], &rejects[0]["line"]),
        (1, &"refused".into(), &34.into())
    );
    assert_eq!(world.fake.logs().len(), 49, "{}", run.stderr);
    // Without the right to do so, the permission that is named is that for logs.
    let world = World::new();
    world.write("log.ndjson", record(1) + "\n");
    let denied = || super::fake::error(403, "PERMISSION_DENIED", "Not these.");
    world.fake.faults(move |_| Some(Fault::Answer(denied())));
    let run = world.expect(2, &mut send(&world));
    assert!(run.stderr.contains("chronicle.logs.import"), "{}", run.stderr);
}
