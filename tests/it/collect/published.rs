//! Faults of the published collectors of Duo's other logs, each with a test that bears its name.

use super::duo::{Duo, Fault, Form, Record, Switches, record_of};
use super::logs::check;
use super::world::{HOUR, MINUTE, START, World, block_on};
use udmap::jobs::collect::ErrorKind;

/// A world with a record of the log every minute of the last two hours.
fn minutely(log: &'static str) -> World {
    let duo = Duo::new(Switches { form: Form::List, ..Switches::default() });
    duo.add((0..120).map(|i| record_of(log, (START - 2 * HOUR + i * MINUTE) * 1000 + i % 7, i as u64)));
    World::of(log, duo)
}

/// A world with so many records in each of the seconds of an hour ago.
fn in_seconds(counts: &[u64]) -> World {
    let duo = Duo::new(Switches::default());
    let mut n = 0;
    for (second, count) in counts.iter().enumerate() {
        duo.add((0..*count).map(|_| {
            n += 1;
            record_of("administrator", (START - HOUR + second as i64 * 1000) * 1000, n)
        }));
    }
    World::of("administrator", duo)
}

#[test]
fn authlogs_is_under_response() {
    let world = minutely("authentication");
    block_on(world.run());
    assert!(world.delivered().len() > 110);
    check(&world, "");
    // A list, or a list of another name, is not taken for no logs.
    for response in [r#"[{"txid":"a"}]"#, r#"{"items":[]}"#] {
        let world = minutely("authentication");
        let body = format!(r#"{{"stat":"OK","response":{response}}}"#);
        world.duo.faults(move |_| Some(Fault::Answer(200, body.clone(), None)));
        let failure = block_on(world.fail());
        assert_eq!(failure.error.kind(), ErrorKind::Answer);
        assert!(failure.to_string().contains("no page of authentication logs"), "{failure}");
    }
    let world = minutely("administrator");
    world.duo.faults(|_| Some(Fault::Answer(200, r#"{"stat":"OK","response":{"items":[]}}"#.into(), None)));
    assert_eq!(block_on(world.fail()).error.kind(), ErrorKind::Answer);
}

#[test]
fn all_pages_not_the_first() {
    for log in ["authentication", "activity", "trust-monitor"] {
        let mut world = minutely(log);
        world.settings.page_size = 10;
        let report = block_on(world.run());
        assert!(report.pages >= 12, "{log}: {}", report.pages);
        check(&world, log);
    }
}

#[test]
fn two_pages_do_not_share_a_name() {
    let mut world = minutely("authentication");
    world.settings.page_size = 10;
    block_on(async {
        for _ in 0..3 {
            world.run().await;
            world.time.pass(HOUR);
        }
    });
    assert!(world.objects("logs/").len() >= 12);
    check(&world, "");
}

#[test]
fn status_is_checked_before_json() {
    for log in ["authentication", "administrator", "trust-monitor"] {
        let world = minutely(log);
        // A page of records, but with a status that says otherwise; and what is no JSON.
        let page = r#"{"stat":"OK","response":[]}"#;
        world.duo.faults(move |n| (n == 1).then(|| Fault::Answer(500, page.into(), None)));
        assert_eq!(block_on(world.run()).requests, 2, "{log}");
        check(&world, log);
        world.duo.faults(|_| Some(Fault::Answer(403, "<html>no".into(), None)));
        world.time.pass(HOUR);
        assert_eq!(block_on(world.fail()).error.kind(), ErrorKind::Refused, "{log}");
    }
}

#[test]
fn state_is_not_now() {
    for log in ["authentication", "activity", "administrator", "trust-monitor"] {
        let world = minutely(log);
        let mut late = record_of(log, (START - 5 * MINUTE) * 1000, 77_777);
        late.visible = START + 3 * MINUTE;
        world.duo.add([late]);
        block_on(async {
            world.run().await;
            assert!(world.state()["watermark"].as_i64().expect("a watermark") <= START - 2 * MINUTE, "{log}");
            world.time.pass(HOUR);
            world.run().await;
        });
        check(&world, log);
    }
}

#[test]
fn second_is_not_skipped() {
    // The first page ends within the third second.
    let world = in_seconds(&[400, 400, 400, 3]);
    block_on(world.run());
    assert!(
        world.duo.log()[1].contains(&format!("mintime={}", (START - HOUR) / 1000 + 2)),
        "{:#?}",
        world.duo.log()
    );
    check(&world, "");
    // And a record that comes late within the last second that was delivered.
    let world = minutely("administrator");
    block_on(async {
        world.run().await;
        let last = record_of("administrator", (START - 3 * MINUTE) * 1000, 88_888);
        world.duo.add([last]);
        world.time.pass(MINUTE);
        world.run().await;
    });
    check(&world, "late");
}

#[test]
fn state_is_not_among_the_logs() {
    let world = minutely("activity");
    block_on(world.run());
    assert!(world.objects("logs/").iter().all(|(key, _)| key.ends_with(".ndjson")));
    // Nor among those of another log: see `several::a_place_for_each`.
}

#[test]
fn seconds_and_milliseconds() {
    for (log, unit) in
        [("administrator", 1000), ("offline-enrollment", 1000), ("trust-monitor", 1), ("activity", 1)]
    {
        let world = minutely(log);
        block_on(world.run());
        let begin = (START - 24 * HOUR) / unit;
        let asked = &world.duo.log()[0];
        assert!(asked.split(['&', ' ']).any(|part| part == format!("mintime={begin}")), "{asked}");
        assert_eq!(asked.contains("maxtime="), unit == 1, "{asked}");
        check(&world, log);
    }
}

#[test]
fn offset_is_the_name_for_trust_monitor() {
    let mut world = minutely("trust-monitor");
    world.settings.page_size = 50;
    block_on(world.run());
    let log = world.duo.log();
    assert!(log[1].contains("&offset=1773") && !log[1].contains("next_offset"), "{log:#?}");
    check(&world, "");
    // It has pages of its own size.
    let world = minutely("trust-monitor");
    block_on(world.run());
    assert!(world.duo.log()[0].contains("limit=200&"), "{:#?}", world.duo.log());
}

#[test]
fn next_offset_list_is_joined() {
    let mut world = minutely("authentication");
    world.settings.page_size = 50;
    block_on(world.run());
    let log = world.duo.log();
    assert!(log[1].contains("next_offset=1773") && log[1].contains("%2C"), "{log:#?}");
    check(&world, "");
}

#[test]
fn v1_twins_are_kept() {
    // Of each record in the second that is cut there are two, and of one there are three.
    let world = in_seconds(&[900, 600, 5]);
    let second = (START - HOUR + 1000) * 1000;
    let twin =
        |n: u64, i: u64| Record { id: format!("{n:08x}-{i}"), ..record_of("administrator", second, n) };
    world.duo.add((901..1200).map(|n| twin(n, 1)).chain([twin(950, 2)]));
    block_on(async {
        for _ in 0..3 {
            world.run().await;
            world.time.pass(2 * MINUTE);
        }
    });
    assert_eq!(world.delivered().len(), 900 + 600 + 5 + 300);
    check(&world, "");
}

#[test]
fn full_second_is_an_error() {
    let world = in_seconds(&[3, 1000, 2]);
    let before = block_on(world.fail());
    assert_eq!((before.error.kind(), before.report.delivered), (ErrorKind::Answer, 1000));
    assert!(
        before.to_string().contains("1000 or more records of the second 2026-03-10T11:00:01Z"),
        "{before}"
    );
    assert!(before.error.hint().is_some_and(|hint| hint.contains("--since")));
    // It stays one, and what was delivered stays so, each once.
    world.time.pass(HOUR);
    assert_eq!(block_on(world.fail()).report.delivered, 0);
    let delivered = world.delivered();
    assert!(delivered.len() == 1000 && delivered.iter().all(|line| world.duo.lines(START).contains(line)));
    // One less is no error.
    let world = in_seconds(&[3, 999, 2]);
    block_on(world.run());
    check(&world, "");
}

/// In a page that is full, what comes next depends on the order.
#[test]
fn a_full_page_in_no_order_is_an_error() {
    let world = in_seconds(&[1]);
    let at = |n: u64| record_of("administrator", (START - HOUR + (n as i64 % 7) * 1000) * 1000, n).json;
    let items: Vec<String> = (0..1000).map(at).collect();
    let body = format!(r#"{{"stat":"OK","response":[{}]}}"#, items.join(","));
    world.duo.faults(move |_| Some(Fault::Answer(200, body.clone(), None)));
    let failure = block_on(world.fail());
    assert!(failure.to_string().contains("not in the order of time"), "{failure}");
    assert!(world.objects("logs/").is_empty());
}
