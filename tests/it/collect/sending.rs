//! `udmap collect --convert --send`: collected, converted and sent in one run, and each step goes on where it was.

use super::duo::{Duo, HOST, Switches, record, record_of};
use super::http::{Server, bare, lines, no_secret};
use crate::send::World;
use crate::send::fake::{Fault, Manner, unavailable};
use crate::support::{Run, json_lines};
use std::collections::BTreeSet;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// A Duo with so many records of the last day, a minute apart, up to three minutes ago.
fn service(records: u64) -> Server {
    let now = chrono::Utc::now().timestamp_millis();
    let duo = Duo::new(Switches::default());
    duo.add((0..records).map(|n| record((now - 180_000 - n as i64 * 60_000) * 1000, n)));
    Server::start(duo)
}

/// Another record, half a minute before the first one.
fn one_more(duo: &Duo, n: u64) {
    duo.add([record((chrono::Utc::now().timestamp_millis() - 210_000) * 1000, n)]);
}

/// The command that does all three, told of both services.
fn collect(world: &World, server: &Server) -> Command {
    let mut command = server.collect(world.folder());
    world.at_home(&mut command);
    command.env("UDMAP_SEND_CREDENTIALS", "key.json").env("UDMAP_SEND_STATE", "send.json");
    command.env("UDMAP_SEND_REJECTS", "rejects.ndjson").args(["--convert", "--send"]);
    command
}

/// Ends a command with this status; nothing that it leaves holds a secret of either service.
fn expect(world: &World, status: i32, command: &mut Command) -> Run {
    let run = world.expect(status, command);
    no_secret("stdout", run.stdout.as_bytes());
    no_secret("stderr", run.stderr.as_bytes());
    run
}

/// What arrived are the events that are in the folder, each of them once, and there are so many.
fn each_once(world: &World, folder: &str, count: usize) {
    let events = lines(&world.folder().join(folder));
    let mut arrived: Vec<String> =
        world.fake.events().iter().map(|event| String::from_utf8_lossy(event).into_owned()).collect();
    arrived.sort();
    assert_eq!((events.len(), arrived.len()), (count, count));
    assert!(events == arrived, "each event once, byte for byte");
}

/// Waits for something.
fn until(what: &str, mut is: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn terminate(child: &Child) {
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill").success());
}

#[test]
fn one_run_does_all_three_and_the_next_sends_what_is_new() {
    let (world, server) = (World::new(), service(140));
    let first = expect(&world, 0, collect(&world, &server).args(["--page-size", "50"]));
    assert!(
        first.stderr.starts_with("delivered 140 records in 3 objects, 140 events, 0 rejects from 3 pages")
            && first.stderr.ends_with("\nsent 140 events in 3 requests\n"),
        "{}",
        first.stderr
    );
    each_once(&world, "udm-logs", 140);
    let second = expect(&world, 0, &mut collect(&world, &server));
    assert!(second.stderr.ends_with("\nsent 0 events in 0 requests\n"), "{}", second.stderr);
    assert_eq!(expect(&world, 0, collect(&world, &server).arg("-q")).stderr, "");
    one_more(&server.duo, 500);
    let third = expect(&world, 0, &mut collect(&world, &server));
    assert!(third.stderr.ends_with("\nsent 1 event in 1 request\n"), "{}", third.stderr);
    each_once(&world, "udm-logs", 141);
    // `udmap send` has the same inputs and the same state.
    let same = world.expect(0, world.send(&["udm-logs"]).args(["--state", "send.json"]));
    assert!(same.stderr.contains("141 of them sent before"), "{}", same.stderr);
    each_once(&world, "udm-logs", 141);
}

/// What is done is not read again: with other bytes of the same size and time it would not be what it was.
#[test]
fn what_is_done_is_not_read_again_unless_it_changed() {
    let (world, server) = (World::new(), service(10));
    expect(&world, 0, collect(&world, &server).args(["--compress", "none"]));
    let day =
        fs::read_dir(world.at("udm-logs")).expect("a folder").next().expect("a day").expect("read").path();
    let object = fs::read_dir(day).expect("a folder").next().expect("an object").expect("read").path();
    let (time, bytes) = (object.metadata().expect("metadata").modified().expect("a time"), fs::read(&object));
    let other = String::from_utf8(bytes.expect("read")).expect("UTF-8").replace("+1503", "+1504");
    fs::write(&object, other).expect("written");
    let set = |time| fs::File::options().write(true).open(&object).expect("open").set_modified(time);
    set(time).expect("set");
    let run = expect(&world, 0, &mut collect(&world, &server));
    assert!(run.stderr.ends_with("sent 0 events in 0 requests\n"), "{}", run.stderr);
    // Changed, it is not what it was, and is not skipped in silence.
    set(time + Duration::from_millis(1)).expect("set");
    let run = expect(&world, 2, &mut collect(&world, &server));
    assert!(run.stderr.contains("is another one than it was"), "{}", run.stderr);
    assert_eq!(world.fake.events().len(), 10);
}

#[test]
fn without_secops_it_collects_and_the_next_run_sends() {
    let (world, server) = (World::new(), service(30));
    world.fake.faults(|_| Some(unavailable()));
    let down = expect(&world, 2, collect(&world, &server).args(["--send-give-up", "20ms"]));
    assert!(down.stderr.starts_with("delivered 30 records in 1 object"), "{}", down.stderr);
    assert!(down.stderr.contains("error: ") && down.stderr.contains("took nothing for"), "{}", down.stderr);
    assert!(world.fake.events().is_empty());
    // It does not stop collecting, either.
    one_more(&server.duo, 500);
    let down = expect(&world, 2, collect(&world, &server).args(["--send-give-up", "20ms"]));
    assert!(down.stderr.starts_with("delivered 1 record in 1 object"), "{}", down.stderr);
    world.fake.faults(|_| None);
    // A run that can't collect sends what earlier ones have left, all the same.
    server.duo.faults(|_| Some(super::duo::Fault::Answer(403, "{}".into(), None)));
    let run = expect(&world, 2, &mut collect(&world, &server));
    assert!(run.stderr.contains("error: Duo refuses the request"), "{}", run.stderr);
    assert!(
        run.stderr
            .ends_with("sent 31 events in 2 requests; 2 requests sent again: 31 events may be there twice\n"),
        "{}",
        run.stderr
    );
    each_once(&world, "udm-logs", 31);
    server.duo.faults(|_| None);
    expect(&world, 0, &mut collect(&world, &server));
    each_once(&world, "udm-logs", 31);
    // Credentials that are no good are told, and not waited for.
    let none = expect(&world, 2, collect(&world, &server).args(["--send-credentials", "none.json"]));
    assert!(
        none.stderr.starts_with("delivered 0 records") && none.stderr.contains("none.json"),
        "{}",
        none.stderr
    );
}

#[test]
fn pages_and_time_that_are_used_up_end_collecting_not_sending() {
    let (world, server) = (World::new(), service(120));
    let run = expect(&world, 0, collect(&world, &server).args(["--page-size", "50", "--max-pages", "1"]));
    assert!(run.stderr.contains("as many pages as allowed"), "{}", run.stderr);
    assert!(run.stderr.ends_with("sent 50 events in 1 request\n"), "{}", run.stderr);
    // Nor is there time for all that is to be sent.
    world.fake.faults(|_| Some(unavailable()));
    let begun = Instant::now();
    let run =
        expect(&world, 0, collect(&world, &server).args(["--deadline", "12s", "--send-give-up", "30s"]));
    assert!(begun.elapsed() < Duration::from_secs(12), "it ends in time");
    assert!(run.stderr.ends_with("; stopped: the next run sends the rest\n"), "{}", run.stderr);
    world.fake.faults(|_| None);
    expect(&world, 0, &mut collect(&world, &server));
    each_once(&world, "udm-logs", 120);
}

#[test]
fn what_secops_refuses_is_rejected_once() {
    let refuses = |event: &[u8]| memchr::memmem::find(event, b"+15035550007").is_some();
    let world = World::with(Manner { refuses: Box::new(refuses), ..Manner::default() });
    let server = service(60);
    let run = expect(&world, 1, &mut collect(&world, &server));
    assert!(
        run.stderr.contains("\nsent 59 events in ") && run.stderr.contains(", 1 reject (refused)\n"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("is in `rejects.ndjson`"), "{}", run.stderr);
    expect(&world, 0, &mut collect(&world, &server));
    let rejects = json_lines(&fs::read_to_string(world.at("rejects.ndjson")).expect("rejects"));
    assert_eq!((rejects.len(), rejects[0]["reason"].as_str()), (1, Some("refused")));
    assert!(rejects[0]["raw"].as_str().expect("raw").contains("+15035550007"));
    assert_eq!(world.fake.events().len(), 59);
}

/// Killed as soon as each step has left something, and run again.
#[test]
fn killed_between_any_two_steps() {
    let (world, server) = (World::new(), service(300));
    let command = || {
        let mut command = collect(&world, &server);
        command.args(["--page-size", "100", "--send-parallel", "1"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let objects = |folder: &str| {
        let days = fs::read_dir(world.at(folder)).into_iter().flatten().map(|day| day.expect("read").path());
        let days = days.filter(|day| day.to_string_lossy().contains("/dt="));
        days.map(|day| fs::read_dir(day).expect("a folder").count()).sum::<usize>()
    };
    let kill_when = |what: &str, is: &mut dyn FnMut() -> bool| {
        let mut child = command().spawn().expect("the command starts");
        until(what, || is() || child.try_wait().expect("waited for").is_some());
        child.kill().expect("killed");
        child.wait().expect("ended");
    };
    // Duo is slow to give the second page: the first is collected and converted, and nothing is sent yet.
    server.duo.faults(|n| (n > 1).then(|| super::duo::Fault::Answer(500, String::new(), Some("60".into()))));
    kill_when("its events", &mut || objects("udm-logs") > 0);
    assert!(world.fake.events().is_empty());
    // A raw object without its events: as if it had been killed between the two.
    fs::remove_dir_all(world.at("udm-logs")).expect("removed");
    fs::remove_file(world.at("state.json")).expect("removed");
    server.duo.faults(|_| None);
    // While the first request waits for its answer, which the service has not judged yet.
    world.fake.faults(|_| Some(unavailable()));
    let asked = world.fake.count();
    kill_when("a request", &mut || world.fake.count() > asked);
    assert!(world.fake.events().is_empty() && objects("udm-logs") == 3, "collected, converted, not sent");
    // After the first of them has arrived.
    world.fake.faults(|call| (call.number > 1).then(unavailable));
    kill_when("an event", &mut || {
        let state = fs::read_to_string(world.at("send.json")).unwrap_or_default();
        state.contains("\"accepted\":100,")
    });
    world.fake.faults(|_| None);
    expect(&world, 0, command().stderr(Stdio::piped()));
    each_once(&world, "udm-logs", 300);
    expect(&world, 0, command().stderr(Stdio::piped()));
    each_once(&world, "udm-logs", 300);
}

/// Killed at random moments, while both services fail now and then.
#[test]
fn killed_at_random_moments() {
    let (world, server) = (World::new(), service(1_200));
    server.duo.faults(|n| (n % 7 == 3).then(|| super::duo::Fault::Answer(500, String::new(), None)));
    world.fake.faults(|call| (call.number % 5 == 2).then(unavailable));
    let mut random = crate::support::Random(5);
    let (mut kills, mut lives) = (0, 0);
    let asked = || server.duo.log().len() + world.fake.count();
    // Once all is sent, runs are short: on a fast machine few are killed then.
    while kills < 20 && lives < 60 {
        lives += 1;
        let mut command = collect(&world, &server);
        command.args(["--page-size", "30", "--send-parallel", "1", "--max-pages", "2"]);
        let mut child = command.stderr(Stdio::null()).spawn().expect("the command starts");
        let ended = |child: &mut Child| child.try_wait().expect("waited for").is_some();
        let after = asked() + 1 + random.below(6) as usize;
        until("it asks", || asked() >= after || ended(&mut child));
        std::thread::sleep(Duration::from_micros(random.below(20_000)));
        kills += u64::from(!ended(&mut child));
        child.kill().expect("killed");
        child.wait().expect("ended");
    }
    assert!(kills >= 3, "{kills} of {lives} were killed");
    expect(&world, 0, &mut collect(&world, &server));
    let arrived: BTreeSet<Vec<u8>> = world.fake.events().into_iter().collect();
    let events: BTreeSet<Vec<u8>> =
        lines(&world.at("udm-logs")).into_iter().map(String::into_bytes).collect();
    assert!(events.len() == 1_200 && arrived == events, "every event arrives");
    // What came again came with the same bytes, which SecOps leaves out.
    let distinct: BTreeSet<Vec<u8>> =
        world.fake.imports().into_iter().filter(|import| import.taken).map(|import| import.body).collect();
    let count: usize = distinct.iter().map(|body| memchr::memmem::find_iter(body, "{\"udm\":").count()).sum();
    assert_eq!(count, 1_200, "no event is in two different requests");
    assert!(world.fake.repeats() as u64 <= kills, "{} of {kills}", world.fake.repeats());
}

#[test]
fn each_log_has_a_state_of_its_own() {
    let world = World::new();
    let now = chrono::Utc::now().timestamp_millis();
    let duo = Duo::new(Switches::default());
    for log in ["telephony", "activity"] {
        duo.add((0..40).map(|n| record_of(log, (now - 180_000 - n * 60_000) * 1000, n as u64)));
    }
    let server = Server::start(duo);
    let command = |state: &str, rejects: &str| {
        let mut command = bare();
        world.at_home(&mut command);
        command.args(["telephony", "activity", "--allow-any-host", "--api-url", &server.url]);
        command.args(["--request-interval", "0", "--to", "raw/{log}", "--state", "state/{log}.json"]);
        command.args(["--convert", "--udm-to", "udm/{log}", "--rejects-to", "bad/{log}", "--send"]);
        command.args(["--send-credentials", "key.json", "--send-state", state, "--send-rejects", rejects]);
        command
    };
    for (state, rejects, words) in [
        ("send.json", "{log}.ndjson", "`--send-state` (UDMAP_SEND_STATE) is one place for several logs"),
        (
            "send/{log}.json",
            "r.ndjson",
            "`--send-rejects` (UDMAP_SEND_REJECTS) is one place for several logs",
        ),
        ("udm/{log}/s.json", "{log}.ndjson", "`--send-state` is inside `udm/telephony/`"),
        ("send/{log}.json", "raw/activity/{log}.ndjson", "`--send-rejects` is inside `raw/activity/`"),
        ("same-{log}", "same-{log}", "both write to it"),
    ] {
        let run = expect(&world, 2, &mut command(state, rejects));
        assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
    }
    assert!(server.duo.log().is_empty() && world.fake.count() == 0, "nothing is asked");
    for events in [40, 0] {
        let run = expect(&world, 0, &mut command("send/{log}.json", "{log}.ndjson"));
        for log in ["telephony", "activity"] {
            assert!(run.stderr.contains(&format!("{log}: sent {events} events in ")), "{}", run.stderr);
            assert!(world.at(&format!("send/{log}.json")).exists());
        }
    }
    each_once(&world, "udm", 80);
}

#[test]
fn a_daemon_sends_after_each_run_and_stops_in_the_middle() {
    let (world, server) = (World::new(), service(20));
    let mut command = collect(&world, &server);
    command.args(["--every", "200ms"]).stdout(Stdio::null()).stderr(Stdio::piped());
    let child = command.spawn().expect("the command starts");
    for n in 0..3 {
        until("all that is there is sent", || world.fake.events().len() == 20 + n);
        one_more(&server.duo, 500 + n as u64);
    }
    until("all that is there is sent", || world.fake.events().len() == 23);
    // It can't send, and waits; to be stopped then is how a daemon ends.
    let is_down = Arc::new(AtomicBool::new(false));
    let (asked, down) = (world.fake.count(), Arc::clone(&is_down));
    world.fake.faults(move |_| {
        down.store(true, SeqCst);
        Some(Fault::Answer(crate::http::Reply::new(503, "").with("retry-after", "600")))
    });
    one_more(&server.duo, 600);
    until("it waits", || is_down.load(SeqCst));
    // Long enough to say so.
    std::thread::sleep(Duration::from_millis(1_500));
    assert!(world.fake.count() > asked);
    let begun = Instant::now();
    terminate(&child);
    let output = child.wait_with_output().expect("ended");
    assert!(begun.elapsed() < Duration::from_secs(20), "it stops");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.lines().filter(|line| line.contains("Z sent 1 event in 1 request")).count() >= 3, "{said}");
    assert!(
        said.contains("note: waiting ") && said.contains("; stopped: the next run sends the rest"),
        "{said}"
    );
    world.fake.faults(|_| None);
    expect(&world, 0, &mut collect(&world, &server));
    each_once(&world, "udm-logs", 24);
}

/// A single run that is stopped while it sends is not done.
#[test]
fn stopped_while_it_sends() {
    let (world, server) = (World::new(), service(20));
    world.fake.faults(|_| Some(unavailable()));
    let mut command = collect(&world, &server);
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the command starts");
    until("it sends", || world.fake.count() > 0);
    terminate(&child);
    let output = child.wait_with_output().expect("ended");
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    world.fake.faults(|_| None);
    expect(&world, 0, &mut collect(&world, &server));
    each_once(&world, "udm-logs", 20);
}

#[test]
fn what_is_missing_is_said() {
    let (world, server) = (World::new(), service(1));
    for (name, words) in [
        ("PROJECT", "`--send-project` (UDMAP_SEND_PROJECT) is missing"),
        ("LOCATION", "`--send-location` (UDMAP_SEND_LOCATION) is missing"),
        ("INSTANCE", "`--send-instance` (UDMAP_SEND_INSTANCE) is missing"),
        ("STATE", "`--send-state` (UDMAP_SEND_STATE) is missing"),
        ("REJECTS", "`--send-rejects` (UDMAP_SEND_REJECTS) is missing"),
    ] {
        let run = expect(&world, 2, collect(&world, &server).env(format!("UDMAP_SEND_{name}"), " "));
        assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
    }
    let mut raw = server.collect(world.folder());
    world.at_home(&mut raw);
    let run = expect(&world, 2, raw.arg("--send"));
    assert!(run.stderr.contains("hint: give `--convert`, too"), "{}", run.stderr);
    assert!(server.duo.log().is_empty() && world.fake.count() == 0, "nothing is asked");
    // What only sending needs is not asked for, and not looked at, without it.
    let mut without = server.collect(world.folder());
    without.env("UDMAP_SEND_PROJECT", "p").env("UDMAP_SEND_STATE", "s");
    assert!(expect(&world, 0, &mut without).stderr.starts_with("delivered 1 record"));
    // The variable asks for it, too.
    let mut by_variable = server.collect(world.folder());
    world.at_home(&mut by_variable);
    let run = expect(&world, 2, by_variable.env("UDMAP_SEND", "yes").env("UDMAP_CONVERT", "yes"));
    assert!(run.stderr.contains("UDMAP_SEND_STATE"), "{}", run.stderr);
}

#[test]
fn check_looks_at_both() {
    let (world, server) = (World::new(), service(1));
    let run = expect(&world, 0, collect(&world, &server).arg("--check"));
    for words in [
        &format!("the key works at {HOST}"),
        "`chronicle.events.import` is granted",
        "send.json",
        "state.json",
    ] {
        assert!(run.stdout.contains(words), "{words}: {}", run.stdout);
    }
    assert_eq!(run.stdout.lines().count(), run.stdout.lines().filter(|line| line.starts_with("ok")).count());
    let run = expect(&world, 2, collect(&world, &server).args(["--check", "--send-instance", "wrong"]));
    assert!(run.stdout.contains("HTTP 404") && run.stdout.contains("the key works"), "{}", run.stdout);
    assert!(world.fake.events().is_empty() && lines(&world.at("logs")).is_empty());
}
