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

/// What a person looks for: when there were no records, which phones cost most, what comes twice, what is rejected and
/// where.
#[test]
fn it_says_what_is_looked_for() {
    let record = |day: u64, hour: u64, n: u64, credits: &str| {
        format!(
            r#"{{"context":"enrollment","credits":{credits},"phone":"+1555{:02}","telephony_id":"id{n}","ts":"2024-01-{day:02}T{hour:02}:30:00Z"}}"#,
            n % 4
        ) + "\n"
    };
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("first.ndjson"), folder.path().join("second.ndjson"));
    // Monday the first, then Thursday and Friday.
    let mut log: String = (0..10).map(|n| record(1, 9, n, "1.5")).collect();
    log += "no JSON\n";
    log += &record(4, 23, 3, "100");
    log += "{\"context\":\"x\"}\n";
    fs::write(&first, log).unwrap();
    let host =
        r#"{"context":"c","host":"h","credits":"many","telephony_id":"id3","ts":"2024-01-05T00:00:00Z"}"#;
    fs::write(&second, format!("{{\"ts\":\"yesterday\"}}\n{host}\n{{}}\n{{}}\n")).unwrap();
    let files = [first.to_str().unwrap(), second.to_str().unwrap()];
    let run = run(&["profile", files[0], files[1], "--json", "-q"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let got: Value = serde_json::from_str(&run.stdout).unwrap();

    let days: Vec<&str> =
        got["times"].as_array().unwrap().iter().map(|it| it["from"].as_str().unwrap()).collect();
    assert_eq!(days, ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"]);
    assert_eq!(got["empty_days"]["days"], 2);
    assert_eq!(got["empty_days"]["ranges"], serde_json::json!([["2024-01-02", "2024-01-03"]]));
    // Monday at 9, Thursday at 23, Friday at 0.
    assert_eq!(
        (&got["hours"][0][9], &got["hours"][3][23], &got["hours"][4][0]),
        (&10.into(), &1.into(), &1.into())
    );
    let in_all: u64 = got["hours"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|it| it.as_array().unwrap())
        .filter_map(Value::as_u64)
        .sum();
    assert_eq!(in_all, 12);

    let sum = &got["sums"][0];
    assert_eq!((&sum["field"], &sum["by"], &sum["total"]), (&"credits".into(), &"phone".into(), &115.into()));
    assert_eq!((&sum["records"], &sum["not_numbers"], &sum["values"]), (&11.into(), &1.into(), &4.into()));
    assert_eq!(sum["by_time"], serde_json::json!([15, 0, 0, 100, 0]));
    assert_eq!(sum["highest_days"][0], serde_json::json!(["2024-01-04", 100]));
    let highest = serde_json::json!({"value": "+155503", "sum": 103, "records": 3});
    assert_eq!((&sum["highest"][0], &sum["missing"]), (&highest, &Value::Null));

    let repeated = &got["repeated"][0];
    assert_eq!(
        (&repeated["field"], &repeated["values"], &repeated["records"]),
        (&"telephony_id".into(), &1.into(), &3.into())
    );
    assert_eq!(repeated["examples"], serde_json::json!([["id3", 3]]));
    assert_eq!(repeated["is_lower_bound"], false);

    let reasons: Vec<(&str, u64, String)> = got["reject_reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            (it["reason"].as_str().unwrap(), it["rejects"].as_u64().unwrap(), it["by_time"].to_string())
        })
        .collect();
    // Those without a time count with their neighbours.
    let want = [
        ("no-timestamp", 3, "[0,0,0,1,2]".to_owned()),
        ("invalid-json", 1, "[1,0,0,0,0]".to_owned()),
        ("bad-timestamp", 1, "[0,0,0,0,1]".to_owned()),
    ];
    assert_eq!(reasons, want);
    let example = &got["reject_reasons"][1]["first"];
    assert_eq!((&example["input"], &example["line"]), (&files[0].into(), &11.into()));
    assert!(example["message"].as_str().unwrap().starts_with("not valid JSON"), "{example}");
    let inputs = got["reject_inputs"].as_array().unwrap();
    assert_eq!((&inputs[0]["input"], &inputs[0]["rejects"]), (&files[1].into(), &3.into()));
    assert_eq!(inputs[0]["by_reason"], serde_json::json!({"bad-timestamp": 1, "no-timestamp": 2}));
    assert_eq!((&inputs[1]["rejects"], &got["more_reject_inputs"]), (&2.into(), &0.into()));

    let types: Vec<(&str, String)> = got["event_types"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["event_type"].as_str().unwrap(), it["by_time"].to_string()))
        .collect();
    assert_eq!(
        types,
        [("GENERIC_EVENT", "[10,0,0,1,0]".to_owned()), ("USER_UNCATEGORIZED", "[0,0,0,0,1]".to_owned())]
    );
    let flows: Vec<(&str, &str, u64)> = got["flows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["from"].as_str().unwrap(), it["to"].as_str().unwrap(), it["events"].as_u64().unwrap()))
        .collect();
    assert_eq!(flows[0], ("context", "metadata.product_event_type", 12));
    assert!(flows.contains(&("phone", "principal.user.userid", 11)), "{flows:?}");
    assert!(flows.contains(&("credits", "security_result[0].detection_fields[] (credits)", 12)), "{flows:?}");

    let bare = crate::support::run(&["profile", files[0], files[1], "--json", "-q", "--no-values"]);
    let bare: Value = serde_json::from_str(&bare.stdout).unwrap();
    assert_eq!(bare["sums"][0]["highest"], serde_json::json!([]));
    assert_eq!(bare["repeated"][0]["examples"], serde_json::json!([]));
    assert_eq!(bare["reject_reasons"][0]["first"].get("message"), None);
    assert_eq!(bare["sums"][0]["total"], 115);
}

/// Of mixed logs, each table looks at its own records.
#[test]
fn each_table_of_a_set_has_its_own_sums() {
    let log = concat!(
        r#"{"telephony_id":"a","credits":2,"phone":"+1","ts":"2024-01-01T00:00:00Z","context":"c","type":"sms"}"#,
        "\n",
        r#"{"txid":"a","event_type":"authentication","credits":7,"timestamp":1704067200,"result":"success","user":{"name":"u"},"factor":"f"}"#,
        "\n",
    );
    let got = profile(&log.repeat(2), &["--mapping", "duo"]);
    let sums = got["sums"].as_array().unwrap();
    assert_eq!((sums.len(), &sums[0]["table"], &sums[0]["total"]), (1, &"duo_telephony".into(), &4.into()));
    let mut repeated: Vec<String> = got["repeated"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| format!("{} {} {}", it["table"].as_str().unwrap(), it["field"], it["examples"]))
        .filter(|it| it.ends_with("]]"))
        .collect();
    repeated.sort();
    assert_eq!(repeated, [r#"duo_auth "txid" [["a",2]]"#, r#"duo_telephony "telephony_id" [["a",2]]"#]);
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
    let about = ["-</code>", "duo_<wbr>telephony", " UTC by udmap ", "2024-01-01T00:00:00Z to 2024-04-29"];
    for words in about {
        assert!(page.contains(words), "{words}");
    }
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
