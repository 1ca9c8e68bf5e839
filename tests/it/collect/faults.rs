//! Faults of the published collectors, each with a test that bears its name.
//!
//! Where one is a matter of chance or of size, its test is elsewhere: overlapping runs and a state write that fails
//! (`matrix::two_at_once`, `s3::two_commands_on_one_state`), a crash between two writes
//! (`matrix::every_way_of_answering_and_a_cut_after_every_step`), all pages in memory
//! (`command::a_page_of_large_records_in_bounded_memory`).

use super::duo::{Cursor, Duo, End, Fault, HOST, Switches, iso, record};
use super::world::{DAY, HOUR, MINUTE, START, World, block_on};
use std::time::Duration;
use udmap::jobs::collect::{ErrorKind, Limits, Outcome, When};

/// A world with a record every minute from `from` to `to`, in ms from the start.
fn minutely(switches: Switches, from: i64, to: i64) -> World {
    let duo = Duo::new(switches);
    let at = |i: i64| record((START + from + i * MINUTE) * 1000 + i % 7, i as u64);
    duo.add((0..=(to - from) / MINUTE).map(at));
    World::new(duo)
}

fn fail(code: u32, message: &str) -> String {
    format!(r#"{{"stat":"FAIL","code":{code},"message":"{message}"}}"#)
}

/// All that is up to the watermark is delivered, each once.
fn check(world: &World) {
    let watermark = world.state()["watermark"].as_i64().expect("a watermark");
    assert_eq!(world.delivered(), world.duo.lines(watermark), "{:#?}", world.duo.log());
}

#[test]
fn a_null_offset_is_not_more_data() {
    for end in [End::Null, End::Absent, End::Given] {
        let world = minutely(Switches { end, ..Switches::default() }, -2 * HOUR, 0);
        let report = block_on(world.run());
        assert!(report.requests <= 2, "{end:?}: {}", report.requests);
        check(&world);
    }
}

#[test]
fn every_page_carries_its_window() {
    let mut world = minutely(Switches::default(), -2 * HOUR, 0);
    world.settings.page_size = 10;
    block_on(world.run());
    let log = world.duo.log();
    let window = |query: &str| -> Vec<String> {
        let parts =
            query.split([' ', '&']).filter(|part| part.contains('=') && !part.starts_with("next_offset"));
        parts.map(str::to_owned).collect()
    };
    assert!(
        log.len() > 10 && log.iter().all(|query| window(query) == window(&log[0]) && query.ends_with("200"))
    );
    check(&world);
}

#[test]
fn a_failing_page_keeps_the_pages_before_it() {
    let mut world = minutely(Switches::default(), -2 * HOUR, 0);
    world.settings.page_size = 10;
    world.duo.faults(|n| (n > 4).then(|| Fault::Answer(403, fail(40301, "Access forbidden"), None)));
    let failure = block_on(world.fail());
    assert_eq!((failure.report.delivered, failure.error.kind()), (40, ErrorKind::Refused));
    assert_eq!(world.delivered().len(), 40);
    world.duo.faults(|_| None);
    block_on(world.run());
    check(&world);
}

#[test]
fn server_errors_and_time_outs_are_asked_again() {
    for fault in [
        Fault::Answer(500, String::new(), None),
        Fault::Answer(504, "x".into(), None),
        Fault::Reset,
        Fault::CutJson,
    ] {
        let world = minutely(Switches::default(), -2 * HOUR, 0);
        world.duo.faults(move |n| (n <= 6).then(|| fault.clone()));
        assert_eq!(block_on(world.run()).requests, 7);
        check(&world);
    }
}

#[test]
fn too_many_requests_is_not_given_up_after_seconds() {
    let world = minutely(Switches::default(), -2 * HOUR, 0);
    world.duo.faults(|n| (n <= 6).then(|| Fault::Answer(429, fail(42901, "Too Many Requests"), None)));
    let before = world.time.elapsed_ms();
    block_on(world.run());
    // 30, 60, 120, 240, 300, 300 s and jitter.
    let waited = world.time.elapsed_ms() - before;
    assert!((1_050_000..1_400_000).contains(&waited), "{waited}");
    check(&world);
}

#[test]
fn retry_after_is_honoured() {
    let world = minutely(Switches::default(), -2 * HOUR, 0);
    world
        .duo
        .faults(|n| (n == 1).then(|| Fault::Answer(429, fail(42901, "Too Many Requests"), Some("7".into()))));
    let before = world.time.elapsed_ms();
    block_on(world.run());
    let waited = world.time.elapsed_ms() - before;
    assert!((7_000..10_000).contains(&waited), "{waited}");
}

#[test]
fn digits_in_a_message_are_no_status() {
    let world = minutely(Switches::default(), -2 * HOUR, 0);
    world.duo.faults(|_| Some(Fault::Answer(400, fail(40002, "see 429 and 500 in the docs"), None)));
    let failure = block_on(world.fail());
    assert_eq!((failure.error.kind(), failure.report.requests), (ErrorKind::Refused, 1));
}

#[test]
fn an_error_is_no_success() {
    let table: [(Fault, ErrorKind, u64, &str); 7] = [
        (Fault::Answer(400, fail(40001, "Missing"), None), ErrorKind::Refused, 1, "40001: Missing"),
        (Fault::Answer(200, fail(40001, "Missing"), None), ErrorKind::Refused, 1, "40001: Missing"),
        (Fault::Answer(401, fail(40103, "Invalid signature"), None), ErrorKind::Refused, 2, "40103"),
        (Fault::Answer(403, "no".into(), None), ErrorKind::Refused, 1, "HTTP 403"),
        (Fault::Answer(302, String::new(), None), ErrorKind::Refused, 1, "redirect"),
        (Fault::Answer(503, String::new(), None), ErrorKind::Unavailable, 10, "HTTP 503"),
        (Fault::Reset, ErrorKind::Unavailable, 10, "reset"),
    ];
    for (fault, kind, requests, words) in table {
        let world = minutely(Switches::default(), -2 * HOUR, 0);
        world.duo.faults(move |_| Some(fault.clone()));
        let failure = block_on(world.fail());
        assert_eq!((failure.error.kind(), failure.report.requests), (kind, requests), "{failure}");
        assert!(
            failure.to_string().contains(words) && failure.error.hint().is_some() || requests == 1,
            "{failure}"
        );
        world.duo.faults(|_| None);
        block_on(world.run());
        check(&world);
    }
}

#[test]
fn the_missing_permission_and_the_wrong_clock_are_named() {
    let world = minutely(Switches::default(), -2 * HOUR, 0);
    world.duo.faults(|_| Some(Fault::Answer(403, fail(40301, "Access forbidden"), None)));
    let failure = block_on(world.fail());
    assert!(failure.error.hint().expect("a hint").contains("`Grant read log`"));
    let late = fail(40105, "Bad request timestamp");
    world.duo.faults(move |_| Some(Fault::Answer(401, late.clone(), None)));
    let failure = block_on(world.fail());
    assert!(failure.error.hint().expect("a hint").contains("clock"));
}

#[test]
fn an_unreadable_state_is_no_first_run() {
    for (text, words) in [
        ("{\"udmap_state\":1,\"log\":\"duo-te", "is cut short"),
        ("", "is empty"),
        ("{\"last_page\":3}", "belongs to something else"),
        ("{\"udmap_state\":99}", "newer udmap"),
    ] {
        let world = minutely(Switches::default(), -2 * HOUR, 0);
        let failure = block_on(async {
            world.put("state.json", text).await;
            world.fail().await
        });
        assert_eq!(failure.error.kind(), ErrorKind::State);
        assert!(failure.to_string().contains(words) && failure.error.hint().is_some(), "{failure}");
        assert_eq!(failure.report.requests, 0, "nothing was asked");
        assert_eq!(world.objects("state.json")[0].1, text, "the state is as it was");
    }
}

#[test]
fn a_state_of_another_account_is_refused() {
    let mut world = minutely(Switches::default(), -2 * HOUR, 0);
    block_on(world.run());
    world.settings.ikey = Some("DIANOTHERANOTHER0000".into());
    assert!(block_on(world.fail()).to_string().contains("another integration key"));
}

#[test]
fn a_silent_account_is_asked_for_ever() {
    let world = World::new(Duo::new(Switches::default()));
    block_on(async {
        for _ in 0..181 {
            let report = world.run().await;
            assert!(report.gaps.is_empty());
            world.time.pass(DAY);
        }
        // Then somebody calls.
        world.duo.add([record((START + 181 * DAY - HOUR) * 1000, 1)]);
        world.run().await;
    });
    assert_eq!(world.delivered().len(), 1);
    assert!(world.duo.log().iter().all(|query| query.ends_with("200")));
    check(&world);
}

#[test]
fn an_outage_longer_than_a_look_back_loses_nothing() {
    let world = minutely(Switches::default(), -2 * HOUR, 3 * DAY);
    block_on(async {
        world.run().await;
        world.time.pass(3 * DAY);
        world.run().await;
    });
    assert!(world.delivered().len() > 4_000);
    check(&world);
}

#[test]
fn an_outage_longer_than_duo_remembers_is_a_gap_that_is_told() {
    let world = World::new(Duo::new(Switches::default()));
    world.duo.add((0..400).map(|day| record((START + day * DAY) * 1000, day as u64)));
    block_on(async {
        world.run().await;
        world.time.pass(200 * DAY);
        let report = world.run().await;
        assert_eq!(report.gaps.len(), 1);
        let gap = report.gaps[0];
        assert_eq!(gap.from, START - 120_000);
        assert!((gap.to - (START + 21 * DAY)).abs() < HOUR, "{}", gap.shown());
        world.run().await;
    });
    assert_eq!(world.state()["gaps"].as_array().map(Vec::len), Some(1));
    assert_eq!(world.delivered().len(), 1 + 178);
}

/// The service's own limit is nearer than ours: it says so, and the window moves.
#[test]
fn a_refusal_of_old_times_moves_the_window() {
    let mut world = minutely(Switches::default(), -2 * HOUR, 0);
    world.settings.since = When::Ago(179 * DAY);
    let refusal = r#"{"stat":"FAIL","code":40002,"message":"Invalid request parameters","message_detail":"mintime must be within the past 180 days"}"#;
    world.duo.faults(|n| (n <= 3).then(|| Fault::Answer(400, refusal.into(), None)));
    let report = block_on(world.run());
    assert_eq!(report.gaps.len(), 3);
    check(&world);
}

#[test]
fn late_records_are_not_skipped() {
    let world = minutely(Switches::default(), -2 * HOUR, 3 * HOUR);
    let mut late = record((START - 5 * MINUTE) * 1000, 77_777);
    late.visible = START + 3 * MINUTE;
    world.duo.add([late]);
    block_on(async {
        world.run().await;
        world.time.pass(HOUR);
        world.run().await;
    });
    assert!(world.delivered().iter().any(|line| line.contains("tx-77777")));
    check(&world);
}

/// What comes in while a page is repeated after a crash is not lost, though the page's object
/// was written without it.
#[test]
fn a_record_that_comes_between_a_crash_and_its_repetition() {
    let world = minutely(Switches::default(), -20 * MINUTE, 0);
    let mut late = record((START - 15 * MINUTE) * 1000, 77_777);
    late.visible = START + HOUR / 2;
    world.duo.add([late]);
    block_on(async {
        // Read, begin the state, ask, write the object: then the power goes.
        world.power.cut(4, true);
        assert!(world.try_run(&Limits::default()).await.is_none());
        assert_eq!(world.objects("logs/").len(), 1);
        world.time.pass(HOUR);
        let report = world.run().await;
        assert_eq!(report.adopted, 1);
    });
    assert!(world.delivered().iter().any(|line| line.contains("tx-77777")));
    check(&world);
}

#[test]
fn a_record_without_a_time_blocks_nothing() {
    let world = minutely(Switches::default(), -HOUR, HOUR);
    let mut timeless = (0..3).map(|n| {
        let mut record = record((START - HOUR / 2 + n) * 1000, 90_000 + n as u64);
        record.json = record.json.replace(&format!("\"{}\"", iso(record.us)), "null");
        record
    });
    world.duo.add(timeless.by_ref());
    block_on(async {
        for _ in 0..3 {
            world.run().await;
            world.time.pass(HOUR / 2);
        }
    });
    assert_eq!(world.delivered().iter().filter(|line| line.contains("\"ts\": null")).count(), 3);
    check(&world);
}

/// `...:49.5+00:00` sorts before `...:49+00:00` as a text.
#[test]
fn times_are_not_compared_as_texts() {
    let mut world = World::new(Duo::new(Switches { cursor: Cursor::LastAgain, ..Switches::default() }));
    world.settings.page_size = 2;
    world.duo.add((0..20).map(|n| {
        let mut record = record((START - HOUR) * 1000 + n * 250_000, n as u64);
        let (long, zone) = (iso(record.us), if n % 2 == 0 { "Z" } else { "+00:00" });
        let short = long.trim_end_matches("+00:00").trim_end_matches('0').trim_end_matches('.').to_owned();
        record.json = record.json.replace(&long, &format!("{short}{zone}"));
        record
    }));
    block_on(async {
        for _ in 0..3 {
            world.run().await;
            world.time.pass(MINUTE);
        }
    });
    assert_eq!(world.delivered().len(), 20);
    check(&world);
}

#[test]
fn runs_within_a_second_don_t_overwrite_each_other() {
    let world = minutely(Switches::default(), -2 * HOUR, HOUR);
    block_on(async {
        for _ in 0..20 {
            world.run().await;
            world.time.pass(50);
        }
        world.time.pass(HOUR);
        world.run().await;
    });
    check(&world);
}

#[test]
fn the_state_under_the_feeds_prefix_is_told_on_every_run() {
    let world = minutely(Switches::default(), -2 * HOUR, 0);
    for _ in 0..2 {
        let mut collector = world.collector_with_state("logs/state.json");
        let report = block_on(collector.run(&Limits::default())).expect("a run");
        assert!(report.notes.iter().any(|note| note.contains("lies under")), "{:?}", report.notes);
    }
}

#[test]
fn an_offset_that_is_a_list_is_sent_as_a_text() {
    let mut world = minutely(Switches { form: super::duo::Form::List, ..Switches::default() }, -2 * HOUR, 0);
    world.settings.page_size = 50;
    block_on(world.run());
    assert!(world.duo.log()[1].contains("next_offset=1773"), "{:#?}", world.duo.log());
    check(&world);
}

#[test]
fn an_answer_of_version_1_is_not_no_logs() {
    let world = minutely(Switches::default(), -2 * HOUR, 0);
    let body = r#"{"stat":"OK","response":[{"context":"authentication","timestamp":1773144000}]}"#;
    world.duo.faults(|_| Some(Fault::Answer(200, body.into(), None)));
    let failure = block_on(world.fail());
    assert!(failure.to_string().contains("version 1"), "{failure}");
    assert_eq!(failure.error.kind(), ErrorKind::Answer);
}

#[test]
fn the_newest_time_is_two_minutes_ago_in_milliseconds() {
    let world = minutely(Switches::default(), -2 * HOUR, 0);
    block_on(world.run());
    assert!(world.duo.log()[0].contains(&format!("maxtime={}", START - 120_000)), "{:#?}", world.duo.log());
}

#[test]
fn pages_that_don_t_go_forward_stop_the_run() {
    let mut world = minutely(Switches::default(), -2 * HOUR, 0);
    world.settings.page_size = 10;
    let again = |ms: i64, n: u64| {
        let offset = format!("{},x", START + ms);
        let body = format!(
            r#"{{"stat":"OK","response":{{"items":[{}],"metadata":{{"next_offset":"{offset}{n}"}}}}}}"#,
            record((START + ms) * 1000, n).json
        );
        Fault::Answer(200, body, None)
    };
    world.duo.faults(move |n| Some(if n == 1 { again(-HOUR, n) } else { again(-2 * HOUR, n) }));
    let failure = block_on(world.fail());
    assert!(failure.to_string().contains("don't go forward"), "{failure}");
    assert_eq!(world.delivered().len(), 1);
}

#[test]
fn a_page_that_repeats_itself_ends_the_window() {
    for named in [true, false] {
        let mut world = World::new(Duo::new(Switches::default()));
        world.settings.page_size = 10;
        let mut line = record((START - HOUR) * 1000, 1).json;
        if !named {
            line = line.replace("\"telephony_id\"", "\"other\"");
        }
        world.duo.faults(move |n| {
            let body = format!(
                r#"{{"stat":"OK","response":{{"items":[{line}],"metadata":{{"next_offset":"{},{n}"}}}}}}"#,
                START - HOUR
            );
            Some(Fault::Answer(200, body, None))
        });
        let report = block_on(world.run());
        assert_eq!((report.requests, report.delivered), (2, 1));
    }
}

#[test]
fn the_deadline_and_the_number_of_pages_end_a_run_early() {
    let mut world = minutely(Switches::default(), -2 * HOUR, 0);
    world.settings.page_size = 10;
    block_on(async {
        let limits = Limits { max_pages: Some(3), ..Limits::default() };
        let report = world.try_run(&limits).await.expect("power").expect("a run");
        assert_eq!((report.outcome, report.pages, report.delivered), (Outcome::MaxPages, 3, 30));
        // A page a minute: there is time for four.
        let limits = Limits { deadline: Some(Duration::from_secs(200)), ..Limits::default() };
        let report = world.try_run(&limits).await.expect("power").expect("a run");
        assert_eq!((report.outcome, report.pages), (Outcome::Deadline, 4));
        // Failures are not waited out beyond it, and are failures.
        world.duo.faults(|_| Some(Fault::Answer(503, String::new(), None)));
        let before = world.time.elapsed_ms();
        let limits = Limits { deadline: Some(Duration::from_secs(20)), ..Limits::default() };
        let failure = world.try_run(&limits).await.expect("power").expect_err("a failure");
        assert_eq!(failure.error.kind(), ErrorKind::Unavailable);
        assert!(world.time.elapsed_ms() - before < 20_000);
        world.duo.faults(|_| None);
        world.run().await;
    });
    check(&world);
}

#[test]
fn a_stop_is_heard_while_waiting() {
    let mut world = minutely(Switches::default(), -2 * HOUR, 0);
    world.settings.page_size = 10;
    let limits = Limits::default();
    let stop = limits.stop.clone();
    world.duo.faults(move |n| {
        if n == 3 {
            stop.stop();
        }
        None
    });
    let report = block_on(world.try_run(&limits)).expect("power").expect("a run");
    assert_eq!((report.outcome, report.delivered), (Outcome::Stopped, 30));
}

#[test]
fn the_old_lambdas_state_is_taken_over_once() {
    let world = minutely(Switches::default(), -2 * HOUR, HOUR);
    let at = START - HOUR;
    block_on(async {
        world.put("state.json", &format!(r#"{{"last_offset":null,"last_timestamp_ms":{at}}}"#)).await;
        let report = world.run().await;
        assert!(report.notes.iter().any(|note| note.contains("took over")), "{:?}", report.notes);
        assert!(world.duo.log()[0].contains(&format!("mintime={at}")), "{:?}", world.duo.log());
        world.time.pass(HOUR);
        let report = world.run().await;
        assert!(report.notes.is_empty(), "{:?}", report.notes);
    });
    let expected: Vec<String> = world.duo.lines(START + HOUR - 2 * MINUTE);
    let expected = expected.iter().filter(|line| line.contains("tx-") && !before(line, at));
    assert_eq!(world.delivered().len(), expected.count());
}

fn before(line: &str, ms: i64) -> bool {
    let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
    let time = chrono::DateTime::parse_from_rfc3339(value["ts"].as_str().expect("ts")).expect("a time");
    time.timestamp_millis() < ms
}

#[test]
fn records_keep_duos_bytes_on_one_line() {
    let world = World::new(Duo::new(Switches::default()));
    let mut odd = record((START - HOUR) * 1000, 1);
    odd.json =
        "{\r\n  \"telephony_id\": \"\\u0061\",\n  \"ts\": \"2026-03-10T11:00:00Z\", \"new\": [1.50, 1E400]}"
            .into();
    world.duo.add([odd]);
    block_on(world.run());
    let expected =
        "{    \"telephony_id\": \"\\u0061\",   \"ts\": \"2026-03-10T11:00:00Z\", \"new\": [1.50, 1E400]}";
    assert_eq!(world.delivered(), [expected]);
}

#[test]
fn decorated_records_are_still_each_once() {
    let mut world = minutely(Switches::default(), -30 * MINUTE, HOUR);
    world.settings.decorate = true;
    let mut nameless = record((START - 6 * MINUTE) * 1000, 50_000);
    nameless.json = format!(r#"{{"phone":"+1","ts":"{}"}}"#, iso(nameless.us));
    world.duo.add([nameless]);
    block_on(async {
        world.power.cut(4, true);
        assert!(world.try_run(&Limits::default()).await.is_none());
        for _ in 0..3 {
            world.run().await;
            world.time.pass(20 * MINUTE);
        }
    });
    let lines = world.delivered();
    let watermark = world.state()["watermark"].as_i64().expect("a watermark");
    assert_eq!(lines.len(), world.duo.lines(watermark).len());
    let tail = format!(r#""host":"{HOST}","eventtype":"telephony","timestamp":17731"#);
    assert!(lines.iter().all(|line| line.contains(&tail)), "{lines:#?}");
}
