//! Every log: all that exists is delivered, each once, with the power cut before and after every step.

use super::duo::{Cursor, Duo, ENDPOINTS, End, Form, Record, Switches, record_of};
use super::world::{HOUR, MINUTE, START, World, block_on};
use udmap::jobs::collect::{Limits, Log};

/// From two hours before the start to two after it: more than a page in the first window, cut in the middle of a second
/// and between twins; some that come late; and new ones between the runs.
fn timeline(log: &'static str, records: i64, page: usize) -> Vec<Record> {
    let mut n = 0;
    let mut next = |ms: i64| {
        n += 1;
        record_of(log, (START + ms) * 1000, n)
    };
    let mut records: Vec<Record> = (0..records).map(|i| next(-100 * MINUTE + i / 7 * 1000)).collect();
    records.extend((0..8).map(|i| next(-MINUTE + i * 17 * MINUTE)));
    for ms in [-8 * MINUTE, -3 * MINUTE, 50 * MINUTE] {
        let mut late = next(ms);
        late.visible = START + ms + 11 * MINUTE;
        records.push(late);
    }
    // True twins, where records have no name: around the first page's end, and where windows overlap.
    let twin = |of: &Record, i: usize| Record { id: format!("{}-{i}", of.id), ..of.clone() };
    if log == "administrator" || log == "offline-enrollment" {
        let more: Vec<Record> =
            records[page - 3..page + 3].iter().flat_map(|of| [twin(of, 1), twin(of, 2)]).collect();
        let last = records.len() - 4;
        let more = more.into_iter().chain([twin(&records[last], 1)]);
        records.extend(more.collect::<Vec<_>>());
    }
    records
}

fn world(log: &'static str, switches: Switches, newest_first: bool) -> World {
    let mut duo = Duo::new(switches);
    duo.newest_first = newest_first;
    // The logs whose pages have a size of Duo's own need as many records.
    let bare = log == "administrator" || log == "offline-enrollment";
    duo.add(if bare { timeline(log, 1100, 1000) } else { timeline(log, 48, 20) });
    let mut world = World::of(log, duo);
    world.settings.page_size = 20;
    world
}

async fn three_runs(world: &World) {
    for _ in 0..3 {
        while match world.try_run(&Limits::default()).await {
            None => true,
            Some(Ok(_)) => false,
            Some(Err(failure)) => panic!("{failure}\n{:#?}", world.duo.log()),
        } {}
        world.time.pass(HOUR);
    }
}

pub(crate) fn check(world: &World, case: &str) {
    let watermark = world.state()["watermark"].as_i64().expect("a watermark");
    let (delivered, existing) = (world.delivered(), world.duo.lines(watermark));
    assert_eq!(delivered.len(), existing.len(), "{case}\n{:#?}", world.duo.log());
    assert!(delivered == existing, "{case}\n{:#?}", world.duo.log());
}

fn with_cuts(log: &'static str, switches: Switches, newest_first: bool) {
    let case = format!("{log} {switches:?} {newest_first}");
    let whole = world(log, switches, newest_first);
    block_on(three_runs(&whole));
    check(&whole, &case);
    assert!(whole.delivered().len() > 40, "{case}");
    for cut in 1..=whole.power.steps() {
        for after in [false, true] {
            let world = world(log, switches, newest_first);
            world.power.cut(cut, after);
            block_on(three_runs(&world));
            check(&world, &format!("{case} cut at {cut}, after: {after}"));
        }
    }
}

#[test]
fn logs_with_an_offset_and_a_cut_after_every_step() {
    for log in ["authentication", "activity"] {
        for form in [Form::List, Form::Text] {
            for cursor in [Cursor::Last, Cursor::LastAgain, Cursor::Next] {
                with_cuts(log, Switches { form, cursor, end: End::Given }, false);
            }
        }
    }
}

#[test]
fn a_log_in_no_order_and_a_cut_after_every_step() {
    for newest_first in [false, true] {
        for cursor in [Cursor::Last, Cursor::LastAgain, Cursor::Next] {
            with_cuts("trust-monitor", Switches { cursor, ..Switches::default() }, newest_first);
        }
    }
}

#[test]
fn a_log_of_seconds_and_a_cut_after_every_step() {
    with_cuts("administrator", Switches::default(), false);
    let world = world("offline-enrollment", Switches::default(), false);
    block_on(three_runs(&world));
    check(&world, "offline-enrollment");
}

/// The fake service and the collector have the same logs.
#[test]
fn all_logs_are_tried() {
    let ours: Vec<(&str, &str)> = Log::all().iter().map(|log| (log.name, log.path)).collect();
    assert_eq!(ours, ENDPOINTS.iter().map(|there| (there.log, there.path)).collect::<Vec<_>>());
    for log in &ENDPOINTS {
        let world = world(log.log, Switches::default(), false);
        block_on(three_runs(&world));
        check(&world, log.log);
        assert!(world.objects("logs/").iter().all(|(key, _)| key.contains(&format!("/{}-api-", log.log))));
    }
}

/// Without an overlap a window begins with the second in which the last one ended: twins in it are distinguished all the
/// same. What comes in late is lost by choice, so nothing does here.
#[test]
fn seconds_without_an_overlap() {
    for cut in [None, Some(2), Some(5), Some(9)] {
        let duo = Duo::new(Switches::default());
        duo.add(
            timeline("administrator", 1100, 1000).into_iter().filter(|record| record.visible == i64::MIN),
        );
        let mut world = World::of("administrator", duo);
        world.settings.overlap = std::time::Duration::ZERO;
        if let Some(cut) = cut {
            world.power.cut(cut, true);
        }
        block_on(three_runs(&world));
        check(&world, &format!("without an overlap, cut at {cut:?}"));
        assert!(world.delivered().len() > 1100);
    }
}
