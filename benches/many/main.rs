//! Many small inputs, as whole runs of the command: files into a folder, and objects from bucket to bucket.
//!
//! ```sh
//! cargo bench --bench many
//! cargo bench --bench many -- --inputs 2000 --runs 1 --udmap ./another/udmap
//! TMPDIR=/dev/shm cargo bench --bench many -- files
//! ```
//!
//! An input has some 50 records, 10 kB. Files lie where temporary files do (`TMPDIR`): on a disk its speed is in the
//! numbers. Objects lie in memory in this process, which answers as S3 does, at once or after 10 and 50 ms; `--jobs` says
//! how many of them are converted at once. The CPU time is that of the command alone, with its manifest. The server's is
//! shown next to it; both share the machine's cores.
//!
//! Shown are medians. CPU time comes from /proc (hundredths of a second), so it is only known on Linux.

mod s3;

use s3::Server;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use udmap::lab::{Generator, Mix};

/// About how many bytes an input has.
const SIZE: usize = 10_000;
/// How many objects are converted where answers take their time.
const FEW: usize = 2_000;

struct Settings {
    udmap: PathBuf,
    inputs: usize,
    runs: usize,
    jobs: usize,
    /// Only files, or only buckets.
    only: Option<String>,
}

/// What a run took, in seconds.
#[derive(Debug, Clone, Copy)]
struct Took {
    wall: f64,
    /// Of the command.
    cpu: f64,
    /// Of this process, meanwhile.
    here: f64,
}

fn main() {
    let mut args = std::env::args().skip(1);
    let mut settings =
        Settings { udmap: env!("CARGO_BIN_EXE_udmap").into(), inputs: 20_000, runs: 3, jobs: 16, only: None };
    let mut is_bench = false;
    while let Some(arg) = args.next() {
        let mut number = || args.next().and_then(|text| text.parse().ok()).expect("a number");
        match arg.as_str() {
            "--bench" => is_bench = true,
            "--inputs" => settings.inputs = number(),
            "--runs" => settings.runs = number(),
            "--jobs" => settings.jobs = number(),
            "--udmap" => settings.udmap = args.next().expect("a program").into(),
            other => settings.only = Some(other.to_owned()),
        }
    }
    // `cargo test` runs benchmarks, too, to see that they do.
    if !is_bench {
        (settings.inputs, settings.runs) = (200, 1);
    }
    let inputs = inputs(settings.inputs);
    let wants = |what: &str| settings.only.as_ref().is_none_or(|only| only == what);
    if wants("files") {
        files(&settings, &inputs);
    }
    if wants("buckets") {
        buckets(&settings, &inputs);
    }
}

/// Synthetic logs of about the same size.
fn inputs(count: usize) -> Vec<Vec<u8>> {
    let mut generator = Generator::new(7, &Mix::default());
    let one = || {
        let mut log = Vec::new();
        while log.len() < SIZE {
            generator.line(1, &mut log);
        }
        log
    };
    std::iter::repeat_with(one).take(count).collect()
}

fn files(settings: &Settings, inputs: &[Vec<u8>]) {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("many")).expect("a folder");
    for (number, input) in inputs.iter().enumerate() {
        std::fs::write(at("many").join(format!("{number:05}.ndjson")), input).expect("a file");
    }
    std::fs::create_dir(at("one")).expect("a folder");
    std::fs::write(at("one").join("all.ndjson"), inputs.concat()).expect("a file");
    let bytes: usize = inputs.iter().map(Vec::len).sum();
    println!(
        "{} files, {} MB, an output each, into {} (medians of {})\n",
        inputs.len(),
        bytes / 1_000_000,
        folder.path().display(),
        settings.runs
    );
    println!("{:<30} {:>8} {:>8} {:>12}", "", "s", "MB/s", "CPU us/file");
    let mut rates = BTreeMap::new();
    for compress in ["none", "zstd", "gzip"] {
        for what in ["one", "many"] {
            let runs = (0..settings.runs).map(|_| {
                let mut command = Command::new(&settings.udmap);
                command.arg("convert").arg(at(what)).arg("-o").arg(at("out/")).args(["--compress", compress]);
                let took = run(&mut command);
                std::fs::remove_dir_all(at("out")).expect("outputs");
                took
            });
            let Took { wall, cpu, .. } = median(runs.collect());
            let rate = bytes as f64 / wall / 1e6;
            let name = if what == "one" { "all in one file" } else { "small files" };
            let name = format!("{name}, --compress {compress}");
            println!("{name:<30} {wall:>8.2} {rate:>8.0} {:>12.1}", cpu * 1e6 / inputs.len() as f64);
            rates.insert(what, rate);
        }
        println!("{:<30} {:>17.2}", "  of the rate of one file", rates["many"] / rates["one"]);
    }
    println!();
}

fn buckets(settings: &Settings, inputs: &[Vec<u8>]) {
    let server = Server::default();
    let endpoint = server.start().expect("a port");
    let few = inputs.len().min(FEW);
    for (number, input) in inputs.iter().enumerate() {
        let key = format!("{:03}/{number:05}.ndjson", number / 100);
        server.put(&format!("/logs/all/{key}"), input);
        if number < few {
            server.put(&format!("/logs/few/{key}"), input);
        }
    }
    let home = tempfile::tempdir().expect("a folder");
    println!(
        "Objects from bucket to bucket, an output each, {} jobs (medians of {})\n",
        settings.jobs, settings.runs
    );
    println!(
        "{:<32} {:>8} {:>10} {:>8} {:>14} {:>12} {:>9}",
        "", "objects", "objects/s", "at most", "CPU us/object", "server's us", "requests"
    );
    for (latency, compress, prefix, count) in [
        (0, "none", "all", inputs.len()),
        (0, "zstd", "all", inputs.len()),
        (0, "gzip", "all", inputs.len()),
        (10, "none", "few", few),
        (50, "none", "few", few),
    ] {
        server.delay(Duration::from_millis(latency));
        let mut requests = 0;
        let runs = (0..settings.runs).map(|_| {
            server.clear("/udm/");
            requests = server.requests();
            let mut command = s3_command(&settings.udmap, &endpoint, home.path());
            command.arg("convert").arg(format!("s3://logs/{prefix}/")).args(["-o", "s3://udm/"]);
            let took = run(command.args(["--compress", compress, "--jobs", &settings.jobs.to_string()]));
            requests = server.requests() - requests;
            assert_eq!(server.count("/udm/", |key| !key.contains("/manifest/")), count, "outputs");
            took
        });
        let Took { wall, cpu, here } = median(runs.collect());
        let each = |seconds: f64| seconds * 1e6 / count as f64;
        // An object is asked for, and its output is put.
        let most = match latency {
            0 => "-".to_owned(),
            _ => format!("{:.0}", settings.jobs as f64 * 1000.0 / (2 * latency) as f64),
        };
        let name = format!("answers after {latency} ms, {compress}");
        println!(
            "{name:<32} {count:>8} {:>10.0} {most:>8} {:>14.0} {:>12.0} {:>9.2}",
            count as f64 / wall,
            each(cpu),
            each(here),
            requests as f64 / count as f64
        );
    }
}

/// The command with an environment for this server, and nothing of anybody's settings.
fn s3_command(udmap: &Path, endpoint: &str, home: &Path) -> Command {
    let mut command = Command::new(udmap);
    for (name, _) in std::env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy().to_ascii_lowercase();
        name.starts_with("aws_") || name.ends_with("_proxy")
    }) {
        command.env_remove(name);
    }
    let settings = [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "bench"),
        ("AWS_SECRET_ACCESS_KEY", "bench"),
    ];
    command.envs(settings).env("HOME", home);
    command
}

/// Runs a command that must succeed.
fn run(command: &mut Command) -> Took {
    let (start, [here, children]) = (Instant::now(), cpu_times());
    let output = command.arg("--quiet").output().expect("the command starts");
    let wall = start.elapsed().as_secs_f64();
    let [here_after, children_after] = cpu_times();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Took { wall, cpu: children_after - children, here: here_after - here }
}

/// The CPU time of this process and that of its children that have ended, in seconds; nothing but on Linux.
fn cpu_times() -> [f64; 2] {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the program's name, which may hold anything: user, system, and the same of children.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11);
    let ticks: Vec<f64> = fields.take(4).filter_map(|field| field.parse().ok()).collect();
    match ticks[..] {
        [user, system, of_children, system_of_children] => {
            [(user + system) / 100.0, (of_children + system_of_children) / 100.0]
        }
        _ => [0.0; 2],
    }
}

/// Each median on its own.
fn median(runs: Vec<Took>) -> Took {
    let of = |what: fn(&Took) -> f64| {
        let mut all: Vec<f64> = runs.iter().map(what).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    Took { wall: of(|it| it.wall), cpu: of(|it| it.cpu), here: of(|it| it.here) }
}
