//! Answers that Duo would not give: what can't be understood is an error or is told, and never the end of the data.

use super::duo::{Duo, Fault, Switches, record};
use super::world::{HOUR, MINUTE, START, World, block_on};
use std::time::Duration;
use udmap::jobs::collect::{ErrorKind, Limits, Outcome};

/// A record every minute in the last two hours, pages of ten.
fn world() -> World {
    let duo = Duo::new(Switches::default());
    duo.add((0..120).map(|i| record((START - 2 * HOUR + i * MINUTE) * 1000, i as u64)));
    let mut world = World::new(duo);
    world.settings.page_size = 10;
    world
}

fn page(items: &str, metadata: &str) -> Fault {
    let body = format!(r#"{{"stat":"OK","response":{{"items":[{items}],"metadata":{metadata}}}}}"#);
    Fault::Answer(200, body, None)
}

fn check(world: &World) {
    let watermark = world.state()["watermark"].as_i64().expect("a watermark");
    assert_eq!(world.delivered(), world.duo.lines(watermark), "{:#?}", world.duo.log());
}

/// Records among what is none are delivered, the rest is told once, and nothing is blocked by it.
#[test]
fn items_that_are_no_objects_are_told_and_not_delivered() {
    for odd in [r#""a text""#, "17", "null", "true", "[1]", "1e400", r#""\u001b[31m::error""#, "[[[[]]]]"] {
        let world = world();
        let mut among = record((START - HOUR) * 1000 + 1, 5_000);
        among.json = odd.into();
        world.duo.add([among]);
        block_on(async {
            let report = world.run().await;
            assert_eq!(report.foreign, 1, "{odd}");
            let note = report.notes.iter().find(|note| note.contains("are not objects")).expect("a note");
            assert!(note.contains(&odd[..1]) && !note.contains('\u{1b}'), "{note}");
            world.time.pass(HOUR);
            assert_eq!(world.run().await.foreign, 0);
        });
        let records: Vec<String> = world.duo.lines(START).into_iter().filter(|line| line != odd).collect();
        assert_eq!(world.delivered().len(), records.len(), "{odd}");
        assert!(world.delivered().iter().all(|line| line.starts_with('{')));
    }
}

/// Also if there is nothing else, and if the power goes.
#[test]
fn a_page_without_a_record_goes_by() {
    let run = |cut: Option<(u64, bool)>| {
        let world = World::new(Duo::new(Switches::default()));
        let mut alone = record((START - HOUR) * 1000, 1);
        alone.json = "17".into();
        world.duo.add([alone, record((START + HOUR / 2) * 1000, 2)]);
        cut.inspect(|(at, after)| world.power.cut(*at, *after));
        let told = block_on(async {
            let mut told = 0;
            for _ in 0..4 {
                if let Some(report) = world.try_run(&Limits::default()).await {
                    told += report.expect("a run").foreign;
                }
                world.time.pass(HOUR);
            }
            told
        });
        // Told, or, if the power went between noting and telling it, to be seen in the state.
        assert!(told >= 1 || cut.is_some(), "{cut:?}");
        assert_eq!(world.state()["not_records"], 1, "{cut:?}");
        check_only(&world);
        world.power.steps()
    };
    for at in 1..=run(None) {
        run(Some((at, false)));
        run(Some((at, true)));
    }
}

fn check_only(world: &World) {
    let delivered = world.delivered();
    assert!(delivered.len() == 1 && delivered[0].contains("tx-2"), "{delivered:?}");
}

#[test]
fn metadata_that_can_t_be_read_is_not_the_end_of_the_data() {
    let long = format!(r#"{{"next_offset":"{}"}}"#, "1".repeat(1 << 20));
    let list = format!(r#"{{"next_offset":[{}1]}}"#, "1,".repeat(1 << 20));
    let cases = [
        &long,
        &list,
        "17",
        r#""x""#,
        "[]",
        "true",
        r#"{"next_offset":{}}"#,
        r#"{"next_offset":false}"#,
        r#"{"next_offset":[null]}"#,
        r#"{"next_offset":"1,a","next_offset":null}"#,
    ];
    for metadata in cases {
        let world = world();
        let shown = &metadata[..metadata.len().min(40)];
        block_on(async {
            let first = record((START - HOUR) * 1000, 9_000).json;
            let fault = page(&first, metadata);
            world.duo.faults(move |n| (n == 3).then(|| fault.clone()));
            let failure = world.fail().await;
            assert_eq!(failure.error.kind(), ErrorKind::Answer, "{shown}: {failure}");
            assert!(failure.to_string().len() < 400, "{failure}");
            assert_eq!(world.delivered().len(), 20, "{shown}");
            let state = world.objects("state.json").remove(0).1;
            assert!(state.len() < 4_000, "{shown}: {}", state.len());
            world.run().await;
        });
        check(&world);
    }
    for metadata in [
        r#"{"total_objects":-1e999,"x":[{}]}"#,
        r#"{"total_objects":"many"}"#,
        r#"{"total_objects":null}"#,
        "null",
    ] {
        let world = world();
        let fault = page(&record((START - HOUR) * 1000, 9_000).json, metadata);
        world.duo.faults(move |n| (n == 1).then(|| fault.clone()));
        assert_eq!(block_on(world.run()).delivered, 1, "{metadata}");
    }
}

#[test]
fn more_items_than_any_page_has_are_an_error() {
    let world = world();
    let many = vec!["{}"; 20_000].join(",");
    let fault = page(&many, "{}");
    world.duo.faults(move |_| Some(fault.clone()));
    let failure = block_on(world.fail());
    assert!(
        failure.to_string().contains("at most 10000 records") && world.objects("").is_empty(),
        "{failure}"
    );
}

#[test]
fn a_record_of_any_depth_is_a_record() {
    let world = World::new(Duo::new(Switches::default()));
    let mut deep = record((START - HOUR) * 1000, 1);
    let tail = format!(r#", "x": {}{}}}"#, "[".repeat(1 << 20), "]".repeat(1 << 20));
    deep.json = format!("{}{tail}", deep.json.strip_suffix('}').expect("an object"));
    world.duo.add([deep]);
    block_on(world.run());
    check(&world);
}

#[test]
fn a_deadline_too_short_for_any_page_is_no_success() {
    let world = world();
    block_on(async {
        for seconds in [0, 1, 9] {
            let limits = Limits { deadline: Some(Duration::from_secs(seconds)), ..Limits::default() };
            let failure = world.try_run(&limits).await.expect("power").expect_err("a failure");
            assert_eq!((failure.error.kind(), failure.report.requests), (ErrorKind::Config, 0));
            assert!(failure.error.hint().is_some_and(|hint| hint.contains("`--deadline`")), "{failure}");
        }
        let limits = Limits { deadline: Some(Duration::from_secs(11)), ..Limits::default() };
        let report = world.try_run(&limits).await.expect("power").expect("a run");
        assert_eq!((report.outcome, report.pages), (Outcome::Deadline, 1));
        world.run().await;
        // What came since; then there is nothing to collect.
        world.run().await;
        // Where there is nothing to collect, no time is needed.
        let limits = Limits { deadline: Some(Duration::ZERO), ..Limits::default() };
        assert_eq!(world.try_run(&limits).await.expect("power").expect("a run").outcome, Outcome::Done);
    });
    check(&world);
}
