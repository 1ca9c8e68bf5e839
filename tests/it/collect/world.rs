//! A world in memory: its own time, objects, and a power cut after any step.

use super::duo::{Duo, HOST, IKEY, SKEY};
use super::signature::Asked;
use async_trait::async_trait;
use futures_util::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt as _, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use udmap::jobs::collect::{
    Clock, Collector, Derive, Failure, Limits, Log, NoAnswer, Places, Report, Request, Response, Settings,
    Transport,
};
use udmap::store::objects::{Store, StorePath};

/// 2026-03-10T12:00:00Z.
pub(crate) const START: i64 = 1_773_144_000_000;
pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// Time that passes only when somebody waits, or when told; and a clock that may be wrong about it.
#[derive(Debug)]
pub(crate) struct Time {
    now: AtomicI64,
    ran: AtomicU64,
    off: AtomicI64,
}

impl Time {
    /// The right time, which is the service's.
    pub(crate) fn right(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    /// By how much the collector's clock is ahead from now on.
    pub(crate) fn ahead(&self, ms: i64) {
        self.off.store(ms, Ordering::SeqCst);
    }

    pub(crate) fn elapsed_ms(&self) -> i64 {
        self.ran.load(Ordering::SeqCst) as i64
    }

    pub(crate) fn pass(&self, ms: i64) {
        self.now.fetch_add(ms, Ordering::SeqCst);
        self.ran.fetch_add(ms as u64, Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for Time {
    fn now(&self) -> i64 {
        self.right() + self.off.load(Ordering::SeqCst)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.ran.load(Ordering::SeqCst))
    }

    async fn sleep(&self, duration: Duration) {
        self.pass(duration.as_millis() as i64);
        tokio::task::yield_now().await;
    }
}

/// When the power goes: at a step, before or after it is carried out.
#[derive(Debug, Default)]
pub(crate) struct Power {
    steps: AtomicU64,
    cut_at: AtomicU64,
    after: AtomicBool,
    gone: Notify,
}

impl Power {
    /// Nothing happens until step `at`, counted from 1; 0 is never.
    pub(crate) fn cut(&self, at: u64, after: bool) {
        self.steps.store(0, Ordering::SeqCst);
        self.cut_at.store(at, Ordering::SeqCst);
        self.after.store(after, Ordering::SeqCst);
    }

    pub(crate) fn steps(&self) -> u64 {
        self.steps.load(Ordering::SeqCst)
    }

    async fn step<T>(&self, work: impl Future<Output = T>) -> T {
        let step = self.steps.fetch_add(1, Ordering::SeqCst) + 1;
        let cut = step == self.cut_at.load(Ordering::SeqCst);
        let result = if cut && !self.after.load(Ordering::SeqCst) { None } else { Some(work.await) };
        match result {
            Some(result) if !cut => result,
            _ => {
                self.gone.notify_one();
                std::future::pending().await
            }
        }
    }
}

/// Objects on that power.
#[derive(Debug)]
struct Powered {
    store: Arc<InMemory>,
    power: Arc<Power>,
}

impl std::fmt::Display for Powered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("objects on a power")
    }
}

#[async_trait]
impl ObjectStore for Powered {
    async fn put_opts(&self, at: &Path, bytes: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.power.step(self.store.put_opts(at, bytes, options)).await
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.store.put_multipart_opts(at, options).await
    }

    async fn get_opts(&self, at: &Path, options: GetOptions) -> Result<GetResult> {
        self.power.step(self.store.get_opts(at, options)).await
    }

    fn delete_stream(&self, all: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.store.delete_stream(all)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.store.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.store.copy_opts(from, to, options).await
    }
}

#[derive(Debug)]
struct Wire {
    duo: Arc<Duo>,
    time: Arc<Time>,
    power: Arc<Power>,
}

#[async_trait]
impl Transport for Wire {
    async fn get(&self, request: Request) -> Result<Response, NoAnswer> {
        let Request { path, query, date, authorization, .. } = &request;
        let asked = Asked { method: "GET", host: HOST, path, query, date, authorization };
        self.power.step(async { self.duo.answer(&asked, self.time.right()) }).await
    }
}

pub(crate) struct World {
    pub(crate) log: &'static Log,
    pub(crate) duo: Arc<Duo>,
    pub(crate) time: Arc<Time>,
    pub(crate) power: Arc<Power>,
    pub(crate) store: Arc<InMemory>,
    pub(crate) settings: Settings,
    pub(crate) derive: Option<Arc<dyn Derive>>,
}

impl World {
    pub(crate) fn new(duo: Duo) -> World {
        World::of("telephony", duo)
    }

    pub(crate) fn of(log: &str, duo: Duo) -> World {
        let given = |name: &str| {
            let text = match name {
                "DUO_API_HOST" => HOST,
                "DUO_IKEY" => IKEY,
                "DUO_SKEY" => SKEY,
                "UDMAP_TO" => "logs",
                "UDMAP_STATE" => "state.json",
                "UDMAP_COMPRESS" => "none",
                _ => return None,
            };
            Some(text.to_owned())
        };
        World {
            log: Log::named(log).expect("a log"),
            duo: Arc::new(duo),
            time: Arc::new(Time {
                now: AtomicI64::new(START),
                ran: AtomicU64::new(0),
                off: AtomicI64::new(0),
            }),
            power: Arc::default(),
            store: Arc::new(InMemory::new()),
            settings: Settings::read(&given).expect("settings"),
            derive: None,
        }
    }

    /// The places, all in one store; on the power, or not.
    fn place(&self, prefix: &str) -> StorePath {
        let powered = Powered { store: Arc::clone(&self.store), power: Arc::clone(&self.power) };
        StorePath { store: Store::around(Arc::new(powered), "mem://b"), prefix: prefix.into() }
    }

    pub(crate) fn collector(&self) -> Collector {
        self.collector_with_state("state.json")
    }

    pub(crate) fn collector_with_state(&self, key: &str) -> Collector {
        let places = Places {
            to: self.place("logs/"),
            state: self.place(key),
            derived: vec![("events", self.place("events/")), ("rejects", self.place("rejects/"))],
        };
        let wire =
            Wire { duo: Arc::clone(&self.duo), time: Arc::clone(&self.time), power: Arc::clone(&self.power) };
        let clock = Arc::clone(&self.time) as Arc<dyn Clock>;
        self.settings
            .build(self.log, places, self.derive.clone(), Arc::new(wire), clock)
            .expect("a collector")
    }

    /// A run; nothing if the power went.
    pub(crate) async fn try_run(&self, limits: &Limits) -> Option<Result<Report, Box<Failure>>> {
        let mut collector = self.collector();
        tokio::select! {
            biased;
            () = self.power.gone.notified() => None,
            result = collector.run(limits) => Some(result.map_err(Box::new)),
        }
    }

    /// A run that must do well.
    pub(crate) async fn run(&self) -> Report {
        let result = self.try_run(&Limits::default()).await.expect("power");
        result.unwrap_or_else(|failure| panic!("{failure}\n{:#?}", self.duo.log()))
    }

    /// A run that must fail.
    pub(crate) async fn fail(&self) -> Box<Failure> {
        self.try_run(&Limits::default()).await.expect("power").expect_err("a failure")
    }

    /// The objects below a prefix, in order, with their texts.
    pub(crate) fn objects(&self, prefix: &str) -> Vec<(String, String)> {
        let store = Arc::clone(&self.store);
        let prefix = prefix.to_owned();
        let list = async move {
            use futures_util::StreamExt as _;
            let mut listed = store.list(None);
            let mut found = Vec::new();
            while let Some(meta) = listed.next().await {
                let location = meta.expect("listed").location;
                if location.as_ref().starts_with(&prefix) {
                    let bytes = store.get(&location).await.expect("got").bytes().await.expect("read");
                    found.push((location.to_string(), String::from_utf8(bytes.to_vec()).expect("UTF-8")));
                }
            }
            found.sort();
            found
        };
        futures_util::FutureExt::now_or_never(list).expect("memory does not wait")
    }

    /// All delivered lines, sorted.
    pub(crate) fn delivered(&self) -> Vec<String> {
        let mut lines: Vec<String> =
            self.objects("logs/").iter().flat_map(|(_, text)| text.lines().map(str::to_owned)).collect();
        lines.sort();
        lines
    }

    pub(crate) fn state(&self) -> serde_json::Value {
        let objects = self.objects("state.json");
        serde_json::from_str(&objects.first().expect("a state").1).expect("JSON")
    }

    pub(crate) async fn put(&self, key: &str, text: &str) {
        self.store.put(&key.into(), text.to_owned().into()).await.expect("put");
    }
}

/// Runs a future to its end.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(future)
}
