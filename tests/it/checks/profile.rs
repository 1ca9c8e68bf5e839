//! `udmap profile` from outside.

use crate::support::{run, run_with};
use serde_json::Value;
use std::fs;
use udmap::lab::{Generator, Mix};

/// Two months of v1, then two of v2, with a context and a field that nobody documented.
fn log() -> String {
    let mut log = String::new();
    for day in 0..120_u64 {
        let seconds = 1_704_067_200 + day * 86_400;
        for n in 0..10 {
            let phone = format!("+1555{:06}", day * 10 + n);
            let context = if day == 100 && n < 3 { "passwordless" } else { "authentication" };
            log += &if day < 60 {
                format!(
                    r#"{{"context":"{context}","credits":{n},"phone":"{phone}","timestamp":{seconds},"type":"sms"}}"#
                )
            } else {
                let date = chrono_date(seconds);
                format!(
                    r#"{{"context":"{context}","credits":{n},"phone":"{phone}","ts":"{date}T00:00:00Z","type":"phone","extra":{{"a.b":null}}}}"#
                )
            };
            log += "\n";
        }
    }
    log + "{\"context\":\"enrollment\"}\nno JSON\n"
}

/// The date of a second in 2024, a leap year.
fn chrono_date(seconds: u64) -> String {
    let mut day = (seconds - 1_704_067_200) / 86_400;
    for (month, days) in [31, 29, 31, 30, 31].into_iter().enumerate() {
        if day < days {
            return format!("2024-{:02}-{:02}", month + 1, day + 1);
        }
        day -= days;
    }
    unreachable!("only the first months are asked for")
}

fn profile(log: &str, args: &[&str]) -> Value {
    let all = [&["profile", "-", "--json", "-q"], args].concat();
    let run = run_with(log.as_bytes(), &all);
    assert_eq!(run.status, 0, "{}", run.stderr);
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn it_says_what_is_there() {
    let got = profile(&log(), &[]);
    assert_eq!(
        (&got["records"], &got["rejects"]["no-timestamp"], &got["rejects"]["invalid-json"]),
        (&1202.into(), &1.into(), &1.into())
    );
    assert_eq!(got["first"], "2024-01-01T00:00:00Z");
    assert_eq!(got["last"], "2024-04-29T00:00:00Z");
    let shapes: Vec<_> = got["shapes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| (s["name"].as_str().unwrap(), s["records"].as_u64().unwrap()))
        .collect();
    assert_eq!(shapes, [("v1", 600), ("v2", 600), ("other", 1)]);
    assert_eq!(got["changes"][0], "from 2024-03 on, most records are v2 (v1 before)");
    assert_eq!(got["times"].as_array().unwrap().len(), 4);
    let field = |name: &str| {
        let fields = got["fields"].as_array().unwrap();
        fields.iter().find(|field| field["name"] == name).unwrap_or_else(|| panic!("{name}")).clone()
    };
    let phone = field("phone");
    assert_eq!(
        (&phone["present"], &phone["shortest"], &phone["longest"]),
        (&1200.into(), &11.into(), &11.into())
    );
    let distinct = phone["distinct"].as_u64().unwrap();
    assert!((1150..1250).contains(&distinct), "{distinct}");
    assert!(phone["values"].as_array().unwrap().is_empty());
    assert_eq!(field("credits")["types"]["number"], 1200);
    assert_eq!(field("credits")["distinct"], 10);
    let extra = field("extra.\"a.b\"");
    assert_eq!((&extra["read"], &extra["empty"]), (&false.into(), &600.into()));
    assert_eq!(field("type")["values"][0][1], 600);
    let new = &got["new_values"];
    assert_eq!(
        (&new[0]["field"], &new[0]["value"], &new[0]["records"]),
        (&"context".into(), &"passwordless".into(), &3.into())
    );
    let rules = got["rules"].as_array().unwrap();
    let rule = |part: &str| {
        rules.iter().find(|rule| rule["rule"].as_str().unwrap().contains(part)).unwrap()["events"].clone()
    };
    assert_eq!(rule("principal.hostname"), 0);
    assert_eq!(rule("the time in timestamp"), 600);
    assert_eq!(rule("GENERIC_EVENT otherwise"), 1200);
    assert!(
        profile(&log(), &["--no-values"])["fields"]
            .as_array()
            .unwrap()
            .iter()
            .all(|f| f["values"] == serde_json::json!([]))
    );
}

/// Threads change nothing but the time that it takes.
#[test]
fn threads_change_nothing() {
    let mix: Mix = "v2=5,v1=3,awkward,broken,wrapped".parse().unwrap();
    let log = String::from_utf8_lossy(&Generator::records(5, &mix, 20_000)).into_owned();
    let mut runs: Vec<Value> =
        ["1", "2", "5"].iter().map(|threads| profile(&log, &["--threads", threads])).collect();
    for run in &mut runs {
        run["seconds"] = 0.into();
    }
    assert_eq!(runs[0], runs[1]);
    assert_eq!(runs[0], runs[2]);
}

#[test]
fn tables_and_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("profile.html");
    let run = run_with(log().as_bytes(), &["profile", "-", "--html", page.to_str().unwrap()]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    for words in [
        "1,202 records",
        "shapes",
        "v1",
        "49.9%",
        "no rule reads it",
        "not documented: `context` = \"passwordless\"",
        "records by month",
        "2024-03",
        "never",
    ] {
        assert!(run.stdout.contains(words), "{words}: {}", run.stdout);
    }
    let page = fs::read_to_string(page).unwrap();
    for words in ["<svg", "prefers-color-scheme:dark", "@media print", "passwordless"] {
        assert!(page.contains(words), "{words}");
    }
    for never in ["http://", "https://", "<script", "src="] {
        assert!(!page.contains(never), "{never}");
    }
}

#[test]
fn nothing_and_what_cannot_be_read() {
    let got = profile("", &["--allow-empty"]);
    assert_eq!((&got["records"], &got["times"]), (&0.into(), &serde_json::json!([])));
    assert!(run_with(b"", &["profile", "-", "--html", "-"]).stdout.contains("No record has a time"));
    assert_eq!(run(&["profile", "no/such"]).status, 2);
}
