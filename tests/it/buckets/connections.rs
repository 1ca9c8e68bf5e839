//! Connections that end between two requests or in the middle of one, and encrypted ones.

use super::{Asked, Service, Then, answer, command, entry, listing, object, refusal};
use crate::dump::{events, finish, log, manifest, outputs};
use crate::s3::Objects;
use crate::support::Run;
use percent_encoding::percent_decode_str;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

/// Two buckets, `logs` and `udm`, in memory. A key is written once, or the service says that there is one.
#[derive(Debug, Clone, Default)]
struct Memory(Arc<Mutex<Objects>>);

impl Memory {
    /// With this many logs below `logs/in/`.
    fn with_logs(logs: u64) -> Memory {
        let keys = (0..logs).map(|n| (format!("/logs/in/{n:03}"), log(n, 20)));
        Memory(Arc::new(Mutex::new(keys.collect())))
    }

    /// The objects of a bucket, by their keys.
    fn all(&self, bucket: &str) -> Objects {
        let all = self.0.lock().expect("nobody failed");
        let of = |(path, bytes): (&String, &Vec<u8>)| {
            Some((path.strip_prefix(&format!("/{bucket}/"))?.to_owned(), bytes.clone()))
        };
        all.iter().filter_map(of).collect()
    }

    /// An answer that says nothing of its connection.
    fn answer(&self, asked: &Asked) -> Vec<u8> {
        let path = asked.target.split('?').next().unwrap_or_default();
        let path = percent_decode_str(path).decode_utf8().expect("UTF-8").into_owned();
        let mut all = self.0.lock().expect("nobody failed");
        let answered = match (asked.method.as_str(), all.get(&path)) {
            ("GET", _) if asked.is_listing() => {
                let bucket = format!("{}/", path.trim_end_matches('/'));
                let entries = all.iter().filter_map(|(path, bytes)| {
                    Some(entry(path.strip_prefix(&bucket)?, &bytes.len().to_string()))
                });
                answer(200, "", listing(&entries.collect::<String>()))
            }
            ("GET" | "HEAD", Some(bytes)) => {
                object(asked, path.rsplit('/').next().unwrap_or_default(), bytes)
            }
            ("PUT", Some(_)) => refusal(412, "PreconditionFailed", "there is one"),
            ("PUT", None) => {
                assert!(asked.head.contains("if-none-match: *"), "{}", asked.head);
                all.insert(path, asked.body.clone());
                answer(200, "etag: \"new\"\r\n", "")
            }
            _ => refusal(404, "NoSuchKey", "there is none"),
        };
        let close: &[u8] = b"connection: close\r\n";
        let at = answered.windows(close.len()).position(|it| it == close).expect("it says so");
        [&answered[..at], &answered[at + close.len()..]].concat()
    }
}

/// Converts all logs from bucket to bucket.
fn convert_all(endpoint: &str, change: impl Fn(&mut Command)) -> Run {
    let home = tempfile::tempdir().expect("a folder");
    let mut command = command(endpoint, home.path());
    command.args(["convert", "s3://logs/in/", "-o", "s3://udm/", "--compress", "none", "--jobs", "8"]);
    change(&mut command);
    finish(&mut command)
}

/// Each log came out once, right, and with its line.
fn assert_all_came_out(memory: &Memory) {
    let mut expected: Vec<Vec<u8>> = memory.all("logs").values().map(|log| events(log)).collect();
    let udm = memory.all("udm");
    let mut made: Vec<Vec<u8>> = outputs(&udm).into_values().collect();
    expected.sort();
    made.sort();
    assert!(made == expected, "{} of {} outputs", made.len(), expected.len());
    assert_eq!(manifest(&udm).len(), expected.len());
}

#[test]
fn a_connection_that_is_closed_in_silence_costs_no_object() {
    // What becomes of a connection's second request; those before it are answered.
    type Fate = fn(&Memory, &Asked) -> Then;
    let table: [(&str, usize, Fate); 4] = [
        ("closed behind each answer, which does not say so", 0, |memory, asked| {
            Then::Close(memory.answer(asked))
        }),
        ("closed behind the third answer", 2, |memory, asked| Then::Close(memory.answer(asked))),
        ("closed when it is asked again", 1, |_, _| Then::Drop),
        ("closed when what it was asked is done", 1, |memory, asked| {
            drop(memory.answer(asked));
            Then::Drop
        }),
    ];
    let check = |(what, last, fate): (&str, usize, Fate)| {
        let memory = Memory::with_logs(16);
        let (served, connections) = (memory.clone(), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&connections);
        let service = Service::with(None, move |asked, number| {
            counted.fetch_add(usize::from(number == 0), SeqCst);
            if number == last { fate(&served, asked) } else { Then::Stay(served.answer(asked)) }
        });
        let run = convert_all(&service.endpoint, |_| ());
        assert_eq!(run.status, 0, "{what}: {}", run.stderr);
        assert!(run.stderr.contains("16 listed, 16 converted"), "{what}: {}", run.stderr);
        assert_all_came_out(&memory);
        // Each is read and written, over connections with room for as many as are answered.
        let at_least = 32 / (last + 1);
        assert!(connections.load(SeqCst) >= at_least, "{what}: {connections:?}");
    };
    // They take their time to wait before what was lost is asked again.
    std::thread::scope(|scope| {
        for case in table {
            scope.spawn(move || check(case));
        }
    });
}

/// A service's key and certificate for a name or address, and the certificate, as PEM, of who signed it.
fn certificate(name: &str) -> (Arc<ServerConfig>, String) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority =
        CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("signed");
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new([name.to_owned()]).expect("a name");
    let signed = params.signed_by(&key, &authority).expect("signed");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![signed.der().clone()], key.into())
        .expect("a key of this certificate");
    (Arc::new(config), authority.pem())
}

/// Starts an encrypted service with the logs, and writes what its certificate is signed by into `folder`.
fn encrypted(name: &str, memory: &Memory, folder: &Path) -> Service {
    let (config, authority) = certificate(name);
    std::fs::write(folder.join("ca.pem"), authority).expect("written");
    let served = memory.clone();
    // Now and then one is closed.
    Service::with(Some(config), move |asked, number| match number {
        5 => Then::Close(served.answer(asked)),
        _ => Then::Stay(served.answer(asked)),
    })
}

#[test]
fn an_encrypted_service_is_spoken_to_if_its_certificate_is_trusted() {
    for variable in ["AWS_CA_BUNDLE", "SSL_CERT_FILE"] {
        let folder = tempfile::tempdir().expect("a folder");
        let memory = Memory::with_logs(16);
        // A key that goes another way to the same service.
        memory.0.lock().expect("nobody failed").insert("/logs/in/../a".to_owned(), log(99, 20));
        let service = encrypted("127.0.0.1", &memory, folder.path());
        let run = convert_all(&service.endpoint, |command| {
            command.env(variable, folder.path().join("ca.pem"));
        });
        assert_eq!(run.status, 0, "{variable}: {}", run.stderr);
        assert_all_came_out(&memory);
        assert_eq!(outputs(&memory.all("udm")).len(), 17);
    }
}

#[test]
fn who_is_not_trusted_is_told_nothing() {
    let check = |name: &str, trusted: bool| {
        let folder = tempfile::tempdir().expect("a folder");
        let memory = Memory::with_logs(2);
        let service = encrypted(name, &memory, folder.path());
        let begun = std::time::Instant::now();
        let run = convert_all(&service.endpoint, |command| {
            if trusted {
                command.env("AWS_CA_BUNDLE", folder.path().join("ca.pem"));
            }
        });
        assert_eq!(run.status, 2, "{name}: {}", run.stderr);
        assert!(run.stderr.contains("certificate"), "{name}: {}", run.stderr);
        assert_eq!(service.count(|_| true), 0, "{name}");
        // It is tried once: ten times take five seconds.
        assert!(begun.elapsed() < std::time::Duration::from_secs(4), "{name}: {:?}", begun.elapsed());
    };
    std::thread::scope(|scope| {
        scope.spawn(|| check("127.0.0.1", false));
        scope.spawn(|| check("127.0.0.2", true));
    });
}
