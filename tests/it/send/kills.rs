//! The command is killed at random moments, answers are lost, the service fails, and two runs are at work at once:
//! every good event arrives, and no more comes twice than has to.
//!
//! `UDMAP_SEND_EVENTS` (100,000) and `UDMAP_SEND_KILLS` (20) make it larger.

use super::fake::{Fault, unavailable};
use super::{World, bad, event};
use crate::http::Reply;
use crate::support::Random;
use std::collections::{BTreeSet, HashMap};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// What goes wrong, of a hundred requests.
#[derive(Clone, Copy)]
struct Weather {
    /// The request is taken, and its answer does not arrive.
    lost: u64,
    /// The request is not taken.
    failed: u64,
}

struct Storm {
    events: u64,
    batch: &'static str,
    parallel: u64,
    kills: u64,
    weather: Weather,
    /// How many runs are started at once.
    at_once: usize,
    seed: u64,
}

/// Every so many-th event is one that the service refuses, and another one is not even JSON.
fn line(n: u64) -> String {
    match n % 4_001 {
        1_700 => bad(n as usize) + "\n",
        2_900 => "{\"metadata\":\n".to_owned(),
        _ => event(n as usize) + "\n",
    }
}

fn run(storm: &Storm) {
    let world = World::new();
    let text: String = (0..storm.events).map(line).collect();
    world.write("in.ndjson", &text);
    let lost = Arc::new(AtomicU64::new(0));
    let (counted, weather, seed) = (Arc::clone(&lost), storm.weather, storm.seed);
    world.fake.faults(move |call| {
        let mut random = Random(seed ^ call.number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        random.below(1);
        let chance = random.below(100);
        if chance < weather.lost {
            counted.fetch_add(1, SeqCst);
            return Some(if random.below(2) == 0 { Fault::Lost } else { Fault::Cut });
        }
        (chance < weather.lost + weather.failed).then(|| match random.below(4) {
            0 => unavailable(),
            1 => Fault::Answer(Reply::new(429, "")),
            2 => Fault::Reset,
            _ => Fault::Answer(Reply::new(500, "<html>")),
        })
    });
    let command = || {
        let mut command = world.send(&["in.ndjson", "--batch-events", storm.batch]);
        command
            .args(["--parallel", &storm.parallel.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    };
    let batches = storm.events / storm.batch.parse::<u64>().expect("a number");
    let a_life = (batches / (storm.kills + 1)).max(1);
    let (mut random, mut killed, mut lives) = (Random(storm.seed), 0, 0);
    'lives: loop {
        lives += 1;
        assert!(lives < 20 * (storm.kills + 10), "it comes to an end");
        let after = world.fake.imports().len() as u64 + 1 + random.below(2 * a_life);
        let pause = Duration::from_micros(random.below(20_000));
        let mut children: Vec<_> =
            (0..storm.at_once).map(|_| command().spawn().expect("the command starts")).collect();
        let begun = Instant::now();
        let mut due = None;
        loop {
            assert!(begun.elapsed() < Duration::from_secs(120), "it comes to an end");
            let ended: Vec<_> =
                children.iter_mut().map(|child| child.try_wait().expect("waited for")).collect();
            if ended.iter().all(Option::is_some) {
                for child in children {
                    let output = child.wait_with_output().expect("ended");
                    let said = String::from_utf8_lossy(&output.stderr);
                    let busy = output.status.code() == Some(2) && said.contains("another run");
                    assert!(busy || output.status.code().is_some_and(|status| status < 2), "{said}");
                    if !busy && killed >= storm.kills {
                        break 'lives;
                    }
                }
                break;
            }
            if killed < storm.kills && due.is_none() && world.fake.count() as u64 >= after {
                due = Some(Instant::now() + pause);
            }
            if due.is_some_and(|due| Instant::now() >= due) {
                for child in &mut children {
                    child.kill().expect("killed");
                    child.wait().expect("ended");
                }
                killed += 1;
                break;
            }
            std::thread::sleep(Duration::from_micros(300));
        }
    }

    let mut arrived: HashMap<Vec<u8>, u64> = HashMap::new();
    for event in world.fake.events() {
        *arrived.entry(event).or_default() += 1;
    }
    let (mut good, mut rejected) = (0, BTreeSet::new());
    for (n, line) in text.lines().enumerate() {
        if matches!(n as u64 % 4_001, 1_700 | 2_900) {
            rejected.insert(n as u64 + 1);
        } else {
            good += 1;
            assert!(arrived.contains_key(line.as_bytes()), "line {} arrived", n + 1);
        }
    }
    assert_eq!(arrived.len(), good, "and nothing else");
    // Each of them once.
    let rejects = world.rejects();
    let lines: BTreeSet<u64> =
        rejects.iter().map(|reject| reject["line"].as_u64().expect("a line")).collect();
    assert_eq!((&lines, rejects.len()), (&rejected, rejected.len()));
    // What came twice came as it was: no event is in two different requests that were taken.
    let repeats = world.fake.repeats() as u64;
    let most = storm.parallel * killed + lost.load(SeqCst);
    assert!(repeats <= most, "{repeats} requests came twice, of {most} at most");
    let bodies: BTreeSet<Vec<u8>> =
        world.fake.imports().into_iter().filter(|import| import.taken).map(|import| import.body).collect();
    let distinct: usize =
        bodies.iter().map(|body| body.windows(7).filter(|it| it == b"{\"udm\":").count()).sum();
    assert_eq!(distinct, good, "no event is in two different requests");
    println!(
        "{} events, {killed} kills in {lives} lives, {} lost answers, {} requests, {repeats} repeats",
        storm.events,
        lost.load(SeqCst),
        world.fake.count()
    );
    if most == 0 {
        assert!(arrived.values().all(|times| *times == 1), "exactly once");
    }
    assert_eq!(world.fake.malformed(), Vec::<String>::new());
}

#[test]
fn killed_one_request_at_a_time() {
    let (events, kills) = (number("UDMAP_SEND_EVENTS", 100_000), number("UDMAP_SEND_KILLS", 20));
    let weather = Weather { lost: 3, failed: 5 };
    run(&Storm { events, batch: "500", parallel: 1, kills, weather, at_once: 1, seed: 3 });
}

#[test]
fn killed_with_several_requests_at_once() {
    let weather = Weather { lost: 3, failed: 5 };
    run(&Storm { events: 30_000, batch: "100", parallel: 4, kills: 15, weather, at_once: 1, seed: 5 });
}

#[test]
fn killed_while_two_runs_are_at_work() {
    let weather = Weather { lost: 2, failed: 5 };
    run(&Storm { events: 20_000, batch: "100", parallel: 2, kills: 8, weather, at_once: 2, seed: 7 });
}

/// Where no answer is lost and nobody is killed, every event arrives exactly once, however the service fails.
#[test]
fn exactly_once_where_no_answer_is_lost() {
    // A connection that ends without an answer counts as lost for the sender, but not for us.
    let weather = Weather { lost: 0, failed: 25 };
    run(&Storm { events: 10_000, batch: "100", parallel: 4, kills: 0, weather, at_once: 1, seed: 9 });
}
