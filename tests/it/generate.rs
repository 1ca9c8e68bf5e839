//! `udmap generate`: the same logs for the same seed, also over a year with working hours.

use crate::support::{json_lines, run, run_with};
use chrono::{DateTime, Datelike as _, FixedOffset, Timelike as _};

#[test]
fn generate_is_reproducible() {
    let make = |seed: &str| {
        run(&["generate", "--records", "300", "--seed", seed, "--mix", "v1=2,v2,awkward"]).stdout
    };
    assert_eq!(make("9"), make("9"));
    assert_ne!(make("9"), make("10"));
    assert_eq!(run(&["generate", "--records", "300"]).stdout.lines().count(), 300);
    assert_eq!(run(&["generate", "--records", "0"]).stdout, "");
}

/// The bytes that this seed has given ever since: benchmarks and reports name them.
#[test]
fn without_a_range_nothing_has_changed() {
    let made = run(&["generate", "--records", "1000", "--seed", "7"]).stdout;
    let expected = "74096abfea0ddd6b5ba42e9be33ac92b5997b4b0347b1a19419f4d1bb90ab46d";
    assert_eq!(crate::dump::sha256(made.as_bytes()), expected);
}

/// The times of the events of generated records, and the log.
fn times(args: &[&str]) -> (Vec<DateTime<FixedOffset>>, String) {
    let log = run(&[&["generate"], args].concat());
    assert_eq!(log.status, 0, "{args:?}: {}", log.stderr);
    let events = run_with(log.stdout.as_bytes(), &["convert", "-", "-q"]);
    assert_eq!(events.status, 0, "{args:?}: {}", events.stderr);
    let time = |event: &serde_json::Value| {
        DateTime::parse_from_rfc3339(event["metadata"]["event_timestamp"].as_str().expect("a time"))
            .expect("a time")
    };
    (json_lines(&events.stdout).iter().map(time).collect(), log.stdout)
}

/// A year: so many records, in order, in the range, and most of them in working hours where they work.
#[test]
fn a_year_has_working_hours() {
    let year = ["--records", "20000", "--from", "2025-01-01", "--until", "2026-01-01", "--utc-offset"];
    for (offset, hours, zone) in
        [("+01:00", (8..18), 3600), ("-05:30", (8..18), -5 * 3600 - 1800), ("Z", (8..18), 0)]
    {
        let (times, log) = times(&[&year[..], &[offset]].concat());
        assert_eq!((times.len(), log.lines().count()), (20_000, 20_000));
        assert!(times.is_sorted(), "{offset}");
        let (first, last) = (times[0].to_rfc3339(), times[19_999].to_rfc3339());
        assert!(first.starts_with("2025-01-01T") && last.starts_with("2025-12-31T"), "{first} {last}");
        let zone = FixedOffset::east_opt(zone).expect("an offset");
        let local: Vec<DateTime<FixedOffset>> = times.iter().map(|time| time.with_timezone(&zone)).collect();
        let share = |is: &dyn Fn(&DateTime<FixedOffset>) -> bool| {
            local.iter().filter(|time| is(time)).count() as f64 / local.len() as f64
        };
        let weekend = |time: &DateTime<FixedOffset>| time.weekday().number_from_monday() > 5;
        let working = share(&|time| !weekend(time) && hours.contains(&time.hour()));
        let night = share(&|time| !weekend(time) && !(6..22).contains(&time.hour()));
        assert!((0.78..0.84).contains(&working), "{offset}: {working} in working hours");
        assert!((0.01..0.06).contains(&night), "{offset}: {night} at night");
        assert!((0.03..0.08).contains(&share(&weekend)), "{offset}: {} at weekends", share(&weekend));
        // Each month has its part of them.
        for month in 1..=12 {
            let part = share(&|time| time.month() == month);
            assert!((0.07..0.10).contains(&part), "{offset}: {part} in month {month}");
        }
    }
    let year = [&year[..], &["Z"]].concat();
    assert_eq!(times(&year).1, times(&year).1);
    assert_ne!(times(&year).1, times(&[&year[..], &["--seed", "1"]].concat()).1);
}

/// What `profile` shows of four weeks: nothing outside of them, and quiet weekends.
#[test]
fn profile_shows_the_week() {
    let log = run(&["generate", "--records", "4000", "--from", "2026-03-02", "--until", "2026-03-30"]).stdout;
    let profile = run_with(log.as_bytes(), &["profile", "-", "--json", "-q"]);
    let profile: serde_json::Value = serde_json::from_str(&profile.stdout).expect("JSON");
    let first = profile["first"].as_str().expect("a time");
    let last = profile["last"].as_str().expect("a time");
    assert!(first.starts_with("2026-03-02T") && last.starts_with("2026-03-"), "{first} {last}");
    let days = profile["times"].as_array().expect("a list");
    assert_eq!((&profile["outside"], days.len()), (&0.into(), 28), "{profile}");
    // The first day is a Monday.
    for (n, day) in days.iter().enumerate() {
        let records = day["records"].as_u64().expect("a number");
        let expected = if n % 7 < 5 { 150..250 } else { 5..60 };
        assert!(expected.contains(&records), "{day}");
    }
}

/// Any kind of line in any year that a record may have, in order where each record has a time of its own.
#[test]
fn ranges_of_any_size() {
    // CEF has no times before 1990.
    for (from, until, mix) in [
        ("0001-01-01", "9999-12-31T23:59:59.999999Z", "v1,v2,shuffled"),
        ("1969-12-31T23:59:00Z", "1970-01-01T00:01:00Z", "v1,v2,shuffled"),
        ("2026-03-07T03:00:00Z", "2026-03-07T03:00:01Z", "v1,v2,wrapped"),
    ] {
        let (times, _) = times(&["--records", "3000", "--from", from, "--until", until, "--mix", mix]);
        // Envelopes may be empty.
        let back = times.windows(2).find(|pair| pair[0] > pair[1]);
        assert!(
            (2_500..=3_000).contains(&times.len()) && back.is_none(),
            "{from}: {back:?} of {}",
            times.len()
        );
        let from = if from.len() == 10 { format!("{from}T00:00:00Z") } else { from.to_owned() };
        let limit = |text: &str| DateTime::parse_from_rfc3339(text).expect("a time");
        assert!(times[0] >= limit(&from) && times[times.len() - 1] < limit(until), "{from}");
    }
    let none = run(&["generate", "--records", "0", "--from", "2025-01-01", "--until", "2025-01-02"]);
    assert_eq!((none.status, none.stdout.as_str()), (0, ""));
    let table: [(&[&str], &str); 9] = [
        (&["--from", "2025-01-01"], "--until"),
        (&["--until", "2025-01-01"], "--from"),
        (&["--utc-offset", "+01:00"], "--from"),
        (&["--from", "30d", "--until", "2025-01-01"], "expected a date or a time such as `2025-01-01`"),
        (&["--from", "2025-01-01", "--until", "2025-01-01"], "expected `--from` at least a second before"),
        (
            &["--from", "9999-12-31T23:59:59Z", "--until", "9999-12-31T23:59:59.5Z"],
            "expected `--from` at least a second before",
        ),
        (
            &["--from", "2025-01-01T00:00:00.9Z", "--until", "2025-01-01T00:00:01.8Z"],
            "expected `--from` at least a second before",
        ),
        (&["--from", "0000-01-01", "--until", "2025-01-01"], "within the years 1 to 9999"),
        (&["--from", "2025-01-01", "--until", "2026-01-01", "--utc-offset", "1"], "expected `+01:00`"),
    ];
    for (args, words) in table {
        let wrong = run(&[&["generate", "--records", "1"], args].concat());
        assert!(wrong.status == 2 && wrong.stderr.contains(words), "{args:?}: {}", wrong.stderr);
    }
}
