//! The Lambda function: the program `bootstrap` between a Lambda, a Duo, a Secrets Manager and an S3 of our own,
//! all on loopback.

pub(crate) mod aws;
mod objects;
mod send;

use crate::collect::duo::{Duo, Fault, HOST, IKEY, Record, SKEY, Switches, record, record_of};
use crate::collect::signature::Asked;
use crate::http::{Reply, serve};
use crate::support::json_lines;
use aws::{Bucket, Invocation, Runtime, Secrets};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const MINUTES: Duration = Duration::from_secs(300);

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis())
        .expect("a time")
}

/// A Duo with so many records in the last hours, which takes its time to answer; its URL.
fn duo(records: u64, pause: Duration) -> (Arc<Duo>, String) {
    let duo = Arc::new(Duo::new(Switches::default()));
    let start = now() - 10 * 3_600_000;
    duo.add((0..records).map(|n| record((start + n as i64 * 7_000) * 1000, n)));
    let answering = duo.clone();
    let url = serve(move |request| {
        std::thread::sleep(pause);
        let header = |name: &str| request.header(name).unwrap_or_default();
        let asked = Asked {
            method: &request.method,
            host: HOST,
            path: &request.path,
            query: &request.query,
            date: header("date"),
            authorization: header("authorization"),
        };
        answering.answer(&asked, now()).ok().map(|answer| Reply::new(answer.status, answer.body))
    });
    (duo, url)
}

/// What became of the invocations, and what the function printed.
struct Ran {
    results: Vec<Result<Value, Value>>,
    lines: Vec<Value>,
    stderr: String,
}

/// What the schedule says.
fn event() -> Value {
    json!({ "source": "aws.scheduler", "detail": {} })
}

/// Runs the function with this environment for invocations that have so much time each.
fn invoke(environment: &[(&str, &str)], times: &[Duration]) -> Ran {
    let runtime = Runtime::new(times.iter().map(|&time| Invocation { time, event: event() }).collect());
    let mut child = Command::new(env!("CARGO_BIN_EXE_bootstrap"))
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", runtime.address())
        .env("AWS_LAMBDA_FUNCTION_NAME", "udmap")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", aws::KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", aws::SECRET_KEY)
        .env("AWS_SESSION_TOKEN", aws::TOKEN)
        .env("UDMAP_ALLOW_ANY_HOST", "true")
        .env("UDMAP_REQUEST_INTERVAL", "0")
        .env("UDMAP_RETRY_WAIT", "10ms")
        .envs(environment.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the function starts");
    let results = times.iter().map(|_| runtime.result()).collect();
    child.kill().expect("the function ends");
    let output = child.wait_with_output().expect("its output");
    let stdout = String::from_utf8(output.stdout).expect("UTF-8");
    Ran { results, lines: json_lines(&stdout), stderr: String::from_utf8_lossy(&output.stderr).into_owned() }
}

/// Everything in a folder's objects, sorted by line.
fn delivered(folder: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    for day in std::fs::read_dir(folder).expect("the folder") {
        for file in std::fs::read_dir(day.expect("a day").path()).expect("a day") {
            let text = std::fs::read_to_string(file.expect("an object").path()).expect("an object");
            lines.extend(text.lines().map(str::to_owned));
        }
    }
    lines.sort();
    lines
}

/// Duo's keys in the environment, and objects on disk.
fn on_disk<'a>(url: &'a str, to: &'a str, state: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("UDMAP_API_URL", url),
        ("DUO_API_HOST", HOST),
        ("DUO_IKEY", IKEY),
        ("DUO_SKEY", SKEY),
        ("UDMAP_TO", to),
        ("UDMAP_STATE", state),
        ("UDMAP_COMPRESS", "none"),
    ]
}

fn paths(folder: &tempfile::TempDir) -> (String, String) {
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    (path("logs"), path("state.json"))
}

#[test]
fn an_invocation_is_a_run_and_says_so_in_a_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let (to, state) = paths(&folder);
    let (duo, url) = duo(2_500, Duration::ZERO);
    let ran = invoke(&on_disk(&url, &to, &state), &[MINUTES, MINUTES]);
    assert_eq!(delivered(Path::new(&to)), duo.lines(now()), "{}", ran.stderr);

    let first = ran.results[0].as_ref().expect("a result");
    assert_eq!(
        (&first["outcome"], &first["records"], &first["objects"]),
        (&json!("done"), &json!(2500), &json!(3))
    );
    let second = ran.results[1].as_ref().expect("a result");
    assert_eq!((&second["outcome"], &second["records"]), (&json!("done"), &json!(0)));
    // What is returned is what is printed, and has what the template's metrics are made of.
    assert_eq!(ran.lines, [first.clone(), second.clone()]);
    for line in &ran.lines {
        assert_eq!(
            (&line["level"], &line["event"], &line["gap_seconds"]),
            (&json!("info"), &json!("collect"), &json!(0))
        );
        let age = line["watermark_age_seconds"].as_u64().expect("an age");
        assert!((100..300).contains(&age), "{line}");
    }
}

/// Of several logs each has a line, and one more is about all: what is returned, and what alarms look at.
#[test]
fn several_logs_have_a_line_each_and_one_for_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let (to, state) = (path("duo-{log}"), path("{log}.json"));
    let (duo, url) = duo(10, Duration::ZERO);
    duo.add((0..7).map(|n| record_of("activity", (now() - 3_600_000 + n as i64 * 1000) * 1000, n)));
    let mut environment = on_disk(&url, &to, &state);
    environment.push(("UDMAP_LOGS", "telephony,activity"));
    let ran = invoke(&environment, &[MINUTES]);
    let whole = ran.results[0].as_ref().expect("a result");
    assert_eq!(
        (&whole["event"], &whole["records"], &whole["log"]),
        (&json!("collect"), &json!(17), &Value::Null)
    );
    let mut logs: Vec<_> = ran
        .lines
        .iter()
        .map(|line| (line["event"].clone(), line["log"].clone(), line["records"].clone()))
        .collect();
    logs.sort_by_key(|(_, log, _)| log.to_string());
    assert_eq!(
        logs,
        [
            (json!("collect-log"), json!("activity"), json!(7)),
            (json!("collect-log"), json!("telephony"), json!(10)),
            (json!("collect"), Value::Null, json!(17)),
        ],
        "{}",
        ran.stderr
    );
    assert_eq!(ran.lines.last(), Some(whole));
    assert_eq!(
        (
            delivered(&folder.path().join("duo-activity")).len(),
            delivered(&folder.path().join("duo-telephony")).len()
        ),
        (7, 10)
    );
}

#[cfg(debug_assertions)]
#[test]
fn a_panic_is_a_failing_invocation() {
    let folder = tempfile::tempdir().expect("a folder");
    let (to, state) = paths(&folder);
    let mut environment = on_disk("http://127.0.0.1:9", &to, &state);
    environment.push(("UDMAP_PANIC", "collect"));
    let ran = invoke(&environment, &[MINUTES, MINUTES]);
    assert!(ran.results.iter().all(Result::is_err), "{:?}", ran.results);
    assert_eq!(ran.stderr.matches("a fault of udmap itself at src/").count(), 2, "{}", ran.stderr);
}

#[test]
fn a_failing_run_is_a_failing_invocation() {
    let folder = tempfile::tempdir().expect("a folder");
    let (to, state) = paths(&folder);
    let (duo, url) = duo(2_500, Duration::ZERO);
    let forbidden = r#"{"stat":"FAIL","code":40301,"message":"Access forbidden"}"#;
    duo.faults(move |n| (n == 2).then(|| Fault::Answer(403, forbidden.into(), None)));
    let ran = invoke(&on_disk(&url, &to, &state), &[MINUTES, MINUTES]);

    let error = ran.results[0].as_ref().expect_err("an error");
    assert_eq!(error["errorType"], "Refused", "{error}");
    assert!(error["errorMessage"].as_str().is_some_and(|text| text.contains("Grant read log")), "{error}");
    let line = &ran.lines[0];
    assert_eq!(
        (&line["level"], &line["outcome"], &line["records"]),
        (&json!("error"), &json!("failed"), &json!(1000))
    );
    assert!(line["error"].is_string() && line["hint"].is_string(), "{line}");
    // The page before stays delivered, and the next invocation goes on behind it.
    assert_eq!(ran.results[1].as_ref().expect("a result")["records"], 1500);
    assert_eq!(delivered(Path::new(&to)), duo.lines(now()));
    let said = format!("{:?}{}", ran.lines, ran.stderr);
    assert!(!said.contains(SKEY) && !said.contains(IKEY), "{said}");
}

#[test]
fn the_deadline_ends_a_run_between_two_pages() {
    let folder = tempfile::tempdir().expect("a folder");
    let (to, state) = paths(&folder);
    let (duo, url) = duo(2_500, Duration::from_millis(4_500));
    // Ten seconds are kept for the end, and ten for a page: four are left in which the first page may begin.
    let ran = invoke(&on_disk(&url, &to, &state), &[Duration::from_secs(24), MINUTES]);
    let first = ran.results[0].as_ref().expect("no error");
    assert_eq!((&first["outcome"], &first["records"]), (&json!("deadline"), &json!(1000)), "{first}");
    let second = ran.results[1].as_ref().expect("no error");
    assert_eq!((&second["outcome"], &second["records"]), (&json!("done"), &json!(1500)), "{second}");
    assert_eq!(delivered(Path::new(&to)), duo.lines(now()));
}

/// The environment of the function that is replaced, with its state where its example has it.
#[test]
fn the_old_environment_and_its_state_are_taken_over() {
    let (duo, url) = duo(2_500, Duration::ZERO);
    let middle = now() - 10 * 3_600_000 + 500 * 7_000;
    let bucket = Bucket::new();
    let old = json!({ "last_offset": null, "last_timestamp_ms": middle });
    bucket.put("duo-telephony-logs/duo-telephony/state.json", old.to_string());
    let environment = [
        ("UDMAP_API_URL", &url[..]),
        ("AWS_ENDPOINT_URL", bucket.url()),
        ("AWS_ALLOW_HTTP", "true"),
        ("S3_BUCKET", "duo-telephony-logs"),
        ("S3_PREFIX", "duo-telephony/"),
        ("STATE_KEY", "duo-telephony/state.json"),
        ("DUO_IKEY", IKEY),
        ("DUO_SKEY", SKEY),
        ("DUO_API_HOST", HOST),
        ("MAX_ITERATIONS", "1"),
        ("UDMAP_COMPRESS", "none"),
    ];
    let ran = invoke(&environment, &[MINUTES; 4]);
    assert!(ran.results.iter().all(Result::is_ok), "{:?}", ran.results);
    assert_eq!((&ran.lines[0]["outcome"], &ran.lines[0]["records"]), (&json!("max-pages"), &json!(1000)));
    let notes = ran.lines[0]["notes"].to_string();
    assert!(notes.contains("lies under") && notes.contains("took over"), "{notes}");
    assert_eq!(ran.lines[0]["level"], "warning");
    let mut lines = bucket.lines("duo-telephony-logs/duo-telephony/dt=");
    lines.sort();
    let newer: Vec<String> =
        duo.lines(now()).into_iter().filter(|line| !duo.lines(middle - 1).contains(line)).collect();
    assert_eq!(lines, newer);
}

#[test]
fn keys_come_from_secrets_manager() {
    let folder = tempfile::tempdir().expect("a folder");
    let (to, state) = paths(&folder);
    let (_, url) = duo(10, Duration::ZERO);
    let value = json!({ "ikey": IKEY, "skey": SKEY, "api_host": HOST }).to_string();
    let secrets = Secrets::new(&value);
    let environment = [
        ("UDMAP_API_URL", &url[..]),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets.url()),
        ("DUO_SECRET_ARN", aws::SECRET_ARN),
        ("UDMAP_TO", &to[..]),
        ("UDMAP_STATE", &state[..]),
        ("UDMAP_COMPRESS", "none"),
    ];
    let ran = invoke(&environment, &[MINUTES]);
    assert_eq!(ran.results[0].as_ref().map(|line| &line["records"]), Ok(&json!(10)), "{:?}", ran.lines);
    // The first answer is a 503: it is asked again.
    assert_eq!(secrets.asked(), 2);

    let other = aws::SECRET_ARN.replace("duo", "other");
    let table = [
        (&other[..], "AccessDeniedException", "secretsmanager:GetSecretValue"),
        ("duo", "is not the ARN of a secret", "as in arn:aws:"),
    ];
    for (arn, words, hint) in table {
        let mut environment = environment;
        environment[2].1 = arn;
        let ran = invoke(&environment, &[MINUTES]);
        let error = ran.results[0].as_ref().expect_err("an error")["errorMessage"].to_string();
        assert!(error.contains(words) && error.contains(hint), "{error}");
    }
}

#[test]
fn events_are_written_beside_the_logs_if_it_is_asked_to_convert() {
    let folder = tempfile::tempdir().expect("a folder");
    let (to, state) = paths(&folder);
    let (duo, url) = duo(10, Duration::ZERO);
    duo.add([Record {
        json: r#"{"telephony_id":"x","ts":null}"#.into(),
        ..record((now() - 3_600_000) * 1000, 10)
    }]);
    let mut environment = on_disk(&url, &to, &state);
    environment.extend([("UDMAP_CONVERT", "yes"), ("UDMAP_DECORATE", "yes")]);
    let ran = invoke(&environment, &[MINUTES]);
    assert_eq!(ran.results[0].as_ref().map(|line| &line["records"]), Ok(&json!(11)), "{:?}", ran.lines);
    assert_eq!(delivered(Path::new(&to)).len(), 11);
    let events = delivered(&folder.path().join("udm-logs"));
    assert!(events.len() == 10 && events.iter().all(|event| event.contains(HOST)), "{events:?}");
    let rejects = delivered(&folder.path().join("rejects-logs"));
    assert!(rejects.len() == 1 && rejects[0].contains("no-timestamp"), "{rejects:?}");

    environment.push(("UDMAP_CONVERT", "perhaps"));
    let error = invoke(&environment, &[MINUTES]).results[0].clone().expect_err("an error");
    assert!(error["errorMessage"].to_string().contains("UDMAP_CONVERT"), "{error}");
}

/// Whatever hangs, Lambda hears of it before it would end the process without a word.
#[test]
fn a_run_that_hangs_is_given_up_in_time() {
    let (_, url) = duo(10, Duration::ZERO);
    let silent = serve(|_| {
        std::thread::sleep(MINUTES);
        None
    });
    let mut environment = on_disk(&url, "s3://bucket/logs/", "s3://bucket/state.json");
    environment.extend([("AWS_ENDPOINT_URL", &silent[..]), ("AWS_ALLOW_HTTP", "true")]);
    let ran = invoke(&environment, &[Duration::from_secs(3)]);
    let error = ran.results[0].as_ref().expect_err("an error")["errorMessage"].to_string();
    assert!(error.contains("no end of the run") && error.contains("timeout"), "{error}");
    assert_eq!(ran.lines[0]["outcome"], "failed");
}
