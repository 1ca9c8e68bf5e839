//! Every way in which Duo may answer, with the power cut after every step: all that exists is
//! delivered, each once.

use super::duo::{Cursor, Duo, End, Fault, Form, Switches, iso, record};
use super::world::{HOUR, MINUTE, START, World, block_on};
use std::sync::Arc;
use udmap::jobs::collect::{Derive, Derived, Limits, Outcome, Report};

/// Two hours before the start and two after it, with everything that may stand in records.
fn timeline(duo: &Duo) {
    let at = |ms: i64| (START + ms) * 1000;
    let mut n = 0;
    let mut next = |us: i64| {
        n += 1;
        record(us, n)
    };
    // Often two in the same millisecond, one of them a microsecond later.
    let mut records: Vec<_> = (0..14).map(|i| next(at(-2 * HOUR + i / 2 * 17 * MINUTE) + i % 2)).collect();
    // Behind the newest time of the first window, and up to the third.
    records.extend((0..5).map(|i| next(at(-MINUTE + i * 29 * MINUTE))));
    // A record without a time, with and without a name.
    let mut timeless = next(at(-40 * MINUTE));
    timeless.json = timeless.json.replace(&iso(timeless.us), "x").replace("\"x\"", "null");
    let mut nameless = next(at(-40 * MINUTE));
    nameless.json = r#"{"context": "enrollment", "ts": null, "credits": 0}"#.into();
    records.extend([timeless, nameless]);
    // Twins without a name: in the middle, and where windows overlap.
    for ms in [-70 * MINUTE, -6 * MINUTE] {
        for _ in 0..3 {
            let mut twin = next(at(ms));
            twin.json = format!(r#"{{"phone": "+15035550100", "ts": "{}"}}"#, iso(twin.us));
            records.push(twin);
        }
    }
    // Late, though not later than the overlap allows.
    for ms in [-8 * MINUTE, -3 * MINUTE, 50 * MINUTE] {
        let mut late = next(at(ms));
        late.visible = START + ms + 11 * MINUTE;
        records.push(late);
    }
    duo.add(records);
}

fn world(switches: Switches, limit: u32) -> World {
    let duo = Duo::new(switches);
    timeline(&duo);
    let mut world = World::new(duo);
    world.settings.page_size = limit;
    world
}

/// Runs at the start, an hour and two hours later, each repeated until the power holds.
async fn three_runs(world: &World) -> Vec<Report> {
    let mut reports = Vec::new();
    for _ in 0..3 {
        loop {
            match world.try_run(&Limits::default()).await {
                None => {}
                Some(Ok(report)) => {
                    reports.push(report);
                    break;
                }
                Some(Err(failure)) => panic!("{failure}\n{:#?}", world.duo.log()),
            }
        }
        world.time.pass(HOUR);
    }
    reports
}

fn check(world: &World, case: &str) {
    let state = world.state();
    let watermark = state["watermark"].as_i64().expect("a watermark");
    assert!(watermark > START + HOUR, "{case}");
    let (delivered, existing) = (world.delivered(), world.duo.lines(watermark));
    assert!(existing.len() > 25);
    let not_in = |a: &[String], b: &[String]| {
        let mut b = b.to_vec();
        let missing = a.iter().filter(|line| match b.iter().position(|other| other == *line) {
            Some(at) => {
                b.swap_remove(at);
                false
            }
            None => true,
        });
        missing.cloned().collect::<Vec<_>>()
    };
    let (lost, twice) = (not_in(&existing, &delivered), not_in(&delivered, &existing));
    assert!(
        lost.is_empty() && twice.is_empty(),
        "{case}\nlost {lost:#?}\ntwice {twice:#?}\n{:#?}",
        world.duo.log()
    );
    // Objects are numbered without a gap, and none is empty.
    let objects = world.objects("logs/");
    for (i, (key, text)) in objects.iter().enumerate() {
        assert!(key.ends_with(&format!("-{i:010}.ndjson")) && !text.is_empty(), "{case}: {key}");
    }
    assert_eq!(state["sequence"].as_u64(), Some(objects.len() as u64), "{case}");
}

fn switches() -> impl Iterator<Item = Switches> {
    let ends = [End::Absent, End::Null, End::Given];
    ends.into_iter().flat_map(|end| {
        [Form::Text, Form::List].into_iter().flat_map(move |form| {
            let cursors = [Cursor::Last, Cursor::LastAgain, Cursor::Next];
            cursors.into_iter().map(move |cursor| Switches { end, form, cursor })
        })
    })
}

#[test]
fn every_way_of_answering_and_a_cut_after_every_step() {
    let mut cases = 0u64;
    for switches in switches() {
        for limit in [2, 5, 1000] {
            // With one more form of the offset there is nothing new to cut.
            let cuts = switches.form == Form::Text;
            cases += block_on(async {
                let whole = world(switches, limit);
                three_runs(&whole).await;
                check(&whole, &format!("{switches:?} {limit}"));
                let steps = if cuts { whole.power.steps() } else { 0 };
                for cut in 1..=steps {
                    for after in [false, true] {
                        let world = world(switches, limit);
                        world.power.cut(cut, after);
                        three_runs(&world).await;
                        check(&world, &format!("{switches:?} {limit} cut at {cut}, after: {after}"));
                    }
                }
                1 + 2 * steps
            });
        }
    }
    assert!(cases > 2_000, "{cases}");
}

#[test]
fn every_way_of_failing_and_a_second_cut() {
    let too_many = r#"{"stat":"FAIL","code":42901,"message":"Too Many Requests"}"#;
    let answer = |status, body: &str, after: Option<&str>| {
        Fault::Answer(status, body.into(), after.map(str::to_owned))
    };
    let faults = [
        answer(429, too_many, None),
        answer(429, too_many, Some("7")),
        answer(200, too_many, None),
        answer(500, "", None),
        answer(502, "<html>\u{1b}[0m 429 \u{fffd}</html>", None),
        answer(503, "busy", Some("Tue, 10 Mar 2026 12:00:30 GMT")),
        answer(200, "<html>sign in</html>", None),
        answer(401, r#"{"stat":"FAIL","code":40105,"message":"Bad request timestamp"}"#, None),
        Fault::CutJson,
        Fault::Reset,
    ];
    for switches in switches().filter(|switches| switches.form == Form::List) {
        for (i, fault) in faults.iter().enumerate() {
            block_on(async {
                for every in [2, 3] {
                    let world = world(switches, 3);
                    let fault = fault.clone();
                    world.duo.faults(move |n| (n % every == 0).then(|| fault.clone()));
                    // Cut once in the midst of it, each time elsewhere.
                    world.power.cut(5 + 4 * i as u64 + every, i % 2 == 0);
                    let reports = three_runs(&world).await;
                    check(&world, &format!("{switches:?} fault {i} at every {every}"));
                    let again: u64 = reports.iter().map(|report| report.requests - report.pages).sum();
                    assert!(again > 0, "the fault was met");
                }
            });
        }
    }
}

/// Two collectors on one state, their steps interleaved in every rhythm: one does the work, the
/// other leaves and says so.
#[test]
fn two_at_once() {
    for switches in switches().filter(|switches| switches.form == Form::Text) {
        for lead in 0..12 {
            block_on(async {
                let world = world(switches, 3);
                for _ in 0..3 {
                    let (limits, mut second) = (Limits::default(), world.collector());
                    let (first, second) = tokio::join!(world.try_run(&limits), async {
                        for _ in 0..lead {
                            tokio::task::yield_now().await;
                        }
                        second.run(&limits).await
                    });
                    let outcomes =
                        [first.expect("power").expect("a run").outcome, second.expect("a run").outcome];
                    assert!(outcomes.contains(&Outcome::Done), "{outcomes:?}");
                    world.time.pass(HOUR);
                }
                world.run().await;
                check(&world, &format!("{switches:?} {lead}"));
            });
        }
    }
}

/// Makes events of records with a time, and rejects of the others.
#[derive(Debug)]
struct Halves;

impl Derive for Halves {
    fn derive(&self, name: &str, raw: &[u8]) -> Result<Vec<Derived>, String> {
        let text = std::str::from_utf8(raw).map_err(|error| error.to_string())?;
        let (without, with): (Vec<&str>, Vec<&str>) =
            text.lines().partition(|line| line.contains("\"ts\": null"));
        let made = |target, lines: Vec<&str>| Derived {
            target,
            lines: lines.len() as u64,
            bytes: lines.iter().flat_map(|line| format!("{name} {line}\n").into_bytes()).collect(),
        };
        Ok(vec![made("events", with), made("rejects", without)])
    }
}

/// Each raw object has what is made of it, whatever happened on the way.
#[test]
fn what_is_derived_is_whole_after_a_cut_at_every_step() {
    let run = |cut: Option<(u64, bool)>| {
        let mut world = world(Switches::default(), 5);
        world.derive = Some(Arc::new(Halves));
        cut.inspect(|(at, after)| world.power.cut(*at, *after));
        block_on(three_runs(&world));
        check(&world, &format!("{cut:?}"));
        let named = |prefix: &str| world.objects(prefix);
        let (mut events, mut rejects) = (named("events/"), named("rejects/"));
        for (key, text) in named("logs/") {
            let made = Halves.derive(&format!("mem://b/{key}"), text.as_bytes()).expect("made");
            for (made, found) in made.into_iter().zip([&mut events, &mut rejects]) {
                let at = found.iter().position(|(name, _)| name.rsplit('/').next() == key.rsplit('/').next());
                let found = at.map(|at| found.remove(at).1).unwrap_or_default();
                assert_eq!(found.as_bytes(), made.bytes, "{} of {key}, {cut:?}", made.target);
            }
        }
        assert!(events.is_empty() && rejects.is_empty(), "{cut:?}");
        world.power.steps()
    };
    for at in 1..=run(None) {
        run(Some((at, false)));
        run(Some((at, true)));
    }
}
