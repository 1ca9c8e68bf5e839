//! `--include` and `--exclude`: by the path below what was named, counted, and said once.

use super::bucket::Bucket;
use super::{LOG, log_events};
use crate::support::{Run, run};
use std::fs;

#[test]
fn files_and_objects_are_left_out_by_their_paths() {
    let events = log_events();
    let objects: [(&str, &[u8]); 4] = [
        ("in/a.ndjson", events.as_bytes()),
        ("in/b.txt", LOG.as_bytes()),
        ("in/sub/c.ndjson", events.as_bytes()),
        ("in/sub/d.txt", LOG.as_bytes()),
    ];
    let bucket = Bucket::with(&objects);
    let folder = tempfile::tempdir().unwrap();
    for (key, bytes) in objects {
        let file = folder.path().join(key);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
    for root in [folder.path().to_str().unwrap(), "s3://b"] {
        let run = |command: &[&str], input: &str, more: &[&str]| -> Run {
            let input = format!("{root}/{input}");
            bucket.run(&[command, &[input.as_str()], more].concat())
        };
        let said = |run: &Run| run.stderr.matches("left out").count();
        // Inputs, filters, events that are validated, and files left out.
        let table: &[(&str, &[&str], &str, &str)] = &[
            ("in", &["--include", "*.ndjson"], "4 events", "left out 2 files"),
            ("in/", &["--include", "*.ndjson", "--exclude", "sub/*"], "2 events", "left out 3 files"),
            ("in/sub", &["--include", "c*"], "2 events", "left out 1 file "),
            ("in/sub", &["--include", "sub/c*", "--allow-empty"], "0 events", "left out 2 files"),
            ("in/a.ndjson", &["--include", "nothing"], "2 events", ""),
        ];
        for (input, more, events, left_out) in table {
            let run = run(&["validate"], input, more);
            assert_eq!(run.status, 0, "{root} {input} {more:?} {}", run.stderr);
            assert!(
                run.stderr.contains(events) && run.stderr.contains(left_out),
                "{input} {more:?} {}",
                run.stderr
            );
            assert_eq!(said(&run), usize::from(!left_out.is_empty()), "{}", run.stderr);
        }
        let logs = &["--include", "*.txt"];
        assert_eq!(run(&["convert"], "in/", logs).stdout.lines().count(), 4);
        assert!(run(&["profile"], "in/", logs).stdout.contains("4 records"));
        assert_eq!(run(&["explain", "--json"], "in/", logs).stdout.lines().count(), 4);
        let both = format!("{root}/in/");
        let diff = bucket.run(&["diff", "--raw", &both, &format!("{root}/in/a.ndjson"), "--include", "b.*"]);
        assert_eq!(diff.status, 0, "{}{}", diff.stdout, diff.stderr);
        for command in ["convert", "validate", "profile", "explain"] {
            let run = run(&[command], "in/", &["--exclude", "*"]);
            assert_eq!(run.status, 3, "{command} {}", run.stderr);
            assert!(
                run.stderr.contains("warning: none of the 4 files in")
                    && run.stderr.contains("is wanted by `--include`"),
                "{command} {}",
                run.stderr
            );
        }
        // Quietly.
        assert_eq!(said(&run(&["validate", "-q"], "in/", &["--include", "*.ndjson"])), 0);
    }
}

/// What is not read of a folder is counted, once for all inputs, and not with `-q`.
#[cfg(unix)]
#[test]
fn what_is_skipped_in_folders_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for (set, text) in [("events", log_events()), ("again", log_events()), ("logs", LOG.to_owned())] {
        fs::create_dir(at(set)).unwrap();
        fs::write(at(&format!("{set}/a.ndjson")), text).unwrap();
        fs::write(at(&format!("{set}/.hidden")), "not JSON").unwrap();
        fs::create_dir(at(&format!("{set}/.folder"))).unwrap();
        let pipe = at(&format!("{set}/pipe"));
        assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
    }
    let (events, again, logs) = (at("events"), at("again"), at("logs"));
    for (command, hidden, special) in [
        (&["validate", &events] as &[&str], 2, "1 special file "),
        (&["validate", &events, &again], 4, "2 special files "),
        (&["profile", &logs], 2, "1 special file "),
        (&["diff", &events, &again], 4, "2 special files "),
        (&["explain", &logs], 2, "1 special file "),
        (&["explain", &logs, &logs], 4, "2 special files "),
        (&["convert", &logs], 2, "1 special file "),
    ] {
        let loud = run(command);
        assert_eq!(loud.status, 0, "{command:?} {}{}", loud.stdout, loud.stderr);
        let hidden = format!("note: skipped {hidden} hidden files or folders in folders\n");
        assert!(loud.stderr.contains(&hidden), "{command:?} {}", loud.stderr);
        assert!(
            loud.stderr.contains(&format!("note: skipped {special}in folders\n")),
            "{command:?} {}",
            loud.stderr
        );
        assert_eq!(loud.stderr.matches("skipped").count(), 2, "{command:?} {}", loud.stderr);
        if command[0] != "explain" {
            let quiet = run(&[command, &["-q"]].concat());
            assert!(!quiet.stderr.contains("skipped"), "{command:?} {}", quiet.stderr);
        }
    }
    // Named, it is read.
    let named = run(&["validate", &at("events/.hidden")]);
    assert!(!named.stderr.contains("skipped"), "{}", named.stderr);
}
