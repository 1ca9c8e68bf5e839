//! Objects that arrive, sent into a SecOps of our own by the function: from moto's S3, by messages of a queue that come
//! again, with a function that has no time, is killed or is updated in between.

use super::MINUTES;
use super::aws::{SECRET_ARN, Secrets};
use super::objects::{Function, messages, notification};
use crate::dump::{gunzip, gzip};
use crate::s3::{Road, S3, Way};
use crate::send::fake::{Fake, Fault, INSTANCE, LOCATION, PROJECT, error};
use crate::send::{bad, event, lines, sorted, tokens};
use crate::support::json_lines;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};
use udmap::lab::{Generator, Mix};

/// A SecOps, an S3, and a file of credentials.
struct World {
    fake: Fake,
    s3: S3,
    folder: tempfile::TempDir,
}

/// What invocations answered, and the lines that they printed.
struct Ran {
    answers: Vec<Result<Value, Value>>,
    lines: Vec<Value>,
}

impl Ran {
    /// The lines of invocations.
    fn whole(&self) -> Vec<&Value> {
        self.lines.iter().filter(|line| line["event"] == "send").collect()
    }

    /// The answer to a message of which nothing is repeated.
    fn is_done(&self, at: usize) -> bool {
        self.answers[at] == Ok(json!({ "batchItemFailures": [] }))
    }
}

impl World {
    fn new() -> Option<World> {
        let world =
            World { fake: Fake::start(), s3: S3::start()?, folder: tempfile::tempdir().expect("a folder") };
        world.write("key.json", &tokens::service_account(&world.fake.url).to_string());
        Some(world)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    }

    /// Events or logs as an object below the input.
    fn put(&self, name: &str, text: &str) {
        self.s3.put("logs", &format!("in/{name}"), &gzip(text.as_bytes()));
    }

    fn function(&self, changed: &[(&str, &str)], events: &[Value], time: Duration) -> Function {
        let key = self.folder.path().join("key.json");
        let mut environment = vec![
            ("UDMAP_FUNCTION", "send"),
            ("UDMAP_INPUT", "s3://logs/in/"),
            ("UDMAP_MAPPING", "none"),
            ("UDMAP_SEND_PROJECT", PROJECT),
            ("UDMAP_SEND_LOCATION", LOCATION),
            ("UDMAP_SEND_INSTANCE", INSTANCE),
            ("UDMAP_SEND_API_URL", &self.fake.url),
            ("UDMAP_SEND_STATE", "s3://udm/udmap-state/sent/"),
            ("UDMAP_SEND_REJECTS", "s3://udm/refused/"),
            ("UDMAP_SEND_RATE", "none"),
            ("UDMAP_SEND_RETRY_WAIT", "1ms"),
            ("UDMAP_SEND_CREDENTIALS", key.to_str().expect("UTF-8")),
        ];
        environment.extend(changed);
        Function::with(&self.s3, &environment, events, time)
    }

    /// Invocations, one after the other, of one function. Nothing that is secret is in what it says or leaves.
    fn invoke(&self, changed: &[(&str, &str)], events: &[Value], time: Duration) -> Ran {
        let (answers, stdout, stderr) = self.function(changed, events, time).said(events.len());
        let mut texts = vec![stdout.clone(), stderr, format!("{answers:?}")];
        for bytes in self.s3.all("udm").values().chain(self.s3.all("logs").values()) {
            texts.push(String::from_utf8_lossy(bytes).into_owned());
        }
        for secret in tokens::secrets() {
            assert!(texts.iter().all(|text| !text.contains(&secret)), "{secret} is somewhere: {texts:?}");
        }
        assert_eq!(self.fake.malformed(), Vec::<String>::new(), "{stdout}");
        Ran { answers, lines: json_lines(&stdout) }
    }

    /// The events in SecOps, sorted.
    fn arrived(&self) -> Vec<Vec<u8>> {
        let mut events = self.fake.events();
        events.sort();
        events
    }

    /// These events are in SecOps, each once.
    fn has(&self, events: &str) {
        let (arrived, wanted) = (self.arrived(), sorted(events));
        let text = |event: Option<&Vec<u8>>| event.map(|event| String::from_utf8_lossy(event).into_owned());
        let differs = (0..arrived.len().max(wanted.len())).find(|at| arrived.get(*at) != wanted.get(*at));
        if let Some(at) = differs {
            let (one, other) = (text(arrived.get(at)), text(wanted.get(at)));
            panic!("{} events, expected {}: {one:?}, expected {other:?}", arrived.len(), wanted.len());
        }
    }

    /// The lines of all objects whose keys begin so.
    fn lines(&self, prefix: &str) -> Vec<Value> {
        let all = self.s3.all("udm");
        let texts = all.iter().filter(|(key, _)| key.starts_with(prefix));
        texts.flat_map(|(_, bytes)| json_lines(&String::from_utf8_lossy(bytes))).collect()
    }

    fn until_some_arrived(&self, some: usize) {
        let begun = Instant::now();
        while self.fake.events().len() < some {
            assert!(begun.elapsed() < MINUTES, "nothing arrives");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

fn body(names: &[&str]) -> String {
    let keys: Vec<String> = names.iter().map(|name| format!("in/{name}")).collect();
    notification(&keys.iter().map(String::as_str).collect::<Vec<_>>()).to_string()
}

fn failures(ids: &[&str]) -> Result<Value, Value> {
    let items: Vec<Value> = ids.iter().map(|id| json!({ "itemIdentifier": id })).collect();
    Ok(json!({ "batchItemFailures": items }))
}

/// Credentials are those of a secret. What fails goes back alone, and what comes again is not sent again.
#[test]
fn messages_are_sent_once_and_what_fails_goes_back_alone() {
    let Some(world) = World::new() else { return };
    let secrets = Secrets::new(&tokens::service_account(&world.fake.url).to_string());
    let changed = [
        ("UDMAP_SEND_CREDENTIALS", ""),
        ("UDMAP_SEND_SECRET_ARN", SECRET_ARN),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets.url()),
        ("AWS_ACCESS_KEY_ID", super::aws::KEY_ID),
        ("AWS_SECRET_ACCESS_KEY", super::aws::SECRET_KEY),
        ("AWS_SESSION_TOKEN", super::aws::TOKEN),
        ("UDMAP_SEND_BATCH_EVENTS", "10"),
    ];
    world.put("a.ndjson.gz", &lines(0..25, &[]));
    world.put("b b/ü+1%20.gz", &lines(25..60, &[30]));
    world.put("c.gz", &(lines(60..65, &[]) + "no event\n"));
    // Cut in the middle of an event: an object never gets its end.
    world.put("cut.gz", &lines(70..72, &[])[..250]);
    let all = messages(&[
        ("two", body(&["a.ndjson.gz", "b b/ü+1%20.gz"])),
        ("test", json!({ "Event": "s3:TestEvent" }).to_string()),
        ("poison", "{".to_owned()),
        ("gone", body(&["gone.gz"])),
        ("folder", body(&["folder/"])),
        ("elsewhere", notification(&["other/x.gz"]).to_string()),
        ("cut", body(&["cut.gz"])),
        ("good", body(&["c.gz"])),
    ]);
    let ran = world.invoke(&changed, &[all.clone(), all], MINUTES);
    let again = failures(&["poison", "gone", "elsewhere", "cut"]);
    assert_eq!((&ran.answers[0], &ran.answers[1]), (&again, &again), "{:?}", ran.lines);
    let good: Vec<String> = [lines(0..30, &[]), lines(31..65, &[]), lines(70..71, &[])].into();
    world.has(&good.concat());
    // Once, although told twice.
    let rejects = world.lines("refused/");
    let mut reasons: Vec<&str> = rejects.iter().map(|it| it["reason"].as_str().expect("a text")).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["invalid-json", "refused"], "{rejects:?}");
    let refused = rejects.iter().find(|it| it["reason"] == "refused").expect("one");
    assert_eq!((&refused["raw"], &refused["line"]), (&json!(bad(30)), &json!(6)));
    assert_eq!(refused["source"], "s3://logs/in/b b/ü+1%20.gz");

    let whole = ran.whole();
    let counts = |line: &Value| {
        ["objects", "sent", "known", "left", "failed", "accepted", "refused", "repeats"]
            .map(|it| line[it].clone())
    };
    assert_eq!(counts(whole[0]), [7, 3, 0, 1, 3, 65, 2, 0].map(|n: u64| json!(n)), "{}", whole[0]);
    assert_eq!(counts(whole[1]), [7, 0, 3, 1, 3, 0, 2, 0].map(|n: u64| json!(n)), "{}", whole[1]);
    assert_eq!((&whole[0]["level"], &whole[1]["requests"]), (&json!("error"), &json!(0)));
    let said = whole[0]["errors"].to_string();
    for words in ["not valid JSON", "in/gone.gz", "below none of the inputs", "is cut short"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let objects: Vec<&Value> = ran.lines.iter().filter(|line| line["event"] == "send-object").collect();
    assert_eq!((objects.len(), &objects[0]["object"]), (14, &json!("s3://logs/in/a.ndjson.gz")));
    assert_eq!((&objects[0]["outcome"], &objects[7]["outcome"]), (&json!("sent"), &json!("known")));
    // The secret is read once an invocation, and first it was not well.
    assert_eq!(secrets.asked(), 3);

    // The same key with other content is another object; S3 may also call by itself.
    world.put("a.ndjson.gz", &lines(80..90, &[]));
    let direct = notification(&["in/a.ndjson.gz"]);
    let ran = world.invoke(&changed, &[direct, notification(&["in/gone.gz"])], MINUTES);
    assert_eq!(ran.answers[0].as_ref().expect("an answer"), ran.whole()[0]);
    assert_eq!((world.arrived().len(), &ran.whole()[0]["level"]), (75, &json!("info")));
    assert_eq!(ran.answers[1].as_ref().expect_err("gone")["errorType"], "ObjectsFailed");
}

/// Logs are converted as by `udmap convert`, and then sent; their rejects are kept, too.
#[test]
fn logs_are_converted_and_a_function_that_is_updated_goes_on_with_the_same_bytes() {
    let Some(world) = World::new() else { return };
    let mix: Mix = "v2=70,v1=20,broken=10".parse().expect("a mix");
    let logs: Vec<Vec<u8>> = (0..2).map(|seed| Generator::records(seed, &mix, 150)).collect();
    for (n, log) in logs.iter().enumerate() {
        world.s3.put("logs", &format!("in/{n}.gz"), &gzip(log));
    }
    let places = [
        ("UDMAP_MAPPING", "duo_telephony"),
        ("UDMAP_OUTPUT", "s3://udm/events/"),
        ("UDMAP_REJECTS", "s3://udm/rejects/"),
        ("UDMAP_SEND_BATCH_EVENTS", "10"),
        ("UDMAP_SEND_PARALLEL", "1"),
    ];
    // The third request is refused for ever, as if the account had lost its permission.
    let denied = || Fault::Answer(error(403, "PERMISSION_DENIED", "no"));
    world.fake.faults(move |call| (call.number > 2).then(denied));
    let told = messages(&[("0", body(&["0.gz"])), ("1", body(&["1.gz"]))]);
    let ran = world.invoke(&places, std::slice::from_ref(&told), MINUTES);
    assert_eq!(ran.answers[0], failures(&["0", "1"]));
    assert!(ran.whole()[0]["errors"].to_string().contains("chronicle.events.import"), "{:?}", ran.lines);
    assert_eq!(world.fake.events().len(), 20);

    // The function is updated, and makes other bytes now. What was begun stays as it was.
    world.fake.faults(|_| None);
    let mut updated = places.to_vec();
    updated.push(("UDMAP_FIELD_NAMES", "camel"));
    let ran = world.invoke(&updated, &[told.clone(), told], MINUTES);
    assert!(ran.is_done(0) && ran.is_done(1), "{:?}", ran.lines);
    let events: Vec<u8> = logs.iter().flat_map(|log| crate::dump::events(log)).collect();
    world.has(&String::from_utf8(events).expect("UTF-8"));
    assert_eq!(world.fake.repeats(), 0);
    let (first, second) = (ran.whole()[0], ran.whole()[1]);
    let rejects =
        world.s3.all("udm").iter().filter(|(key, _)| key.starts_with("rejects/")).fold(0, |n, (_, bytes)| {
            let text = if bytes.starts_with(&[0x1f, 0x8b]) { gunzip(bytes) } else { bytes.clone() };
            n + json_lines(&String::from_utf8_lossy(&text)).len()
        });
    // Both versions of the function wrote rejects: each its own.
    assert_eq!(first["rejects"].as_u64().map(|n| 2 * n), Some(rejects as u64), "{first}");
    assert!(rejects > 0 && first["level"] == "warning", "{first}");
    assert_eq!(
        (&second["known"], &second["requests"], &second["rejects"]),
        (&json!(2), &json!(0), &first["rejects"])
    );
    assert_eq!(world.lines("refused/").len(), 0);
}

/// What an invocation has no time for goes back, and the next one continues: where no answer was lost, each event is
/// there once.
#[test]
fn an_object_that_takes_longer_than_an_invocation() {
    let Some(world) = World::new() else { return };
    world.put("a.gz", &lines(0..200, &[55]));
    world.put("b.gz", &lines(200..210, &[]));
    let told = messages(&[("a", body(&["a.gz"])), ("b", body(&["b.gz"]))]);
    world.fake.faults(|_| Some(Fault::Late(Duration::from_millis(200))));
    let slowly = [("UDMAP_SEND_BATCH_EVENTS", "10"), ("UDMAP_SEND_PARALLEL", "1")];
    let some = world.invoke(&slowly, std::slice::from_ref(&told), Duration::from_secs(22));
    assert_eq!(some.answers[0], failures(&["a", "b"]), "{:?}", some.lines);
    let said = some.whole()[0]["errors"].to_string();
    assert!(said.contains("continues where this one stopped") && said.contains("not begun"), "{said}");
    let before = world.arrived().len();
    assert!(before > 0 && before < 200, "{before}");
    // No time at all: nothing is begun.
    let none = world.invoke(&slowly, std::slice::from_ref(&told), Duration::from_millis(1));
    assert_eq!((&none.answers[0], world.arrived().len()), (&some.answers[0], before));

    world.fake.faults(|_| None);
    let ran = world.invoke(&slowly, &[told], MINUTES);
    assert!(ran.is_done(0), "{:?}", ran.lines);
    let good = lines(0..55, &[]) + &lines(56..210, &[]);
    world.has(&good);
    assert_eq!(world.fake.repeats(), 0);
    assert_eq!((world.lines("refused/").len(), &ran.whole()[0]["refused"]), (1, &json!(1)));
}

/// Killed at any moment, with bad events among the good: nothing is missing, each reject is there once, and no more
/// comes twice than was under way.
#[test]
fn killed_while_it_sends() {
    let Some(world) = World::new() else { return };
    let bad_ones: Vec<usize> = (0..300).filter(|n| n % 37 == 5).collect();
    world.put("a.gz", &lines(0..300, &bad_ones));
    let told = messages(&[("a", body(&["a.gz"]))]);
    world.fake.faults(|_| Some(Fault::Late(Duration::from_millis(15))));
    let slowly = [("UDMAP_SEND_BATCH_EVENTS", "10"), ("UDMAP_SEND_PARALLEL", "2")];
    let kills = [10, 60, 120, 180];
    for some in kills {
        let function = world.function(&slowly, std::slice::from_ref(&told), MINUTES);
        world.until_some_arrived(some);
        function.kill();
    }
    let ran = world.invoke(&slowly, &[told], MINUTES);
    assert!(ran.is_done(0), "{:?}", ran.lines);
    let mut events = world.arrived();
    let all = events.len();
    events.dedup();
    let good: String = (0..300).filter(|n| !bad_ones.contains(n)).map(|n| event(n) + "\n").collect();
    assert!(events == sorted(&good), "{} events", events.len());
    assert!(all - events.len() <= kills.len() * 2 * 10, "{}", all - events.len());
    let mut rejects: Vec<String> =
        world.lines("refused/").iter().map(|it| it["raw"].as_str().expect("a text").to_owned()).collect();
    rejects.sort();
    let mut wanted: Vec<String> = bad_ones.iter().map(|n| bad(*n)).collect();
    wanted.sort();
    assert_eq!(rejects, wanted);
}

/// Rejects that were written before the state could say so are not written once more.
#[test]
fn rejects_come_once_also_if_the_state_is_not_written_behind_them() {
    let Some(world) = World::new() else { return };
    world.put("a.gz", &lines(0..40, &[12, 33]));
    let told = [messages(&[("a", body(&["a.gz"]))])];
    let (is_broken, refused) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (breaks, counted) = (Arc::clone(&is_broken), Arc::clone(&refused));
    let road = Road::to(&world.s3, move |passing| {
        let is_put = passing.method == "PUT";
        if is_put && passing.target.contains("/refused/") {
            breaks.store(true, SeqCst);
        } else if is_put && passing.target.contains("/sent/") && breaks.load(SeqCst) {
            counted.fetch_add(1, SeqCst);
            return Way::Refused(403, "AccessDenied");
        }
        Way::Through
    });
    let slowly = [("UDMAP_SEND_BATCH_EVENTS", "10"), ("UDMAP_SEND_PARALLEL", "1")];
    let mut by_road = slowly.to_vec();
    by_road.push(("AWS_ENDPOINT_URL", &road.endpoint));
    let ran = world.invoke(&by_road, &told, MINUTES);
    assert_eq!(ran.answers[0], failures(&["a"]), "{:?}", ran.lines);
    assert!(refused.load(SeqCst) > 0 && world.lines("refused/").len() == 1, "{:?}", ran.lines);
    let ran = world.invoke(&slowly, &told, MINUTES);
    assert!(ran.is_done(0), "{:?}", ran.lines);
    let rejects: Vec<Value> = world.lines("refused/").iter().map(|it| it["raw"].clone()).collect();
    assert_eq!(rejects, [bad(12), bad(33)]);
}

/// Without any key: the function's own role vouches for it.
#[test]
fn the_role_of_the_function_is_enough() {
    let Some(world) = World::new() else { return };
    let file = world.write("federation.json", &tokens::aws_account(&world.fake.url).to_string());
    world.put("a.gz", &lines(0..5, &[]));
    let direct = [notification(&["in/a.gz"])];
    let session = ("AWS_SESSION_TOKEN", super::aws::TOKEN);
    let ran = world.invoke(&[("UDMAP_SEND_CREDENTIALS", &file), session], &direct, MINUTES);
    assert!(ran.answers[0].is_ok(), "{:?}", ran.answers);
    assert_eq!((world.fake.tokens(), world.arrived().len()), (vec!["exchange"], 5));
}

#[test]
fn what_is_wrong_is_said_and_nothing_is_sent() {
    let Some(world) = World::new() else { return };
    world.put("a.gz", &lines(0..5, &[]));
    let told = [messages(&[("a", body(&["a.gz"]))])];
    let elsewhere = ("AWS_ENDPOINT_URL_SECRETS_MANAGER", world.fake.url.as_str());
    for (changed, kind, words) in [
        (("UDMAP_INPUT", ""), "Config", "UDMAP_INPUT is missing"),
        (("UDMAP_MAPPING", "duo_telephony"), "Config", "UDMAP_OUTPUT is missing"),
        (("UDMAP_SEND_STATE", "s3://logs/in/state/"), "Config", "below an input"),
        (("UDMAP_SEND_SECRET_ARN", "duo"), "Config", "(UDMAP_SEND_SECRET_ARN) is not the ARN"),
        (("UDMAP_SEND_SECRET_ARN", SECRET_ARN), "Config", "can't be had"),
    ] {
        let ran = world.invoke(&[changed, elsewhere], &told, MINUTES);
        let error = ran.answers[0].as_ref().expect_err(words);
        assert_eq!(error["errorType"], kind, "{error}");
        assert!(error["errorMessage"].as_str().expect("a text").contains(words), "{error}");
    }
    // Credentials that are none: each message fails, and what they hold is not told.
    let file = world.write("none.json", r#"{"type":"service_account","private_key":"hidden-key"}"#);
    let ran = world.invoke(&[("UDMAP_SEND_CREDENTIALS", &file)], &told, MINUTES);
    assert_eq!(ran.answers[0], failures(&["a"]));
    assert!(!format!("{:?}", ran.lines).contains("hidden-key"), "{:?}", ran.lines);
    assert!(world.arrived().is_empty() && world.s3.all("udm").is_empty());
}
