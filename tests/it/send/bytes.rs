//! What goes out: the events as they are, in requests that are never too large.

use super::fake::{Fault, MOST, Manner, is_marked, unavailable};
use super::{World, bad, event, event_with, lines, sorted};
use crate::tools::{Tool, need};
use std::fs;

#[test]
fn bytes_are_untouched() {
    let world = World::new();
    let odd = [
        // Spaces, escapes, large and long numbers, both spellings: all of it as it is.
        r#"{ "metadata" : { "event_timestamp" : "2026-03-10T12:00:00.1234567Z", "event_type" : "GENERIC_EVENT", "description": "a \u00e9 é \/ \"udm\"" } }"#,
        r#"{"metadata":{"eventTimestamp":"2026-03-10T12:00:00+02:00","eventType":"GENERIC_EVENT"},"additional":{"n":12345678901234567890123,"x":1.10}}"#,
        r#"{"principal":{"hostname":"h","ip":["192.0.2.1"]},"metadata":{"event_type":"GENERIC_EVENT","event_timestamp":"2026-03-10T12:00:00Z"}}"#,
    ];
    // Wrapped as other tools do.
    let wrapped =
        format!("{{\"udm\":{}}}\n{{\"event\":{{\"idm\":{{\"read_only_udm\":{}}}}}}}\n", event(1), event(2));
    world.write("in.ndjson", odd.join("\n") + "\n" + &wrapped + &event(3));
    world.expect(0, &mut world.send(&["in.ndjson"]));
    let mut expected: Vec<Vec<u8>> = odd.iter().map(|event| event.as_bytes().to_vec()).collect();
    expected.extend((1..4).map(|n| event(n).into_bytes()));
    assert_eq!(world.fake.events(), expected);
}

/// Two true twins are two.
#[test]
fn twins_are_two() {
    let world = World::new();
    world.write("in.ndjson", format!("{0}\n{0}\n{1}\n{0}\n", event(1), event(2)));
    world.expect(0, &mut world.send(&["in.ndjson"]));
    assert_eq!(world.fake.events().len(), 4);
}

#[test]
fn time_is_not_made_up() {
    let world = World::new();
    let timeless = r#"{"metadata":{"event_type":"GENERIC_EVENT"},"principal":{"hostname":"h"}}"#;
    world.write("in.ndjson", format!("{}\n{timeless}\n{}\n", event(1), event(2)));
    world.expect(1, &mut world.send(&["in.ndjson"]));
    assert_eq!(world.fake.events(), [event(1).into_bytes(), event(2).into_bytes()]);
    let rejects = world.rejects();
    assert_eq!(rejects.len(), 1);
    assert_eq!(
        (&rejects[0]["reason"], &rejects[0]["line"], &rejects[0]["raw"]),
        (&"no-timestamp".into(), &2.into(), &timeless.into())
    );
    assert_eq!(world.fake.imports().len(), 1, "it was not asked about");
}

/// The same bytes again: nothing is stamped that differs from try to try.
#[test]
fn retry_is_not_a_new_event() {
    let world = World::new();
    world.write("in.ndjson", lines(0..25, &[]));
    world.fake.faults(|call| {
        (call.number % 3 != 0).then(|| if call.number % 3 == 1 { Fault::Lost } else { unavailable() })
    });
    world.expect(0, &mut world.send(&["in.ndjson", "--batch-events", "10"]));
    let mut events = world.fake.events();
    events.sort();
    events.dedup();
    assert_eq!(events, sorted(&lines(0..25, &[])), "no event has two forms");
}

#[test]
fn bytes_count_not_events() {
    let world = World::new();
    // 300 events of 30 kB are three requests' worth of events, and 9 MB.
    let text: String = (0..300).map(|n| event_with(n, &"x".repeat(30_000)) + "\n").collect();
    world.write("in.ndjson", &text);
    world.expect(0, &mut world.send(&["in.ndjson", "--batch-events", "1000"]));
    let imports = world.fake.imports();
    assert!(imports.iter().all(|import| import.body.len() <= 2_000_000 && import.taken), "{}", imports.len());
    assert!(imports.len() <= 6, "{}", imports.len());
    let mut events = world.fake.events();
    events.sort();
    assert_eq!(events, sorted(&text));
}

/// The size is that of the JSON that goes out, up to the last byte.
#[test]
fn size_is_json_size() {
    let world = World::new();
    let around = r#"{"inlineSource":{"events":[{"udm":}]}}"#.len();
    let of = |n: usize, size: usize| {
        let bare = event_with(n, "").len() + around;
        // A quote takes two bytes in JSON.
        let text = r#"\""#.repeat((size - bare) / 2) + if (size - bare) % 2 == 1 { "x" } else { "" };
        event_with(n, &text)
    };
    let (fits, over) = (of(1, MOST), of(2, MOST + 1));
    world.write("in.ndjson", format!("{}\n{fits}\n{over}\n{}\n", event(3), event(4)));
    world.expect(1, &mut world.send(&["in.ndjson", "--batch-bytes", "4MB"]));
    let sizes: Vec<usize> = world.fake.imports().iter().map(|import| import.body.len()).collect();
    assert!(sizes.contains(&MOST) && sizes.iter().all(|size| *size <= MOST), "{sizes:?}");
    assert!(world.fake.events().contains(&fits.into_bytes()));
    assert_eq!(world.fake.events().len(), 3);
    let rejects = world.rejects();
    assert_eq!((rejects.len(), &rejects[0]["reason"]), (1, &"too-large".into()));
    assert_eq!(rejects[0]["raw"], over.as_str());
}

/// The service has a smaller limit than it says, in either of its two ways to say so.
#[test]
fn too_large_is_rejected_not_dropped() {
    for too_large_is_400 in [false, true] {
        let world = World::with(Manner { most: 60_000, too_large_is_400, ..Manner::default() });
        let huge = event_with(50, &"y".repeat(70_000));
        let mut text: Vec<String> = (0..100).map(|n| event_with(n, &"x".repeat(2_000))).collect();
        text[50].clone_from(&huge);
        world.write("in.ndjson", text.join("\n") + "\n");
        world.expect(1, &mut world.send(&["in.ndjson"]));
        assert_eq!(world.fake.events().len(), 99);
        let rejects = world.rejects();
        assert_eq!(rejects.len(), 1);
        assert_eq!((&rejects[0]["reason"], &rejects[0]["line"]), (&"too-large".into(), &51.into()));
        assert_eq!(rejects[0]["raw"], huge.as_str());
    }
}

/// What can't be sent is written with the event, so that it can be mended and sent.
#[test]
fn rejects_hold_the_event() {
    let world = World::new();
    let (not_json, not_udm) = ("{\"metadata\":", r#"{"metadata":{"event_typ":"GENERIC_EVENT"}}"#);
    let text = format!("{}\n{not_json}\n{}\n{not_udm}\n\u{e9}\n{}\n", event(0), bad(2), event(5));
    let mut text = text.into_bytes();
    text.extend_from_slice(b"{\"a\":\"\xff\"}\n");
    world.write("in.ndjson", text);
    let run = world.expect(1, &mut world.send(&["in.ndjson"]));
    let mut rejects = world.rejects();
    rejects.sort_by_key(|reject| reject["line"].as_u64());
    let line = |n: usize| -> (u64, &str, &str) {
        let reject = &rejects[n];
        let text = |name: &str| reject[name].as_str().unwrap_or_default();
        (reject["line"].as_u64().expect("a line"), text("reason"), text("raw"))
    };
    let refused = bad(2);
    assert_eq!(line(0), (2, "invalid-json", not_json));
    assert_eq!(line(1), (3, "refused", refused.as_str()));
    assert_eq!((line(2).0, line(2).2), (4, not_udm));
    assert_eq!(line(3), (5, "invalid-json", "\u{e9}"));
    assert_eq!(
        (line(4).0, line(4).1, &rejects[4]["raw_base64"]),
        (7, "invalid-json", &"eyJhIjoi/yJ9".into())
    );
    assert!(
        rejects.iter().all(|it| it["source"].as_str().is_some_and(|source| source.ends_with("in.ndjson")))
    );
    assert!(rejects.iter().all(|it| it["message"].as_str().is_some_and(|message| !message.is_empty())));
    assert!(rejects[1]["message"].as_str().expect("words").contains("invalid argument"));
    assert_eq!(rejects.len(), 5);
    assert_eq!(world.fake.events().len(), 2);
    assert!(run.stderr.contains("refused"), "{}", run.stderr);
    // Once, also over runs.
    world.expect(0, &mut world.send(&["in.ndjson"]));
    assert_eq!(world.rejects().len(), 5);
}

#[test]
fn accepted_part_is_not_resent() {
    let world = World::new();
    world.write("in.ndjson", lines(0..100, &[37]));
    world.fake.faults(|call| (call.number == 4).then(unavailable));
    world.expect(1, &mut world.send(&["in.ndjson"]));
    let events = world.fake.events();
    let mut once = events.clone();
    once.sort();
    once.dedup();
    assert_eq!((events.len(), once.len()), (99, 99));
}

/// Both spellings of the fields are sent as they are; both are read.
#[test]
fn both_hosts_and_spellings() {
    let world = World::new();
    let camel = event(2).replace("event_timestamp", "eventTimestamp").replace("event_type", "eventType");
    let camel = camel.replace("product_log_id", "productLogId");
    world.write("in.ndjson", format!("{}\n{camel}\n", event(1)));
    world.expect(0, &mut world.send(&["in.ndjson"]));
    assert_eq!(world.fake.events(), [event(1).into_bytes(), camel.into_bytes()]);
    // A token never goes over a network in clear text.
    for url in ["http://chronicle.us.rep.googleapis.com", "http://192.0.2.1:8080"] {
        let run = world.expect(2, world.send(&["in.ndjson"]).args(["--api-url", url]));
        assert!(run.stderr.contains("http:"), "{}", run.stderr);
    }
}

/// What `convert` writes is taken by the fake, and by Google's own reader of UDM.
#[test]
fn everything_accepted_is_what_googles_reader_takes() {
    let Some(python) = need(Tool::Oracle) else { return };
    let world = World::new();
    let log = crate::dump::log(5, 3_000);
    world.write("snake.ndjson", crate::dump::events(&log));
    let converted = crate::support::run_with(
        &log,
        &["convert", "-", "-q", "--field-names", "camel", "--envelope", "event"],
    );
    world.write("camel.ndjson", converted.stdout);
    world.write("ours.ndjson", lines(0..1000, &[3, 500, 501]));
    world.expect(1, &mut world.send(&["snake.ndjson", "camel.ndjson", "ours.ndjson"]));
    let accepted = world.fake.events();
    assert!(accepted.len() > 6_900 && !accepted.iter().any(|event| is_marked(event)), "{}", accepted.len());
    let path = world.at("accepted.ndjson");
    fs::write(&path, accepted.join(&b'\n')).expect("written");
    crate::oracles::strict(&python, &path, accepted.len());
}
