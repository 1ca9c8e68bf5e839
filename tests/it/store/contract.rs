//! What is promised of every store, tried one promise after the other.

use bytes::Bytes;
use object_store::ObjectStore;
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tokio::runtime::Runtime;
use udmap::store::ErrorKind;
use udmap::store::objects::{
    Access, BlockingStore, Created, Deleted, ObjectMeta, ReadEnd, Replaced, Store, StorePath, Upload, Version,
};

/// Larger than what is written by one request.
const LARGE: usize = (20 << 20) + 12_345;
/// More than a page of a listing, which holds 1,000 objects of S3 and Google's, and 5,000 of Azure's.
const MANY: usize = 1_050;

/// A store, with what the contract asks of it in one way.
pub(crate) struct Subject {
    store: Store,
    /// The same store, for threads.
    blocking: BlockingStore,
    /// What all keys begin with: empty, or ended by `/`.
    prefix: String,
    runtime: Runtime,
}

/// What a store can promise, and what not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Promises {
    /// The names of promises that are known not to be kept.
    pub(crate) broken: String,
    /// Keys that are not paths or are hidden as files: empty, `.` and `..` parts, a dot or white space in front, `/` at
    /// an end, control characters.
    pub(crate) unusual_keys: bool,
    /// How many objects are made to have several pages.
    pub(crate) many: usize,
    /// A backslash in a key is itself.
    pub(crate) backslashes: bool,
    /// Keys as long as S3 takes them: 1,024 bytes.
    pub(crate) long_keys: bool,
    /// Of two uploads in parts at once, the one that ends later sees it.
    pub(crate) one_of_two_large: bool,
}

impl Promises {
    pub(crate) fn s3() -> Promises {
        Promises {
            broken: String::new(),
            unusual_keys: true,
            backslashes: true,
            many: MANY,
            long_keys: true,
            one_of_two_large: true,
        }
    }

    /// Azure takes dots and slashes at ends for a path's, and backslashes for slashes. It lists 5,000 objects at once.
    pub(crate) fn azure() -> Promises {
        Promises { unusual_keys: false, backslashes: false, many: 5_050, ..Promises::s3() }
    }

    /// Ceph 16 compares an ETag with its quotes, so it refuses each replacement, and ignores the conditions of deletions
    /// and of the end of an upload in parts. `udmap collect --check` says so.
    pub(crate) fn ceph() -> Promises {
        let broken = "replaced if unchanged, one of many replaces, deleted if unchanged, large objects";
        Promises { broken: broken.to_owned(), ..Promises::s3() }
    }

    pub(crate) fn google() -> Promises {
        Promises { unusual_keys: false, ..Promises::s3() }
    }

    /// Its keys are the paths that stand for unusual keys, so those are not in order.
    pub(crate) fn memory() -> Promises {
        Promises { unusual_keys: false, ..Promises::s3() }
    }

    /// A folder's keys are paths, whose parts have 255 bytes at most.
    pub(crate) fn folder() -> Promises {
        Promises { unusual_keys: false, long_keys: false, ..Promises::s3() }
    }

    fn text(&self) -> String {
        format!(
            "{} {} {} {} {} {}",
            self.unusual_keys,
            self.backslashes,
            self.many,
            self.long_keys,
            self.one_of_two_large,
            self.broken
        )
    }

    fn read(text: &str) -> Promises {
        let words: Vec<&str> = text.splitn(6, ' ').collect();
        let [unusual, backslashes, many, long, large, broken] = words[..] else {
            panic!("expected five words and names, found `{text}`")
        };
        Promises {
            broken: broken.to_owned(),
            unusual_keys: unusual == "true",
            backslashes: backslashes == "true",
            many: many.parse().expect("a number"),
            long_keys: long == "true",
            one_of_two_large: large == "true",
        }
    }
}

impl Subject {
    pub(crate) fn open(url: &str) -> Subject {
        let access = Access::new(false, Arc::default()).expect("threads");
        let StorePath { store, prefix } = StorePath::prefix(url).expect("a place");
        let (blocking, _) = BlockingStore::open(url, &access).expect("a store");
        Subject { store, blocking, prefix, runtime: runtime() }
    }

    pub(crate) fn around(store: Arc<dyn ObjectStore>) -> Subject {
        let access = Access::new(false, Arc::default()).expect("threads");
        let blocking = BlockingStore::around(Arc::clone(&store), "memory://b", &access);
        Subject {
            store: Store::around(store, "memory://b"),
            blocking,
            prefix: String::new(),
            runtime: runtime(),
        }
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// Whether it was not there before.
    fn create(&self, key: &str, bytes: &[u8]) -> Option<Version> {
        let bytes = Bytes::copy_from_slice(bytes);
        match self.runtime.block_on(self.store.create(&self.key(key), bytes)).expect("created, or not") {
            Created::New(version) => Some(version),
            Created::Exists(_) => None,
        }
    }

    fn get(&self, key: &str) -> Option<(Vec<u8>, Version)> {
        let got = self.runtime.block_on(self.store.read(&self.key(key), 1 << 30)).expect("read");
        got.map(|object| (object.bytes.to_vec(), object.version))
    }

    fn replace(&self, key: &str, bytes: &[u8], was: &Version) -> Option<Version> {
        let bytes = Bytes::copy_from_slice(bytes);
        let replaced = self.runtime.block_on(self.store.replace(&self.key(key), bytes, was));
        match replaced.expect("replaced, or not") {
            Replaced::Done(version) => Some(version),
            Replaced::Changed => None,
        }
    }

    fn head(&self, key: &str) -> Option<ObjectMeta> {
        self.blocking.head(&self.key(key)).expect("looked at")
    }

    fn range(&self, found: &ObjectMeta, last: bool, most: u64) -> Vec<u8> {
        self.blocking.read_end(found, last, most).expect("a part")
    }

    /// The whole of one version, as a stream.
    fn stream(&self, found: &ObjectMeta) -> Result<Vec<u8>, ErrorKind> {
        let outcome = ReadEnd::default();
        let mut reader = self.blocking.read(found, Arc::default(), &outcome).map_err(|error| error.kind())?;
        let mut bytes = Vec::new();
        match reader.read_to_end(&mut bytes) {
            Ok(_) => {
                assert_eq!(outcome.whole().map(|(size, _)| size), Some(bytes.len() as u64));
                Ok(bytes)
            }
            Err(error) => Err(outcome.take_error().map_or_else(|| panic!("{error}"), |it| it.kind())),
        }
    }

    /// A folder that is not there is an error, so that one that vanishes is not taken for an empty one.
    fn list(&self, prefix: &str) -> Vec<ObjectMeta> {
        let listed: Result<Vec<_>, _> = self.blocking.list(&self.key(prefix)).collect();
        let mut listed = match listed {
            Err(error) if error.kind() == ErrorKind::NotFound && !self.blocking.is_remote() => Vec::new(),
            listed => listed.expect("listed"),
        };
        for found in &mut listed {
            found.key = found.key.strip_prefix(&self.prefix).expect("what was asked for").to_owned();
        }
        listed
    }

    /// Writes an object of any size, in pieces: it must not be there, or be the same.
    fn upload(&self, key: &str, bytes: &[u8]) -> Result<(), ErrorKind> {
        let kind = |error: udmap::store::Error| error.kind();
        let mut upload = self.blocking.write(&self.key(key), bytes.len() as u64).map_err(kind)?;
        for piece in bytes.chunks(1 << 20) {
            upload
                .write_all(piece)
                .map_err(|error| udmap::store::Error::from_io(error).expect("ours").kind())?;
        }
        let stored = upload.finish().map_err(kind)?;
        assert_eq!(stored.size, bytes.len() as u64);
        let pending = stored.staged.into_iter().collect();
        self.blocking.commit(pending).into_iter().try_for_each(|result| result.map_err(kind))
    }

    fn delete(&self, key: &str, etag: &str) -> Deleted {
        self.blocking.delete(&self.key(key), etag).expect("deleted, or not")
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// Tries all promises, and says which are not kept. The store is empty at the beginning.
pub(crate) fn contract(store: &Subject, promises: &Promises) {
    let all: [(&str, &dyn Fn()); 9] = [
        ("created if absent", &|| created_if_absent(store)),
        ("replaced if unchanged", &|| replaced_if_unchanged(store)),
        ("one of many creates", &|| one_of_many_creates(store)),
        ("one of many replaces", &|| one_of_many_replaces(store)),
        ("ranges of one version", &|| ranges_of_one_version(store)),
        ("listed in order", &|| listed_in_order(store, promises)),
        ("deleted if unchanged", &|| deleted_if_unchanged(store)),
        ("large objects", &|| large_objects(store, promises)),
        ("keys", &|| keys(store, promises)),
    ];
    let broken = all.iter().filter(|(_, kept)| catch_unwind(AssertUnwindSafe(kept)).is_err());
    let broken: Vec<&str> = broken.map(|(promise, _)| *promise).collect();
    assert_eq!(broken.join(", "), promises.broken, "promises that are not kept, see above");
}

/// The contract for a service, in a process that has its environment.
pub(crate) fn at(url: &str, environment: &[(&str, &str)], promises: &Promises) {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["store::service", "--exact", "--ignored", "--nocapture"]);
    command.env("UDMAP_CONTRACT_URL", url).env("UDMAP_CONTRACT_PROMISES", promises.text());
    let done = command.envs(environment.iter().copied()).output().expect("it runs");
    let said = [&done.stdout[..], &done.stderr[..]].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(done.status.success() && said.contains("1 passed"), "the contract with {url}:\n{said}");
}

/// The contract for the service that the environment names.
pub(crate) fn named() {
    let of = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is set"));
    let promises = Promises::read(&of("UDMAP_CONTRACT_PROMISES"));
    contract(&Subject::open(&of("UDMAP_CONTRACT_URL")), &promises);
}

fn created_if_absent(store: &Subject) {
    assert!(store.get("create/a").is_none() && store.head("create/a").is_none());
    let first = store.create("create/a", b"one").expect("it was not there");
    assert!(store.create("create/a", b"two").is_none(), "written over");
    let (bytes, version) = store.get("create/a").expect("it is there");
    assert_eq!((&bytes[..], &version), (&b"one"[..], &first));
    store.create("create/empty", b"").expect("it was not there");
    assert_eq!(store.get("create/empty").expect("it is there").0, b"");
}

fn replaced_if_unchanged(store: &Subject) {
    let first = store.create("replace/a", b"one").expect("it was not there");
    let second = store.replace("replace/a", b"two", &first).expect("it was unchanged");
    assert!(store.replace("replace/a", b"three", &first).is_none(), "replaced what had changed");
    assert!(store.replace("replace/a", b"three", &Version::never()).is_none(), "no such version");
    assert_eq!(store.get("replace/a").expect("it is there"), (b"two".to_vec(), second));
    assert!(store.replace("replace/none", b"x", &first).is_none(), "replaced what is not there");
    assert!(store.get("replace/none").is_none());
}

/// How many of six at once succeed.
fn winners(act: impl Fn(u8) -> bool + Sync) -> usize {
    let winners = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for n in 0..6 {
            let (winners, act) = (&winners, &act);
            scope.spawn(move || winners.fetch_add(usize::from(act(n)), SeqCst));
        }
    });
    winners.into_inner()
}

fn one_of_many_creates(store: &Subject) {
    for round in 0..5 {
        let key = format!("create/race/{round}");
        assert_eq!(winners(|n| store.create(&key, &[n]).is_some()), 1, "{key}");
    }
}

fn one_of_many_replaces(store: &Subject) {
    for round in 0..5 {
        let key = format!("replace/race/{round}");
        let was = store.create(&key, b"one").expect("it was not there");
        assert_eq!(winners(|n| store.replace(&key, &[n], &was).is_some()), 1, "{key}");
    }
}

fn ranges_of_one_version(store: &Subject) {
    let text: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    store.create("range/a", &text).expect("it was not there");
    let found = store.head("range/a").expect("it is there");
    assert_eq!(found.size, text.len() as u64);
    assert!(store.range(&found, false, 5_000) == text[..5_000]);
    assert!(store.range(&found, true, 5_000) == text[text.len() - 5_000..]);
    for last in [false, true] {
        assert!(store.range(&found, last, 1 << 30) == text, "no more than there is");
        assert_eq!(store.range(&found, last, 0), b"");
    }
    assert_eq!(store.stream(&found), Ok(text.clone()));
    // Of the same length, so that nothing but the version tells them apart.
    let other: Vec<u8> = text.iter().map(|byte| !byte).collect();
    assert_eq!(store.delete("range/a", &found.etag), Deleted::Done);
    store.create("range/a", &other).expect("it is gone");
    assert_eq!(store.stream(&found), Err(ErrorKind::Changed));
    let now = store.head("range/a").expect("it is there");
    assert_ne!(now.etag, found.etag);
    assert_eq!(store.stream(&now), Ok(other));
    let none = ObjectMeta { key: store.key("range/none"), ..now };
    // Azurite says of what is not there that it is not as it was.
    assert!(matches!(store.stream(&none), Err(ErrorKind::NotFound | ErrorKind::Changed)));
    store.create("range/empty", b"").expect("it was not there");
    let empty = store.head("range/empty").expect("it is there");
    assert_eq!((store.stream(&empty), store.range(&empty, true, 9)), (Ok(Vec::new()), Vec::new()));
}

fn listed_in_order(store: &Subject, promises: &Promises) {
    assert!(store.list("list/").is_empty(), "of what is not there");
    let next = AtomicUsize::new(0);
    let key = |n: usize| format!("list/{}/{:05}", n % 7, n * 7919 % promises.many);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(n) = Some(next.fetch_add(1, SeqCst)).filter(|n| *n < promises.many) {
                    store.create(&key(n), &vec![b'x'; n % 5]).expect("it was not there");
                }
            });
        }
    });
    // What only begins alike is something else.
    store.create("listed", b"x").expect("it was not there");
    let listed = store.list("list/");
    let want: BTreeMap<String, u64> = (0..promises.many).map(|n| (key(n), n as u64 % 5)).collect();
    assert!(listed.is_sorted_by(|a, b| store.blocking.order(&a.key, &b.key).is_lt()), "in order, each once");
    let got: BTreeMap<String, u64> = listed.iter().map(|it| (it.key.clone(), it.size)).collect();
    assert!(got == want && listed.len() == want.len());
    for found in listed.iter().step_by(promises.many / 3) {
        let head = store.head(&found.key).expect("it is there");
        assert_eq!((&head.etag, head.size), (&found.etag, found.size), "as the listing says");
    }
    assert!(store.list("list/3/").iter().all(|found| found.key.starts_with("list/3/")));
    let all = store.list("").len();
    assert!(all > want.len() + 1);
}

fn deleted_if_unchanged(store: &Subject) {
    let version = store.create("delete/a", b"one").expect("it was not there");
    let before = store.head("delete/a").expect("it is there");
    assert_eq!(store.delete("delete/a", "\"never\""), Deleted::Changed);
    store.replace("delete/a", b"other", &version).expect("it was unchanged");
    assert_eq!(store.delete("delete/a", &before.etag), Deleted::Changed);
    assert_eq!(store.get("delete/a").expect("it stays").0, b"other");
    let now = store.head("delete/a").expect("it is there");
    assert_eq!(store.delete("delete/a", &now.etag), Deleted::Done);
    assert_eq!(store.delete("delete/a", &now.etag), Deleted::Gone);
    assert!(store.get("delete/a").is_none() && store.list("delete/").is_empty());
}

fn large_objects(store: &Subject, promises: &Promises) {
    let text: Vec<u8> = (0..LARGE as u64 / 8 + 1).flat_map(|n| (n * 0x9E37_79B9).to_le_bytes()).collect();
    let text = &text[..LARGE];
    assert_eq!(store.upload("large/a", text), Ok(()));
    let found = store.head("large/a").expect("it is there");
    assert_eq!(found.size, LARGE as u64);
    assert!(store.stream(&found).expect("read") == text);
    assert_eq!(store.upload("large/a", text), Ok(()), "the same bytes are there");
    let other: Vec<u8> = text.iter().map(|byte| !byte).collect();
    assert_eq!(store.upload("large/a", &other), Err(ErrorKind::Taken));
    assert_eq!(store.upload("large/a", b"small"), Err(ErrorKind::Taken));
    assert_eq!(store.head("large/a").expect("it is there").etag, found.etag, "untouched");
    let seen: Vec<String> = store.list("large/").into_iter().map(|found| found.key).collect();
    assert_eq!(seen, ["large/a"], "nothing is left of what failed");

    // Two that begin before either ends: both look, find nothing, and one of them must see that it came second.
    let start = |bytes: &[u8]| {
        let mut upload = store.blocking.write(&store.key("large/race"), LARGE as u64).expect("begun");
        upload.write_all(bytes).expect("written");
        upload
    };
    if !promises.one_of_two_large {
        return;
    }
    let (first, second) = (start(text), start(&other));
    let end = |upload: Upload| {
        let stored = upload.finish().map_err(|error| error.kind())?;
        let results = store.blocking.commit(stored.staged.into_iter().collect());
        results.into_iter().try_for_each(|result| result.map_err(|error| error.kind()))
    };
    assert_eq!(end(first), Ok(()));
    assert_eq!(end(second), Err(ErrorKind::Taken));
    let found = store.head("large/race").expect("it is there");
    assert!(store.stream(&found).expect("read") == text);

    // One that is given up was never there.
    drop(start(text));
    let seen: Vec<String> = store.list("large/").into_iter().map(|found| found.key).collect();
    assert_eq!(seen, ["large/a", "large/race"]);
}

fn keys(store: &Subject, promises: &Promises) {
    let long = format!("keys/{}", "é/".repeat(330));
    let long = format!("{long}{}", "x".repeat(1000 - long.len()));
    let mut keys = vec![
        "keys/with space /and  two",
        "keys/ü/日本/🦀.gz",
        "keys/a#b?c&d=e+f",
        "keys/50%/%2F%2e",
        "keys/x<y>&\"z'",
        "keys/~!$()*,;:@=[]{}|^`",
    ];
    if promises.backslashes {
        keys.push("keys/a\\b/c\\");
    }
    if promises.unusual_keys {
        keys.extend([
            "keys/..a../b..",
            "keys/a/../b",
            "keys/./a//b/..",
            "keys/end/",
            "keys/\u{1}\t\u{7f}",
            "keys/ ",
            "keys//",
        ]);
    }
    if promises.long_keys {
        keys.push(&long);
    }
    for (n, key) in keys.iter().enumerate() {
        assert!(store.head(key).is_none(), "{key:?}");
        let text = format!("object {n}");
        assert_eq!(store.upload(key, text.as_bytes()), Ok(()), "{key:?}");
        assert_eq!(store.upload(key, b"other"), Err(ErrorKind::Taken), "{key:?}");
        let found = store.head(key).unwrap_or_else(|| panic!("{key:?} is there"));
        assert_eq!(store.stream(&found), Ok(text.into_bytes()), "{key:?}");
    }
    let mut want = keys.clone();
    want.sort_by(|a, b| store.blocking.order(a, b));
    let listed: Vec<String> = store.list("keys/").into_iter().map(|found| found.key).collect();
    assert_eq!(listed, want);
    for key in &keys {
        let found = store.head(key).unwrap_or_else(|| panic!("{key:?} is there"));
        assert_eq!(store.delete(key, &found.etag), Deleted::Done, "{key:?}");
        assert!(store.head(key).is_none(), "{key:?}");
    }
    assert!(store.list("keys/").is_empty());
}
