//! Against a real S3 server, moto's: conditional writes, races, and the command with a bucket.

use super::duo::{Duo, Switches, record};
use super::http::{Server, bare, finish, no_secret, unpacked};
use crate::s3::S3;
use bytes::Bytes;
use futures_util::StreamExt as _;
use object_store::aws::AmazonS3;
use object_store::{ObjectStore, ObjectStoreExt as _};
use std::process::{Command, Stdio};
use std::sync::Arc;
use udmap::store::objects::{Created, Replaced, Store};

trait Collects {
    fn collect(&self, server: &Server) -> Command;
}

impl Collects for S3 {
    fn collect(&self, server: &Server) -> Command {
        let mut command = bare();
        command.env("AWS_ENDPOINT_URL", &self.endpoint).env("AWS_ALLOW_HTTP", "true");
        command.env("AWS_REGION", "us-east-1");
        // The names of the deployment that this one replaces.
        command
            .env("S3_BUCKET", "logs")
            .env("S3_PREFIX", "duo-telephony/")
            .env("STATE_KEY", "state/duo.json");
        command.args([
            "--allow-any-host",
            "--api-url",
            &server.url,
            "--request-interval",
            "0",
            "--retry-wait",
            "1ms",
        ]);
        command
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// All objects with their content, decompressed.
fn objects(store: &AmazonS3) -> Vec<(String, Vec<u8>)> {
    runtime().block_on(async {
        let mut found = Vec::new();
        let mut listed = store.list(None);
        while let Some(meta) = listed.next().await {
            let location = meta.expect("listed").location;
            let bytes = store.get(&location).await.expect("got").bytes().await.expect("read");
            found.push((location.to_string(), unpacked(&bytes)));
        }
        found.sort();
        found.iter().for_each(|(name, bytes)| no_secret(name, bytes));
        found
    })
}

fn delivered(store: &AmazonS3) -> Vec<String> {
    let logs = objects(store).into_iter().filter(|(name, _)| name.starts_with("duo-telephony/dt="));
    let mut lines: Vec<String> = logs
        .flat_map(|(_, bytes)| {
            String::from_utf8(bytes).expect("UTF-8").lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    lines.sort();
    lines
}

fn service(records: i64) -> Server {
    let now = chrono::Utc::now().timestamp_millis();
    let duo = Duo::new(Switches::default());
    duo.add((0..records).map(|i| record((now - 180_000 - i * 20_000) * 1000, i as u64)));
    Server::start(duo)
}

#[test]
fn conditional_writes_and_races() {
    let Some(s3) = S3::start() else { return };
    let bucket = Store::around(Arc::new(s3.store("logs")), "s3://logs");
    let bytes = Bytes::from_static;
    runtime().block_on(async {
        assert!(bucket.read("k", 99).await.expect("read").is_none());
        let Created::New(first) = bucket.create("k", bytes(b"one")).await.expect("created") else { panic!() };
        let Created::Exists(found) = bucket.create("k", bytes(b"two")).await.expect("created") else {
            panic!()
        };
        assert_eq!((&found.bytes[..], &found.version), (&b"one"[..], &first));
        let Replaced::Done(_) = bucket.replace("k", bytes(b"two"), &first).await.expect("replaced") else {
            panic!()
        };
        let Replaced::Changed = bucket.replace("k", bytes(b"x"), &first).await.expect("replaced") else {
            panic!()
        };
        let Replaced::Changed = bucket.replace("none", bytes(b"x"), &first).await.expect("replaced") else {
            panic!()
        };
        for round in 0..15 {
            let key = format!("round-{round}");
            let all = (0..6u8).map(|n| {
                let (bucket, key) = (bucket.clone(), key.clone());
                tokio::spawn(async move {
                    matches!(bucket.create(&key, vec![n].into()).await.expect("created"), Created::New(_))
                })
            });
            let won = futures_util::future::join_all(all).await;
            assert_eq!(won.into_iter().filter(|won| *won.as_ref().expect("joined")).count(), 1);
            let was = bucket.read(&key, 99).await.expect("read").expect("there").version;
            let all = (10..16u8).map(|n| {
                let (bucket, key, was) = (bucket.clone(), key.clone(), was.clone());
                tokio::spawn(async move {
                    matches!(
                        bucket.replace(&key, vec![n].into(), &was).await.expect("replaced"),
                        Replaced::Done(_)
                    )
                })
            });
            let won = futures_util::future::join_all(all).await;
            assert_eq!(won.into_iter().filter(|won| *won.as_ref().expect("joined")).count(), 1);
        }
    });
}

#[test]
fn the_command_with_a_bucket() {
    let Some(s3) = S3::start() else { return };
    let server = service(3_000);
    let check = finish(s3.collect(&server).arg("--check"));
    assert_eq!(check.status, 0, "{}", check.stdout);
    let run = finish(s3.collect(&server).arg("--convert"));
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(run.stderr.contains("delivered 3000 records in 3 objects, 3000 events"), "{}", run.stderr);
    assert_eq!(finish(&mut s3.collect(&server)).status, 0);
    assert_eq!(delivered(&s3.store("logs")), server.duo.lines(i64::MAX));
    let objects = objects(&s3.store("logs"));
    let count = |prefix: &str| objects.iter().filter(|(name, _)| name.starts_with(prefix)).count();
    assert_eq!((count("duo-telephony/"), count("udm-duo-telephony/"), count("state/")), (3, 3, 1));
    assert_eq!(objects.len(), 7, "nothing else: {objects:?}");

    let no_bucket = finish(s3.collect(&server).env("S3_BUCKET", "nothing"));
    assert_eq!(no_bucket.status, 2);
    assert!(no_bucket.stderr.contains("hint: create the bucket"), "{}", no_bucket.stderr);
}

/// Two at once, and one of them killed now and then.
#[test]
fn two_commands_on_one_state() {
    let Some(s3) = S3::start() else { return };
    let server = service(3_000);
    for round in 0u64..12 {
        let start = || {
            let mut command = s3.collect(&server);
            command.args(["--page-size", "100", "--max-pages", "4"]).stderr(Stdio::piped());
            command.spawn().expect("the command starts")
        };
        let (mut first, second) = (start(), start());
        if round % 3 == 1 {
            std::thread::sleep(std::time::Duration::from_millis(60 + 37 * round % 150));
            first.kill().expect("killed");
        }
        for (child, killed) in [(first, round % 3 == 1), (second, false)] {
            let output = child.wait_with_output().expect("ended");
            no_secret("stderr", &output.stderr);
            assert!(killed || output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }
    for _ in 0..2 {
        let last = finish(&mut s3.collect(&server));
        assert_eq!(last.status, 0, "{}", last.stderr);
    }
    assert_eq!(delivered(&s3.store("logs")), server.duo.lines(i64::MAX));
}
