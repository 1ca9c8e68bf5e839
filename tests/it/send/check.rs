//! `udmap send --check`: what it looks at, and what it says to do.

use super::fake::{Fault, Manner, error};
use super::tokens::{self, ACCOUNT};
use super::{World, lines};
use crate::http::Reply;
use crate::support::names;

/// Looks; the exit status, and the lines.
fn check(world: &World, more: &[&str]) -> (i32, String) {
    let mut command = world.send(&["--check"]);
    let run = world.finish(command.args(["--give-up", "10ms"]).args(more));
    (run.status, run.stdout + &run.stderr)
}

#[test]
fn everything_in_place() {
    let world = World::new();
    let (status, said) = check(&world, &[]);
    assert_eq!(status, 0, "{said}");
    for words in [
        "service account in `key.json` (--credentials)",
        ACCOUNT,
        "project `acme-secops`, location `eu`, instance `0e1f2a3b-1111-2222-3333-444455556666`",
        "`chronicle.events.import` is granted",
        "the clock is right",
        "state.json",
        "rejects.ndjson",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(said.lines().count(), said.lines().filter(|line| line.contains("ok")).count(), "{said}");
    assert!(world.fake.events().is_empty(), "nothing that could become data");
    // And then a run goes; and a look later changes nothing.
    world.write("in.ndjson", lines(0..30, &[]));
    world.expect(0, &mut world.send(&["in.ndjson"]));
    let before = std::fs::read(world.at("state.json")).expect("a state");
    let (status, said) = check(&world, &[]);
    assert!(status == 0 && said.contains("30"), "{said}");
    let (before, after) = (before, std::fs::read(world.at("state.json")).expect("a state"));
    let value = |bytes: &[u8]| {
        let mut value: serde_json::Value = serde_json::from_slice(bytes).expect("JSON");
        value.as_object_mut().expect("an object").remove("writer");
        value
    };
    assert_eq!(value(&before), value(&after));
    world.expect(0, &mut world.send(&["in.ndjson"]));
    assert_eq!(world.fake.events().len(), 30);
    let left = names(world.folder());
    assert!(left.iter().all(|name| !name.contains("tmp")), "{left:?}");
    // Raw logs need another permission.
    let (status, said) = check(&world, &["--log-type", "DUO_AUTH", "--state", "logs.json"]);
    assert!(status == 0 && said.contains("`chronicle.logs.import` is granted"), "{said}");
}

/// What is wrong -> words that say what to do.
#[test]
fn each_line_says_what_to_do() {
    let denied = || error(403, "PERMISSION_DENIED", "Permission denied.");
    let service = |manner: Manner, fault: Option<Reply>| {
        let world = World::with(manner);
        if let Some(fault) = fault {
            world.fake.faults(move |_| Some(Fault::Answer(fault.clone())));
        }
        world
    };
    for (world, more, words) in [
        (service(Manner::default(), Some(denied())), &[] as &[&str], "chronicle.events.import"),
        (service(Manner::default(), None), &["--instance", "another"], "`another`"),
        (service(Manner { ahead: 4000, ..Manner::default() }, None), &[], "behind"),
        (
            service(Manner { looked: Some(Reply::new(200, "<html>Log in")), ..Manner::default() }, None),
            &[],
            "proxy",
        ),
        (service(Manner::default(), None), &["--credentials", "missing.json"], "missing.json"),
        (service(Manner::default(), None), &["--state", "key.json"], "key.json"),
        (
            service(Manner::default(), None),
            &["--rejects", "missing/folder/rejects"],
            "missing/folder/rejects",
        ),
        (service(Manner::default(), None), &["--api-url", "http://127.0.0.1:1"], "does not answer"),
    ] {
        let key = std::fs::read(world.at("key.json")).expect("a key");
        let (status, said) = check(&world, more);
        assert!(status == 2 && said.contains(words), "{words}: {status} {said}");
        assert_eq!(std::fs::read(world.at("key.json")).expect("a key"), key);
        assert!(world.fake.events().is_empty());
    }
    // A service account that may not look at instances, only send.
    let world = service(Manner { looked: Some(denied()), ..Manner::default() }, None);
    let (status, said) = check(&world, &[]);
    assert!(status < 2 && said.contains("`chronicle.events.import` is granted"), "{status} {said}");
    // A person's login.
    let world = World::new();
    world.write("key.json", tokens::authorized_user(&world.fake.url).to_string());
    let (status, said) = check(&world, &[]);
    assert!(status == 2 && said.contains("service account"), "{said}");
}
