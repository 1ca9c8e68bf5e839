//! Who sends: where credentials are found, what becomes of tokens, and that nothing of them is ever seen.

use super::fake::{Fault, error};
use super::tokens::{self, ACCOUNT};
use super::{World, lines};
use crate::http::Reply;
use std::fs;
use std::process::Command;
use std::time::Duration;

/// The command without `--credentials`, with an input.
fn send(world: &World) -> Command {
    world.write("in.ndjson", lines(0..30, &[]));
    let mut command = world.bare();
    command.env("UDMAP_SEND_STATE", "state.json").env("UDMAP_SEND_BATCH_EVENTS", "10");
    command.args(["in.ndjson", "--rejects", "rejects.ndjson"]);
    command
}

/// A file of credentials for the service at a URL.
type MakeFile = fn(&str) -> serde_json::Value;

/// Each kind of file is used, wherever it is found.
#[test]
fn credentials_of_every_kind() {
    let kinds: [(MakeFile, &[&str]); 3] = [
        (tokens::service_account, &[]),
        (tokens::impersonated, &["refresh", "impersonation"]),
        (|url| tokens::external_account(url, "subject"), &["exchange"]),
    ];
    for (file, asked) in kinds {
        let world = World::new();
        world.write("subject", "a token of another provider");
        world.write("key.json", file(&world.fake.url).to_string());
        let run = world.expect(0, send(&world).args(["--credentials", "key.json"]));
        assert_eq!(world.fake.events().len(), 30, "{}", run.stderr);
        assert_eq!(world.fake.tokens(), asked);
    }
}

/// In this order: the option, the variable, gcloud's file, the machine.
#[test]
fn credentials_are_found_in_order() {
    let world = World::new();
    let key = tokens::service_account(&world.fake.url).to_string();
    let host = world.fake.url.trim_start_matches("http://").to_owned();
    fs::remove_file(world.at("key.json")).expect("removed");
    let arrived = |command: &mut Command| {
        let before = world.fake.events().len();
        let _ = fs::remove_file(world.at("state.json"));
        world.expect(0, command);
        assert_eq!(world.fake.events().len(), before + 30);
    };
    // None: the metadata server of the machine.
    let run = world.expect(2, send(&world).args(["--give-up", "1ms"]));
    assert!(run.stderr.contains("--credentials") || run.stderr.contains("credentials"), "{}", run.stderr);
    assert!(world.fake.imports().is_empty());
    arrived(send(&world).env("GCE_METADATA_HOST", &host));
    assert!(world.fake.tokens().contains(&"metadata"));
    let metadata = world.fake.tokens().len();
    // gcloud's file comes before it, by default below HOME.
    let wrong = r#"{"type":"nothing that is known"}"#;
    world.write(".config/gcloud/application_default_credentials.json", &key);
    arrived(send(&world).env("GCE_METADATA_HOST", &host));
    world.write(".config/gcloud/application_default_credentials.json", wrong);
    world.write("cloud/application_default_credentials.json", &key);
    arrived(send(&world).env("GCE_METADATA_HOST", &host).env("CLOUDSDK_CONFIG", "cloud"));
    world.write("cloud/application_default_credentials.json", wrong);
    world.write("subject", &key);
    arrived(send(&world).env("CLOUDSDK_CONFIG", "cloud").env("GOOGLE_APPLICATION_CREDENTIALS", "subject"));
    world.write("key.json", &key);
    world.write("subject", wrong);
    let mut command = send(&world);
    command.env("CLOUDSDK_CONFIG", "cloud").env("GOOGLE_APPLICATION_CREDENTIALS", "subject");
    arrived(command.args(["--credentials", "key.json"]));
    assert_eq!(world.fake.tokens().len(), metadata, "a service account signs for itself");
    // What is named and can't be used is not passed over.
    for (name, text) in [("missing.json", None), ("wrong.json", Some("{")), ("wrong.json", Some(wrong))] {
        text.into_iter().for_each(|text| world.write(name, text));
        let before = world.fake.imports().len();
        let run = world.expect(2, send(&world).args(["--credentials", name, "--state", "other.json"]));
        assert!(run.stderr.contains(name), "{}", run.stderr);
        assert_eq!(world.fake.imports().len(), before);
    }
}

/// A user's own token is not taken, and the message says what is.
#[test]
fn a_user_s_token_is_refused_with_advice() {
    let world = World::new();
    world.write("key.json", tokens::authorized_user(&world.fake.url).to_string());
    let run = world.expect(2, send(&world).args(["--credentials", "key.json", "--parallel", "1"]));
    assert!(run.stderr.contains("service account") && run.stderr.contains("impersonate"), "{}", run.stderr);
    assert_eq!(world.fake.imports().len(), 1);
}

#[test]
fn a_refused_token_is_renewed_once() {
    for (kind, file) in
        [("service", tokens::service_account as fn(&str) -> _), ("impersonated", tokens::impersonated)]
    {
        let world = World::new();
        world.write("key.json", file(&world.fake.url).to_string());
        world.fake.faults(|call| (call.number == 2).then_some(Fault::BadToken));
        let mut command = send(&world);
        command.args(["--credentials", "key.json", "--parallel", "1"]);
        world.expect(0, &mut command);
        let imports = world.fake.imports();
        assert_eq!((imports.len(), world.fake.events().len(), world.fake.repeats()), (4, 30, 0), "{kind}");
        assert_eq!(imports[1].body, imports[2].body, "the same request");
    }
    // A second refusal is final.
    let world = World::new();
    world.fake.faults(|call| (call.number >= 2).then_some(Fault::BadToken));
    let run = world.expect(2, send(&world).args(["--credentials", "key.json", "--parallel", "1"]));
    assert!(run.stderr.contains("401") && run.stderr.contains(ACCOUNT), "{}", run.stderr);
    assert_eq!((world.fake.imports().len(), world.fake.events().len()), (3, 10));
    world.fake.faults(|_| None);
    world.expect(0, send(&world).args(["--credentials", "key.json"]));
    assert_eq!((world.fake.events().len(), world.fake.repeats()), (30, 0));
}

/// A token that ends is replaced before, or at the first refusal; no request is lost by it.
#[test]
fn tokens_end_in_the_middle() {
    let world = World::new();
    world.fake.token_life(Duration::from_secs(1));
    world.fake.faults(|_| Some(Fault::Late(Duration::from_millis(450))));
    let host = world.fake.url.trim_start_matches("http://").to_owned();
    let mut command = send(&world);
    command.env("GCE_METADATA_HOST", host).args(["--parallel", "1", "--batch-events", "5"]);
    world.expect(0, &mut command);
    assert_eq!((world.fake.events().len(), world.fake.repeats()), (30, 0));
    assert!(world.fake.tokens().len() >= 2, "{:?}", world.fake.tokens());
}

/// A gateway that shows what it was asked: in no output, state or reject is a token. `World::finish` looks.
#[test]
fn token_never_shows() {
    type File = fn(&str) -> serde_json::Value;
    let files: [(&str, File, &[u16]); 4] = [
        ("service", tokens::service_account, &[200, 302, 400, 401, 403, 404, 409, 413, 429, 500]),
        ("impersonated", tokens::impersonated, &[200, 400, 401]),
        ("user", tokens::authorized_user, &[401]),
        ("external", |url| tokens::external_account(url, "subject"), &[401, 500]),
    ];
    for (kind, file, statuses) in files {
        for status in statuses.iter().copied() {
            let world = World::new();
            world.write("subject", "a token of another provider");
            world.write("key.json", file(&world.fake.url).to_string());
            world.fake.faults(move |call| {
                let echo = format!(
                    "You asked with {} for {}",
                    call.authorization,
                    String::from_utf8_lossy(call.body)
                );
                Some(Fault::Answer(match status {
                    400 => error(400, "INVALID_ARGUMENT", &echo),
                    _ => Reply::new(status, echo).with("location", call.authorization),
                }))
            });
            let mut command = send(&world);
            command.args(["--credentials", "key.json", "--give-up", "30ms", "--summary", "summary.json"]);
            let run = world.finish(&mut command);
            assert!(
                run.status == 2 || (run.status == 1 && matches!(status, 400 | 413)),
                "{kind} {status}: {}",
                run.stderr
            );
        }
    }
    // Nor what is wrong with a file of credentials.
    let world = World::new();
    let good = tokens::service_account(&world.fake.url);
    let key = good["private_key"].as_str().expect("a key").to_owned();
    for bad in [
        good.to_string().replace("\"private_key\":", "\"private_key\" "),
        good.to_string().replace("\\n-----END", "\\n-----NOT"),
        good.to_string().replace("\"private_key\":\"", "\"private_key\":\"x"),
        good.to_string().replace("client_email", "client_mail"),
        key,
    ] {
        world.write("key.json", bad);
        world.expect(2, send(&world).args(["--credentials", "key.json", "--give-up", "30ms"]));
    }
}

/// A token endpoint that fails for a while, and one that says no.
#[test]
fn a_token_that_is_not_given() {
    let world = World::new();
    let mut file = tokens::impersonated(&world.fake.url);
    file["source_credentials"]["refresh_token"] = "revoked".into();
    world.write("key.json", file.to_string());
    let run = world.expect(2, send(&world).args(["--credentials", "key.json", "--give-up", "1s"]));
    assert!(world.fake.imports().is_empty());
    assert!(run.stderr.contains("key.json") || run.stderr.contains("credentials"), "{}", run.stderr);
}
