//! The command is killed at random moments: however often, the objects come out the same.

use super::{files, finish, gzip, log, manifest, outputs};
use crate::s3::S3;
use crate::support::{Random, udmap};
use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Kills runs until they have been killed so often, then lets one come to its end.
fn killed(command: &dyn Fn() -> Command, kills: u64, longest_ms: u64) {
    let mut random = Random(kills);
    let mut done = 0;
    for _ in 0..10 * kills {
        let mut child = command().stderr(Stdio::null()).spawn().expect("the command starts");
        std::thread::sleep(Duration::from_millis(random.below(longest_ms)));
        done += u64::from(child.try_wait().expect("waited for").is_none());
        child.kill().expect("killed");
        child.wait().expect("ended");
        if done == kills {
            break;
        }
    }
    let last = finish(&mut command());
    assert_eq!(last.status, 0, "{}", last.stderr);
}

#[test]
fn a_bucket_of_small_objects_and_a_large_one() {
    let Some(s3) = S3::start() else { return };
    for n in 0..250 {
        s3.put("logs", &format!("in/{n:03}.gz"), &gzip(&log(n, 10)));
    }
    s3.put("logs", "in/100-large.gz", &gzip(&log(3, 40_000)));
    let convert = |out: &str, more: &[&str]| {
        let mut command = s3.udmap();
        command.args(["convert", "s3://logs/in/", "-o", &format!("s3://udm/{out}/"), "--compress", "none"]);
        command.args(more);
        command
    };
    let below = |out: &str| {
        let all = s3.all("udm");
        let all = all.into_iter().filter_map(|(k, v)| Some((k.strip_prefix(out)?.to_owned(), v)));
        all.collect::<crate::s3::Objects>()
    };
    for more in [&[] as &[&str], &["--pack", "20kB"]] {
        let (calm, storm) = (format!("calm{}", more.len()), format!("storm{}", more.len()));
        assert_eq!(finish(&mut convert(&calm, more)).status, 0);
        killed(&|| convert(&storm, more), 6, 1_200);
        let (calm, storm) = (below(&calm), below(&storm));
        assert!(outputs(&calm) == outputs(&storm), "byte for byte");
        assert_eq!(manifest(&storm).len(), 251, "each input has one line");
        let inputs: BTreeSet<String> =
            manifest(&storm).iter().map(|line| line["input"].to_string()).collect();
        assert_eq!(inputs.len(), 251);
    }
    // Inputs that go: none before its output is there, and all in the end.
    killed(&|| convert("gone", &["--after-success", "delete"]), 4, 1_500);
    assert!(s3.all("logs").is_empty());
    assert!(outputs(&below("gone")) == outputs(&below("calm0")));
}

#[test]
fn a_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    for n in 0..400 {
        let path = at(&format!("in/{:02}/{n:03}", n % 20));
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(path, log(n, 20)).expect("written");
    }
    std::fs::write(at("in/large"), log(3, 20_000)).expect("written");
    let convert = |out: &str| {
        let mut command = udmap();
        command.arg("convert").arg(at("in")).arg("-o").arg(format!("{}/", at(out).display()));
        command
    };
    assert_eq!(finish(&mut convert("calm")).status, 0);
    killed(&|| convert("storm"), 15, 400);
    let (calm, storm) = (files(&at("calm")), files(&at("storm")));
    assert_eq!(outputs(&calm).keys().collect::<Vec<_>>(), outputs(&storm).keys().collect::<Vec<_>>());
    assert!(outputs(&calm) == outputs(&storm), "byte for byte, and nothing else is left");
    assert_eq!(manifest(&storm).len(), 401);
    let left = crate::support::names(&at("storm"));
    assert!(left.iter().all(|name| !name.starts_with('.')), "{left:?}");
}
