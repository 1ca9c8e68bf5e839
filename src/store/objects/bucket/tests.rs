//! Conditional writes whose answers are lost, come late, or lie.

use super::*;
use async_trait::async_trait;
use object_store::memory::InMemory;
use object_store::{CopyOptions, ListResult, MultipartUpload, PutMultipartOptions, PutResult, Result};
use std::sync::Mutex;

/// What happens to a write.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Trouble {
    /// It is carried out; the answer is lost.
    AnswerLost,
    /// It is not carried out; the answer is lost.
    Lost,
    /// S3's "conflict", while another writer is at it.
    Conflict,
    /// Not allowed.
    Denied,
}

/// A store in memory whose next writes have trouble.
#[derive(Debug)]
struct Troubled {
    store: InMemory,
    next: Mutex<Vec<Trouble>>,
}

impl std::fmt::Display for Troubled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("troubled")
    }
}

#[async_trait]
impl ObjectStore for Troubled {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let path = location.to_string();
        let trouble = self.next.lock().unwrap().pop();
        match trouble {
            None => self.store.put_opts(location, payload, options).await,
            Some(Trouble::AnswerLost) => {
                self.store.put_opts(location, payload, options).await?;
                Err(object_store::Error::Generic { store: "S3", source: "timed out".into() })
            }
            Some(Trouble::Lost) => {
                Err(object_store::Error::Generic { store: "S3", source: "timed out".into() })
            }
            Some(Trouble::Conflict) => {
                Err(object_store::Error::AlreadyExists { path, source: "ConditionalRequestConflict".into() })
            }
            Some(Trouble::Denied) => {
                Err(object_store::Error::PermissionDenied { path, source: "403".into() })
            }
        }
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.store.put_multipart_opts(at, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.store.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.store.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<object_store::ObjectMeta>> {
        self.store.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.store.copy_opts(from, to, options).await
    }
}

fn bucket(next: &[Trouble]) -> Bucket {
    let next = Mutex::new(next.iter().rev().copied().collect());
    Bucket::new(Arc::new(Troubled { store: InMemory::new(), next }), "memory://", Parts::ThenCopied)
}

fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

#[tokio::test]
async fn created_once_and_replaced_by_whom_has_read_it() {
    let bucket = bucket(&[]);
    assert!(bucket.read("k", 9).await.unwrap().is_none());
    let Created::New(first) = bucket.create("k", bytes("one")).await.unwrap() else { panic!() };
    let Created::Exists(found) = bucket.create("k", bytes("two")).await.unwrap() else { panic!() };
    assert_eq!((&found.bytes[..], &found.version), (&b"one"[..], &first));
    let Replaced::Done(second) = bucket.replace("k", bytes("two"), &first).await.unwrap() else { panic!() };
    assert!(matches!(bucket.replace("k", bytes("three"), &first).await.unwrap(), Replaced::Changed));
    // Ours, though the condition no longer holds: the answer to a first try was lost.
    let Replaced::Done(found) = bucket.replace("k", bytes("two"), &first).await.unwrap() else { panic!() };
    assert_eq!(found, second);
    assert!(matches!(bucket.replace("none", bytes("x"), &first).await.unwrap(), Replaced::Changed));
}

/// `trouble -> what create and replace come to`.
#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_is_lost_is_looked_at_before_a_verdict() {
    use Trouble::{AnswerLost, Conflict, Denied, Lost};
    let table: [(&[Trouble], &str, &str); 7] = [
        (&[], "new", "done"),
        (&[AnswerLost], "exists", "done"),
        (&[Lost], "new", "done"),
        (&[Conflict, Conflict], "new", "done"),
        (&[Lost, AnswerLost], "exists", "done"),
        (&[Lost; 5], "error", "error"),
        (&[Denied], "error", "error"),
    ];
    for (troubles, created, replaced) in table {
        let made = bucket(troubles).create("k", bytes("one")).await;
        let got = match &made {
            Ok(Created::New(_)) => "new",
            Ok(Created::Exists(object)) if object.bytes == "one" => "exists",
            Ok(Created::Exists(_)) => "foreign",
            Err(_) => "error",
        };
        assert_eq!(got, created, "{troubles:?}");

        let store = InMemory::new();
        let put = store.put(&Path::from("k"), "zero".into()).await.unwrap();
        let next = Mutex::new(troubles.iter().rev().copied().collect());
        let bucket = Bucket::new(Arc::new(Troubled { store, next }), "memory://", Parts::ThenCopied);
        let was = Version { tag: put.e_tag, generation: put.version };
        let got = match bucket.replace("k", bytes("one"), &was).await {
            Ok(Replaced::Done(_)) => "done",
            Ok(Replaced::Changed) => "changed",
            Err(_) => "error",
        };
        assert_eq!(got, replaced, "{troubles:?}");
    }
}

#[tokio::test]
async fn what_is_not_allowed_says_what_the_role_needs() {
    let error = bucket(&[Trouble::Denied]).create("k", bytes("one")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(error.hint().unwrap().contains("s3:PutObject"));
    assert!(error.to_string().starts_with("cannot write `memory:///k`: "), "{error}");
}

#[test]
fn what_is_asked_for() {
    for (prefix, asked) in [
        ("", ""),
        ("a/", "a"),
        ("a/b/", "a/b"),
        ("a//", "a"),
        ("a//b/", "a"),
        ("//", ""),
        ("a/../b/", "a"),
        ("a b/c\u{1}/", "a b"),
    ] {
        assert_eq!(asked_for(prefix), asked, "{prefix:?}");
    }
}
