//! The collector's clock is wrong for a while: nothing is lost, and nothing is silent.

use super::duo::{Dated, Duo, Switches, record};
use super::world::{DAY, HOUR, MINUTE, START, World, block_on};
use serde_json::{Value, json};
use udmap::jobs::collect::{ErrorKind, Limits, When};

const SECOND: i64 = 1000;

/// A record every minute for fourteen hours, each to be had a minute and a half after its time.
fn world(change: impl FnOnce(&mut Duo)) -> World {
    every(MINUTE, change)
}

fn every(step: i64, change: impl FnOnce(&mut Duo)) -> World {
    let mut duo = Duo::new(Switches::default());
    change(&mut duo);
    duo.add((0..14 * HOUR / step).map(|i| {
        let ms = START - 2 * HOUR + i * step;
        let mut made = record(ms * 1000, i as u64);
        made.visible = ms + 90 * SECOND;
        made
    }));
    World::new(duo)
}

/// All that is up to the watermark is delivered, each once, and the watermark is no later than it may be.
fn check(world: &World, case: &str) {
    let watermark = world.state()["watermark"].as_i64().expect("a watermark");
    assert!(watermark <= world.time.right() - 2 * MINUTE + 2 * SECOND, "{case}: {watermark}");
    assert_eq!(world.state()["gaps"], json!([]), "{case}");
    let existing = world.duo.lines(watermark);
    let delivered = world.delivered();
    let lost: Vec<_> = existing.iter().filter(|line| delivered.binary_search(line).is_err()).collect();
    assert!(lost.is_empty(), "{case}: lost {lost:#?}\n{:#?}", world.duo.log());
    let mut once = delivered.clone();
    once.dedup();
    assert_eq!(once.len(), delivered.len(), "{case}");
}

/// A right run, an hour later one or two with a wrong clock, and then right ones again, of which the first may have to
/// say that the state is from the future.
async fn a_wrong_clock_in_between(world: &World, ahead: i64, then: i64, case: &str) {
    let run = || async {
        loop {
            // Again, if the power went.
            if let Some(result) = world.try_run(&Limits::default()).await {
                return result;
            }
        }
    };
    world.time.ahead(0);
    run().await.unwrap_or_else(|failure| panic!("{case}: {failure}"));
    world.time.pass(HOUR);
    for off in [ahead, ahead / 2] {
        world.time.ahead(off);
        match run().await {
            Ok(report)
                if off.abs() >= 30 * SECOND + SECOND
                    && world.duo.dated == Dated::Right
                    && report.requests > 0 =>
            {
                assert!(
                    report.notes.iter().any(|note| note.contains("clock is")),
                    "{case}: {:?}",
                    report.notes
                );
            }
            Ok(_) => {}
            Err(failure) => {
                let hint = failure.error.hint().unwrap_or_default();
                assert!(hint.contains("NTP"), "{case}: {failure} {hint}");
            }
        }
    }
    world.time.ahead(0);
    world.time.pass(then);
    for after in [5 * MINUTE, HOUR, HOUR, 4 * HOUR, 10 * MINUTE] {
        match run().await {
            Ok(report) => assert!(report.gaps.is_empty(), "{case}"),
            // For as long as it lasts, and never silent: the state is some minutes ahead.
            Err(failure) => {
                let early = after == 5 * MINUTE && world.duo.dated == Dated::Not;
                assert!(early && failure.error.kind() == ErrorKind::State, "{case}: {failure}");
            }
        }
        world.time.pass(after);
    }
    run().await.unwrap_or_else(|failure| panic!("{case}: {failure}"));
    check(world, case);
}

/// By how much a clock may be ahead.
const OFF: [i64; 14] = [
    500,
    SECOND,
    5 * SECOND,
    40 * SECOND,
    3 * MINUTE,
    4 * MINUTE,
    5 * MINUTE,
    3 * HOUR,
    200 * DAY,
    30_000 * DAY,
    -4 * MINUTE,
    -3 * HOUR,
    -200 * DAY,
    -20_000 * DAY,
];

#[test]
fn a_clock_that_is_wrong_for_a_while_loses_nothing() {
    for ahead in OFF {
        for dated in [Dated::Right, Dated::Not] {
            for (overlap, limit, then) in
                [(10 * MINUTE, 1000, 0), (0, 1000, 0), (0, 7, 20 * MINUTE), (2 * MINUTE, 60, 3 * HOUR)]
            {
                let case =
                    format!("{ahead} ms ahead, {dated:?}, overlap {overlap}, pages of {limit}, then {then}");
                let mut world = world(|duo| duo.dated = dated);
                world.settings.overlap = std::time::Duration::from_millis(overlap as u64);
                world.settings.page_size = limit;
                block_on(a_wrong_clock_in_between(&world, ahead, then, &case));
            }
        }
    }
}

#[test]
fn a_wrong_clock_and_a_cut_after_every_step() {
    for ahead in [4 * MINUTE, 3 * HOUR, -4 * MINUTE] {
        for dated in [Dated::Right, Dated::Not] {
            let run = |cut: Option<(u64, bool)>| {
                let mut world = every(3 * MINUTE, |duo| duo.dated = dated);
                world.settings.overlap = std::time::Duration::from_secs(60);
                world.settings.page_size = 30;
                cut.inspect(|(at, after)| world.power.cut(*at, *after));
                let case = format!("{ahead} ms ahead, {dated:?}, cut {cut:?}");
                block_on(a_wrong_clock_in_between(&world, ahead, 10 * MINUTE, &case));
                world.power.steps()
            };
            for at in 1..=run(None) {
                run(Some((at, false)));
                run(Some((at, true)));
            }
        }
    }
}

/// The kind of run that lost 33 of 44 records: the very first, and one in between.
#[test]
fn a_run_that_was_refused_for_its_clock_leaves_nothing_behind() {
    for first in [true, false] {
        let world = world(|_| ());
        block_on(async {
            if !first {
                world.run().await;
                world.time.pass(HOUR);
            }
            let before = world.objects("");
            world.time.ahead(3 * HOUR);
            let failure = world.fail().await;
            assert_eq!(failure.error.kind(), ErrorKind::Refused);
            let hint = failure.error.hint().expect("a hint");
            assert!(hint.contains("this machine's clock is 3 h ahead of Duo's"), "{hint}");
            assert_eq!(world.objects(""), before);
            world.time.ahead(0);
            for _ in 0..5 {
                world.run().await;
                world.time.pass(HOUR);
            }
            world.run().await;
        });
        check(&world, "refused");
    }
}

/// A service that accepts any clock, but says what time it is.
#[test]
fn the_services_time_counts_where_a_wrong_clock_is_accepted() {
    for ahead in [4 * MINUTE, 3 * HOUR, 200 * DAY] {
        let world = world(|duo| duo.checks_clocks = false);
        block_on(async {
            world.run().await;
            world.time.pass(HOUR);
            world.time.ahead(ahead);
            let report = world.run().await;
            assert!(
                report.gaps.is_empty() && report.notes[0].contains("ahead of Duo's"),
                "{:?}",
                report.notes
            );
            assert_eq!(report.watermark, Some(START + HOUR - 2 * MINUTE));
            world.time.ahead(0);
            world.time.pass(HOUR);
            world.run().await;
        });
        check(&world, &format!("{ahead}"));
    }
}

/// There is nothing then to tell a wrong clock by, but that the state is from the future.
#[test]
fn without_the_services_time_a_state_from_the_future_is_an_error() {
    let world = world(|duo| (duo.checks_clocks, duo.dated) = (false, Dated::Not));
    block_on(async {
        world.run().await;
        world.time.pass(HOUR);
        world.time.ahead(3 * HOUR);
        world.run().await;
        world.time.ahead(0);
        let failure = world.fail().await;
        assert_eq!(failure.error.kind(), ErrorKind::State);
        assert!(failure.to_string().contains("everything is collected up to 2026-03-10T15:5"), "{failure}");
    });
}

#[test]
fn odd_times_of_the_service_are_no_reason_to_lose_or_to_stand_still() {
    // A machine that does not know the time is no witness.
    let odd = world(|duo| duo.dated = Dated::At(0));
    block_on(async {
        for _ in 0..3 {
            odd.run().await;
            odd.time.pass(HOUR);
        }
    });
    check(&odd, "1970");
    // A copy that something between keeps: no later than that, and an error when it goes no further.
    let stale = world(|duo| duo.dated = Dated::At(START));
    block_on(async {
        stale.run().await;
        stale.time.pass(HOUR);
        let report = stale.run().await;
        assert_eq!(report.watermark, Some(START - 2 * MINUTE));
        assert!(report.notes[0].contains("59 min ahead of Duo's"), "{:?}", report.notes);
    });
    check(&stale, "stale");
    let back = world(|duo| duo.dated = Dated::Back);
    block_on(async {
        back.time.ahead(4 * MINUTE);
        let failure = back.fail().await;
        assert!(failure.to_string().contains("goes back"), "{failure}");
        assert!(back.objects("").is_empty() && failure.report.requests <= 5);
    });
}

/// A state as the version before wrote it.
async fn put_state(world: &World, change: impl FnOnce(&mut Value)) {
    let mut state = world.state();
    change(&mut state);
    world.put("state.json", &state.to_string()).await;
}

fn open_window(state: &mut Value, to: i64, page: u64) {
    let from = state["watermark"].as_i64().expect("a watermark") - 10 * MINUTE;
    state["window"] = json!({
        "from": from, "to": to, "keep_from": (to - 10 * MINUTE).max(from), "limit": 1000, "offset": null,
        "page": page, "floor": from, "last_key": null, "last_page": null, "full": false, "day": "2026-03-10",
        "extension": ".ndjson", "decorate": false
    });
}

#[test]
fn an_open_window_from_the_future_is_mended() {
    for to in [START + 4 * HOUR, START + HOUR - 90 * SECOND, 9_999_999_999_999, i64::MAX] {
        let world = world(|_| ());
        block_on(async {
            world.run().await;
            put_state(&world, |state| open_window(state, to, 0)).await;
            world.time.pass(HOUR);
            for _ in 0..5 {
                world.run().await;
                world.time.pass(HOUR);
            }
            world.run().await;
        });
        check(&world, &format!("{to}"));
    }
}

/// It can't be asked for in part, but loses nothing either: runs after its end go on.
#[test]
fn an_open_window_from_the_future_with_pages_is_refused_until_its_end() {
    let world = world(|_| ());
    block_on(async {
        world.run().await;
        put_state(&world, |state| open_window(state, START + 3 * HOUR, 2)).await;
        world.time.pass(HOUR);
        let failure = world.fail().await;
        assert_eq!((failure.error.kind(), failure.report.requests), (ErrorKind::State, 0));
        assert!(
            failure.to_string().contains("an open window from 2026-03-10T11:48:00Z to 2026-03-10T15:00:00Z")
        );
        world.time.pass(2 * HOUR + MINUTE);
        world.run().await;
        world.time.pass(HOUR);
        world.run().await;
    });
    check(&world, "pages");
}

#[test]
fn a_watermark_that_can_t_be_is_an_error_that_says_what_to_do() {
    for watermark in [START + 1, 9_999_999_999_999, i64::MAX, -1, i64::MIN, 0] {
        for window in [true, false] {
            let world = world(|_| ());
            block_on(async {
                world.run().await;
                put_state(&world, |state| {
                    if window {
                        open_window(state, START + HOUR, 0);
                    }
                    state["watermark"] = json!(watermark);
                })
                .await;
                let before = world.objects("");
                let failure = world.fail().await;
                assert_eq!(
                    (failure.error.kind(), failure.report.requests),
                    (ErrorKind::State, 0),
                    "{failure}"
                );
                assert!(failure.error.hint().is_some_and(|hint| hint.contains("`--since`")), "{failure}");
                assert_eq!(world.objects(""), before);
                let found = world.collector().check().await;
                assert!(
                    found.iter().any(|finding| finding.what.contains("the state `mem://b/state.json` ")
                        && finding.level == udmap::jobs::collect::Level::Bad),
                    "{found:?}"
                );
            });
        }
    }
}

#[test]
fn a_beginning_in_the_future_is_an_error() {
    let mut world = world(|_| ());
    world.settings.since = When::At(START + HOUR);
    let failure = block_on(world.fail());
    assert_eq!((failure.error.kind(), failure.report.requests), (ErrorKind::Config, 0));
    assert!(failure.to_string().contains("`--since` is 2026-03-10T13:00:00Z"), "{failure}");
}

/// The same collector, as a daemon has it.
#[test]
fn a_daemon_whose_clock_was_wrong_recovers() {
    let world = world(|_| ());
    block_on(async {
        let mut collector = world.collector();
        for (off, good) in
            [(0, true), (3 * HOUR, false), (3 * HOUR, false), (0, true), (4 * MINUTE, true), (0, true)]
        {
            world.time.ahead(off);
            assert_eq!(collector.run(&Limits::default()).await.is_ok(), good, "{off}");
            world.time.pass(HOUR);
        }
        world.run().await;
    });
    check(&world, "daemon");
}

/// A service for which every time is too old must not look like one without records.
#[test]
fn a_window_that_is_always_too_old_is_an_error() {
    let world = world(|_| ());
    let refusal = r#"{"stat":"FAIL","code":40002,"message":"x","message_detail":"mintime must be within the past 180 days"}"#;
    world.duo.faults(move |_| Some(super::duo::Fault::Answer(400, refusal.into(), None)));
    let failure = block_on(world.fail());
    assert!(
        failure.to_string().contains("within the past 180 days") && world.objects("").is_empty(),
        "{failure}"
    );
}
