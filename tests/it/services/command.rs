//! The command with buckets of each service: collect, convert, kill, verify, prune.

use super::Service;
use crate::collect::duo::{Duo, Switches, record};
use crate::collect::http::{Server, bare, finish, unpacked};
use crate::dump::{events, gzip, log, manifest, outputs};
use crate::s3::Objects;
use futures_util::TryStreamExt as _;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// Two buckets of a service, of a test's own.
struct Buckets {
    service: &'static Service,
    logs: String,
    udm: String,
    /// Calls to the service, from outside of the command.
    runtime: tokio::runtime::Runtime,
    stores: [Arc<dyn ObjectStore>; 2],
}

impl Buckets {
    fn new(service: &'static Service, name: &str) -> Buckets {
        let (logs, udm) = (format!("{name}-logs"), format!("{name}-udm"));
        let stores = [service.store(&logs), service.store(&udm)];
        let (logs, udm) = (service.bucket(&logs), service.bucket(&udm));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Buckets { service, logs, udm, runtime, stores }
    }

    fn put(&self, bucket: usize, key: &str, bytes: Vec<u8>) {
        let key = Path::parse(key).expect("a key");
        let put = self.stores[bucket].put(&key, PutPayload::from(bytes));
        self.runtime.block_on(put).expect("put");
    }

    /// All objects below a prefix, by what follows it.
    fn all(&self, bucket: usize, prefix: &str) -> Objects {
        let store = &self.stores[bucket];
        self.runtime.block_on(async {
            let mut all = Objects::new();
            let mut listed = store.list(None);
            while let Some(meta) = listed.try_next().await.expect("listed") {
                if let Some(key) = meta.location.as_ref().strip_prefix(prefix) {
                    let got = store.get(&meta.location).await.expect("got");
                    all.insert(key.to_owned(), got.bytes().await.expect("read").to_vec());
                }
            }
            all
        })
    }

    /// 30 small logs and one whose events take several requests to write.
    fn fill(&self) {
        for n in 0..30 {
            self.put(0, &format!("in/{n:02}.gz"), gzip(&log(n, 8)));
        }
        self.put(0, "in/10-large.gz", gzip(&log(3, 20_000)));
    }

    fn convert(&self, out: &str, more: &[&str]) -> Command {
        let mut command = self.service.udmap();
        command.args(["convert", &format!("{}/in/", self.logs), "-o", &format!("{}/{out}/", self.udm)]);
        command.args(["--compress", "none"]).args(more);
        command
    }
}

fn said(command: &mut Command, status: i32) -> String {
    let run = crate::dump::finish(command);
    assert_eq!(run.status, status, "{command:?}: {}{}", run.stdout, run.stderr);
    run.stderr
}

/// Kills runs at several moments, then lets one end.
fn killed(command: &dyn Fn() -> Command) {
    for wait in [40, 90, 150, 260, 400, 700] {
        let mut child = command().stderr(Stdio::null()).spawn().expect("the command starts");
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().expect("killed");
        child.wait().expect("ended");
    }
    said(&mut command(), 0);
}

/// A prefix is converted exactly once, killed or not; what is there is verified, and what is superseded removed.
fn converts(service: &'static Service, name: &str) {
    let buckets = Buckets::new(service, name);
    buckets.fill();
    let first = said(&mut buckets.convert("calm", &[]), 0);
    assert!(first.contains("31 listed, 31 converted"), "{first}");
    let all = buckets.all(1, "calm/");
    let mut want: Vec<Vec<u8>> = (0..30).map(|n| events(&log(n, 8))).collect();
    want.push(events(&log(3, 20_000)));
    want.sort();
    assert!(want.iter().any(|it| it.len() > 9 << 20), "one is written in parts");
    let mut got: Vec<Vec<u8>> = outputs(&all).into_values().collect();
    got.sort();
    assert!(got == want, "the events of each input, once");
    assert_eq!(manifest(&all).len(), 31);

    let again = said(&mut buckets.convert("calm", &[]), 0);
    assert!(again.contains("0 converted, 31 done before"), "{again}");
    assert!(buckets.all(1, "calm/") == all, "nothing was written");

    killed(&|| buckets.convert("storm", &[]));
    let storm = buckets.all(1, "storm/");
    assert!(outputs(&storm) == outputs(&all), "byte for byte");
    assert_eq!(manifest(&storm).len(), 31, "each input has one line");
    let left = buckets.all(1, "");
    let strays: Vec<&String> =
        left.keys().filter(|key| !key.starts_with("calm/") && !key.starts_with("storm/")).collect();
    assert!(strays.iter().all(|key| key.starts_with(".udmap-uploads/")), "{strays:?}");

    let manifests = format!("{}/calm/manifest/", buckets.udm);
    let verify = |status| said(service.udmap().args(["verify", &manifests]), status);
    assert!(verify(0).contains("31 current"));
    // With another mapping of the same inputs, the first outputs are superseded.
    let other = said(&mut buckets.convert("calm", &["--namespace", "corp"]), 0);
    assert!(other.contains("31 outputs of these inputs superseded"), "{other}");
    let out = format!("{}/calm/", buckets.udm);
    said(service.udmap().args(["prune", &out, "--delete"]), 0);
    assert!(verify(0).contains("31 current, 31 superseded and removed"), "{}", verify(0));
    let pruned = outputs(&buckets.all(1, "calm/"));
    assert!(
        pruned.len() == 31 && pruned.keys().all(|key| !all.contains_key(key)),
        "the first outputs are gone"
    );

    let key = format!("calm/{}", pruned.keys().next().expect("an output"));
    buckets.put(1, &key, b"changed\n".to_vec());
    let found = verify(1);
    assert!(found.contains(&key), "{found}");

    // Inputs that go, none before its output is there.
    said(&mut buckets.convert("storm", &["--after-success", "delete"]), 0);
    assert!(buckets.all(0, "in/").is_empty());
}

/// Records are delivered exactly once: killed, run twice, with the state in the same bucket or in a file.
fn collects(service: &'static Service, name: &str, state: Option<&str>) {
    let buckets = Buckets::new(service, name);
    let now = chrono::Utc::now().timestamp_millis();
    let duo = Duo::new(Switches::default());
    duo.add((0..2_000).map(|i| record((now - 180_000 - i * 20_000) * 1000, i as u64)));
    let server = Server::start(duo);
    let collect = |more: &[&str]| {
        let mut command = bare();
        command.envs(service.environment());
        command.args(["duo-telephony", "--allow-any-host", "--api-url", &server.url]);
        command.args(["--request-interval", "0", "--retry-wait", "1ms"]);
        command.args(["--to", &format!("{}/duo/", buckets.logs)]);
        let in_bucket = format!("{}/state/duo.json", buckets.logs);
        command.arg("--state").arg(state.unwrap_or(&in_bucket)).args(more);
        command
    };
    let check = finish(&mut collect(&["--check"]));
    assert_eq!(check.status, 0, "{}{}", check.stdout, check.stderr);
    for wait in [100, 250, 400, 600] {
        let mut command = collect(&["--page-size", "100", "--max-pages", "4"]);
        let mut child = command.stderr(Stdio::null()).stdout(Stdio::null()).spawn().expect("it starts");
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().expect("killed");
        child.wait().expect("ended");
    }
    for _ in 0..2 {
        let run = finish(&mut collect(&[]));
        assert_eq!(run.status, 0, "{}", run.stderr);
    }
    let objects = buckets.all(0, "duo/dt=");
    let mut lines: Vec<String> = objects
        .values()
        .flat_map(|bytes| {
            let text = String::from_utf8(unpacked(bytes)).expect("UTF-8");
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    lines.sort();
    assert_eq!(lines, server.duo.lines(i64::MAX), "each record once");
}

#[test]
fn azurite_converts_exactly_once() {
    let Some(service) = Service::azurite() else { return };
    converts(service, "convert");
}

#[test]
fn azurite_collects_exactly_once() {
    let Some(service) = Service::azurite() else { return };
    collects(service, "collect", None);
}

#[test]
fn fake_gcs_converts_exactly_once() {
    let Some(service) = Service::fake_gcs() else { return };
    converts(service, "convert");
}

#[test]
fn fake_gcs_collects_exactly_once() {
    let Some(service) = Service::fake_gcs() else { return };
    collects(service, "collect", None);
}

#[test]
fn ceph_converts_exactly_once() {
    let Some(service) = Service::ceph() else { return };
    converts(service, "convert");
}

#[test]
fn ceph_collects_exactly_once_with_its_state_in_a_file() {
    let Some(service) = Service::ceph() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state.json");
    collects(service, "collect", state.to_str());
}

/// It refuses an ETag in quotes, with which every other service is content: that is found before anything is collected.
#[test]
fn ceph_is_found_unfit_for_a_state() {
    let Some(service) = Service::ceph() else { return };
    let bucket = service.bucket("state");
    let server = Server::start(Duo::new(Switches::default()));
    let mut command = bare();
    command.envs(service.environment()).args(["duo-telephony", "--allow-any-host", "--api-url", &server.url]);
    command.args(["--to", &format!("{bucket}/duo/"), "--state", &format!("{bucket}/state.json"), "--check"]);
    let check = finish(&mut command);
    assert_eq!(check.status, 2, "{}", check.stdout);
    assert!(check.stdout.contains("hint: some stores refuse an ETag in quotes"), "{}", check.stdout);
}
