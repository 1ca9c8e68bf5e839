//! Objects converted by the function, against moto's S3: by messages of a queue and by batches of a
//! Distributed Map, told once, twice and at once.

use super::aws::{Invocation, Runtime};
use crate::s3::{Objects, S3, SECRET};
use crate::support::json_lines;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use udmap::lab::{Generator, Mix};

const MINUTES: Duration = Duration::from_secs(300);
const RECORDS: u64 = 200;

/// Logs by their keys, some of them compressed, with names that notifications must encode.
fn logs() -> Objects {
    let mix: Mix = "v2=60,v1=20,awkward=10,broken=10".parse().expect("a mix");
    let log = |seed| Generator::records(seed, &mix, RECORDS);
    let names =
        ["in/a.ndjson", "in/b b/c+d.gz", "in/ü/#1%20.log.gz", "in/x=1&y/z?.gz", "in/..x/e.ndjson", "in/f.gz"];
    let mut logs: Objects =
        names.iter().zip(0..).map(|(name, seed)| ((*name).to_owned(), log(seed))).collect();
    for (name, log) in &mut logs {
        if name.ends_with(".gz") {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
            gzip.write_all(log).expect("compressed");
            *log = gzip.finish().expect("compressed");
        }
    }
    logs
}

fn server(logs: &Objects) -> Option<S3> {
    let s3 = S3::start()?;
    logs.iter().for_each(|(key, bytes)| s3.put("logs", key, bytes));
    Some(s3)
}

fn encoded(key: &str) -> String {
    // As S3 does: what a form would encode, but for slashes.
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-_.*".contains(&b);
    let encode = |b: u8| match b {
        b' ' => "+".to_owned(),
        b if plain(b) => char::from(b).to_string(),
        b => format!("%{b:02X}"),
    };
    key.bytes().map(encode).collect()
}

pub(super) fn notification(keys: &[&str]) -> Value {
    let record = |key: &&str| {
        json!({ "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {
            "bucket": { "name": "logs" }, "object": { "key": encoded(key), "size": 1 } } })
    };
    json!({ "Records": keys.iter().map(record).collect::<Vec<_>>() })
}

/// Messages of a queue, each with one body.
pub(super) fn messages(bodies: &[(&str, String)]) -> Value {
    let message = |(id, body): &(&str, String)| json!({ "eventSource": "aws:sqs", "messageId": id, "receiptHandle": "r", "body": body });
    json!({ "Records": bodies.iter().map(message).collect::<Vec<_>>() })
}

/// A message for each object.
fn one_each(logs: &Objects) -> Value {
    let bodies: Vec<(&str, String)> =
        logs.keys().map(|key| (key.as_str(), notification(&[key]).to_string())).collect();
    messages(&bodies)
}

/// The function, with invocations that it will be given.
pub(super) struct Function {
    child: Child,
    runtime: Runtime,
}

impl Function {
    /// The function that converts.
    fn start(s3: &S3, changed: &[(&str, &str)], events: &[Value], time: Duration) -> Function {
        let mut environment = vec![
            ("UDMAP_FUNCTION", "convert"),
            ("UDMAP_INPUT", "s3://logs/in/"),
            ("UDMAP_OUTPUT", "s3://udm/events/"),
            ("UDMAP_REJECTS", "s3://udm/rejects/"),
        ];
        environment.extend(changed);
        Function::with(s3, &environment, events, time)
    }

    /// The function with this environment; each invocation has so much time.
    pub(super) fn with(s3: &S3, environment: &[(&str, &str)], events: &[Value], time: Duration) -> Function {
        let invocations = events.iter().map(|event| Invocation { time, event: event.clone() }).collect();
        let runtime = Runtime::new(invocations);
        let child = Command::new(env!("CARGO_BIN_EXE_bootstrap"))
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", runtime.address())
            .env("AWS_LAMBDA_FUNCTION_NAME", "udmap")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .env("AWS_ENDPOINT_URL", &s3.endpoint)
            .env("AWS_ALLOW_HTTP", "true")
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the function starts");
        Function { child, runtime }
    }

    pub(super) fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("killed");
    }

    /// What it answers, and all that it prints.
    pub(super) fn said(mut self, answers: usize) -> (Vec<Result<Value, Value>>, String, String) {
        let answers = (0..answers).map(|_| self.runtime.result()).collect();
        self.child.kill().expect("the function ends");
        let output = self.child.wait_with_output().expect("its output");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (answers, text(output.stdout), text(output.stderr))
    }

    /// What it answers, and the lines that it prints.
    fn end(self, answers: usize) -> (Vec<Result<Value, Value>>, Vec<Value>) {
        let (answers, stdout, _) = self.said(answers);
        (answers, json_lines(&stdout))
    }
}

fn invoke(s3: &S3, events: &[Value]) -> (Vec<Result<Value, Value>>, Vec<Value>) {
    Function::start(s3, &[], events, MINUTES).end(events.len())
}

/// The outputs, and the lines of all manifests.
fn outputs(s3: &S3) -> (Objects, BTreeSet<String>, usize) {
    let (manifests, outputs): (Objects, Objects) =
        s3.all("udm").into_iter().partition(|(key, _)| key.starts_with("events/manifest/"));
    let text: String = manifests.values().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect();
    // How parts end is not the same: the function writes one for each object.
    let lines = text.lines().map(|line| match line.find(",\"end\":{") {
        Some(end) => format!("{}}}", &line[..end]),
        None => line.to_owned(),
    });
    (outputs, lines.collect(), text.lines().count())
}

/// What `udmap convert` makes of the same objects.
fn by_command(logs: &Objects) -> Option<(Objects, BTreeSet<String>, usize)> {
    let s3 = server(logs)?;
    let places =
        ["convert", "s3://logs/in/", "-o", "s3://udm/events/", "--rejects", "s3://udm/rejects/", "-q"];
    let status = s3.udmap().args(places).status().expect("the command");
    assert_eq!(status.code(), Some(1), "there are rejects");
    Some(outputs(&s3))
}

#[test]
fn objects_are_converted_as_the_command_does_whoever_tells_of_them_how_often() {
    let logs = logs();
    let Some(want) = by_command(&logs) else { return };
    assert_eq!((want.0.len(), want.2), (2 * logs.len(), logs.len()));
    let Some(s3) = server(&logs) else { return };
    let all = one_each(&logs);
    let keys: Vec<&str> = logs.keys().map(String::as_str).collect();
    let items: Vec<Value> = keys.iter().map(|key| json!({ "Key": key, "Size": 1 })).collect();
    let batch = json!({ "Items": items, "BatchInput": { "bucket": "logs", "encoded": false } });
    let inventory: Vec<Value> =
        keys.iter().map(|key| json!({ "Bucket": "logs", "Key": encoded(key) })).collect();
    let inventory = json!({ "Items": inventory, "BatchInput": { "bucket": "logs", "encoded": true } });
    // Delivered, delivered again, told of by S3 itself, and by both kinds of batch.
    let (answers, lines) =
        invoke(&s3, &[all.clone(), all.clone(), notification(&keys), batch.clone(), inventory]);
    for answer in &answers[..2] {
        assert_eq!(answer, &Ok(json!({ "batchItemFailures": [] })));
    }
    assert_eq!(outputs(&s3), want);
    let (n, records) = (logs.len(), RECORDS * logs.len() as u64);
    assert_eq!((&lines[0]["converted"], &lines[0]["records"]), (&json!(n), &json!(records)), "{}", lines[0]);
    assert_eq!(
        lines[0]["events"].as_u64().expect("a count") + lines[0]["rejects"].as_u64().expect("a count"),
        records
    );
    for line in &lines[1..] {
        let counts = (&line["level"], &line["objects"], &line["known"], &line["converted"]);
        assert_eq!(counts, (&json!("warning"), &json!(n), &json!(n), &json!(0)), "{line}");
        assert_eq!(line["known_rejects"], lines[0]["rejects"], "told again");
    }
    assert_eq!(answers[3].as_ref().expect("an answer"), &lines[3]);

    // A run over the prefix finds it all done, and a manifest of all is right.
    let before = s3.all("udm");
    let places = ["convert", "s3://logs/in/", "-o", "s3://udm/events/", "--rejects", "s3://udm/rejects/"];
    let output = s3.udmap().args(places).output().expect("the command");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "there are rejects: {said}");
    assert!(said.contains(" 0 converted, "), "{said}");
    assert_eq!(s3.all("udm"), before);
    let deep = ["verify", "s3://udm/events/manifest/", "--deep"];
    let output = s3.udmap().args(deep).output().expect("the command");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    // An object that is written anew is another one; of what is gone there is nothing to do.
    s3.put("logs", "in/a.ndjson", &Generator::records(99, &Mix::default(), 10));
    let told = notification(&["in/a.ndjson", "in/never.gz", "in/folder/"]);
    let (answers, lines) = invoke(&s3, &[told]);
    let counts = [&lines[0]["converted"], &lines[0]["gone"], &lines[0]["left"], &lines[0]["level"]];
    assert_eq!(counts, [&json!(1), &json!(1), &json!(1), &json!("warning")], "{answers:?}");
    assert_eq!(outputs(&s3).2, n + 1);
}

#[test]
fn any_number_at_once_and_killed_at_any_moment() {
    let logs = logs();
    let Some(want) = by_command(&logs) else { return };
    let Some(s3) = server(&logs) else { return };
    let all = one_each(&logs);
    for wait in [30, 120, 250] {
        let function = Function::start(&s3, &[("UDMAP_JOBS", "2")], std::slice::from_ref(&all), MINUTES);
        std::thread::sleep(Duration::from_millis(wait));
        function.kill();
    }
    let functions: Vec<Function> =
        (0..4).map(|_| Function::start(&s3, &[], &[all.clone(), all.clone()], MINUTES)).collect();
    for function in functions {
        for answer in function.end(2).0 {
            assert_eq!(answer, Ok(json!({ "batchItemFailures": [] })));
        }
    }
    assert_eq!(outputs(&s3), want);
}

#[test]
fn what_fails_goes_back_alone() {
    let mut logs = logs();
    let cut = logs["in/f.gz"].len() / 2;
    logs.get_mut("in/f.gz").expect("it is there").truncate(cut);
    let Some(s3) = server(&logs) else { return };
    let body = |keys: &[&str]| notification(keys).to_string();
    let event = messages(&[
        ("good", body(&["in/a.ndjson"])),
        ("damaged", body(&["in/b b/c+d.gz", "in/f.gz"])),
        ("elsewhere", body(&["other/x.gz"])),
        ("no-json", "{".to_owned()),
        ("test", json!({ "Event": "s3:TestEvent" }).to_string()),
        ("also-good", body(&["in/x=1&y/z?.gz"])),
    ]);
    let batch = json!({ "Items": [{ "Key": "in/f.gz" }, { "Key": "in/ü/#1%20.log.gz" }], "BatchInput": { "bucket": "logs" } });
    let (answers, lines) = invoke(&s3, &[event, batch, json!({ "what": "else" })]);
    let failed = ["damaged", "elsewhere", "no-json"].map(|id| json!({ "itemIdentifier": id }));
    assert_eq!(answers[0], Ok(json!({ "batchItemFailures": failed })));
    assert_eq!((&lines[0]["converted"], &lines[0]["failed"]), (&json!(3), &json!(2)), "{}", lines[0]);
    assert_eq!(lines[0]["level"], "error");
    let said = lines[0]["errors"].to_string();
    for words in ["s3://logs/in/f.gz", "corrupt or cut short", "below none of the inputs", "not valid JSON"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let error = answers[1].as_ref().expect_err("one of the batch failed");
    assert_eq!(error["errorType"], "ObjectsFailed");
    assert!(error["errorMessage"].as_str().expect("a text").contains("in/f.gz"), "{error}");
    // The other of the batch is converted all the same.
    assert_eq!(lines[1]["converted"], 1);
    assert!(answers[2].is_err());
    assert_eq!(outputs(&s3).2, 4);
    assert!(!outputs(&s3).0.keys().any(|key| key.contains("/f.")), "nothing of what is damaged");
}

#[test]
fn settings_and_time_are_said() {
    let logs = logs();
    let Some(s3) = server(&logs) else { return };
    let all = [one_each(&logs)];
    for (changed, words) in [
        (("UDMAP_INPUT", ""), "UDMAP_INPUT is missing"),
        (("UDMAP_MAPPING", "duo_telefony"), "did you mean `duo_telephony`"),
        (("UDMAP_OUTPUT", "s3://logs/in/"), "it is both input and output"),
    ] {
        let (answers, _) = Function::start(&s3, &[changed], &all, MINUTES).end(1);
        let error = answers[0].as_ref().expect_err(words);
        assert_eq!(error["errorType"], "Config", "{error}");
        assert!(error["errorMessage"].as_str().expect("a text").contains(words), "{error}");
    }
    // No time at all: every message goes back, and nothing is written.
    let (answers, lines) = Function::start(&s3, &[], &all, Duration::from_millis(1)).end(1);
    let answer = answers[0].as_ref().expect("an answer");
    assert_eq!(answer["batchItemFailures"].as_array().map(Vec::len), Some(logs.len()), "{answer}");
    assert!(lines[0]["errors"].to_string().contains("raise the function's timeout"), "{}", lines[0]);
    assert!(outputs(&s3).0.is_empty());
}
