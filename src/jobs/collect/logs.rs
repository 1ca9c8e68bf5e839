//! Duo's logs: one row each. Everything else is the same for all, so a new log is a new row.

use super::clock::SECOND;
use std::fmt;

/// One of Duo's logs: how it is asked for, where its records are in an answer, and what of them the collector reads.
#[derive(Debug, PartialEq, Eq)]
pub struct Log {
    /// Its name on the command line, in places (`{log}`) and in the names of objects.
    pub name: &'static str,
    /// Where it is, below the API host.
    pub path: &'static str,
    /// The mapping table that makes events of it.
    pub table: &'static str,
    /// The unit of the window's times, in ms.
    pub(super) unit: i64,
    /// Whether a window has an end for Duo, too. Without one, what is later than the window comes as well.
    pub(super) has_end: bool,
    /// The field of `response` that is the list of records; none if `response` is that list.
    pub(super) list: Option<&'static str>,
    /// How the next page is asked for.
    pub(super) next: Next,
    /// The most records of a page.
    pub(super) limit: u32,
    /// The order to ask for: the oldest first.
    pub(super) sort: Option<&'static str>,
    /// The fields that identify a record, the first of them needed; without any it is known by its bytes, and counted.
    pub(super) identity: &'static [&'static str],
    /// The fields with a record's time: the first that can be read counts.
    pub(super) times: &'static [Time],
    /// Whether the state of the published Python function is one of this log.
    pub(super) has_predecessor: bool,
}

/// How the next page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The answer says where it begins, in `metadata.next_offset`; that is sent as the parameter of this name.
    Told(&'static str),
    /// By the last second of the page before, whose records come once more.
    LastSecond,
}

/// A field with a time, and how it is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Time {
    /// ISO 8601.
    Text(&'static str),
    /// A number of units since 1970, each of this many ms.
    Number(&'static str, i64),
}

impl Time {
    pub(super) fn field(&self) -> &'static str {
        match self {
            Time::Text(field) | Time::Number(field, _) => field,
        }
    }
}

/// The logs that Duo's API gives now and a window at a time; the rows below are changes to it.
const VERSION_2: Log = Log {
    name: "",
    path: "",
    table: "",
    unit: 1,
    has_end: true,
    list: Some("items"),
    next: Next::Told("next_offset"),
    limit: 1000,
    sort: Some("ts:asc"),
    identity: &[],
    times: &[Time::Text("ts")],
    has_predecessor: false,
};

/// The older form: seconds, no end, no names of records, and a bare list of the earliest ones.
const VERSION_1: Log = Log {
    unit: SECOND,
    has_end: false,
    list: None,
    next: Next::LastSecond,
    sort: None,
    times: &[Time::Number("timestamp", SECOND), Time::Text("isotimestamp")],
    ..VERSION_2
};

/// All logs; the first is the one that is collected if none is named.
pub(super) static LOGS: [Log; 6] = [
    Log {
        name: "telephony",
        path: "/admin/v2/logs/telephony",
        table: "duo_telephony",
        identity: &["telephony_id", "txid", "ts"],
        has_predecessor: true,
        ..VERSION_2
    },
    Log {
        name: "authentication",
        path: "/admin/v2/logs/authentication",
        table: "duo_auth",
        list: Some("authlogs"),
        identity: &["txid", "isotimestamp", "timestamp"],
        times: &[Time::Text("isotimestamp"), Time::Number("timestamp", SECOND)],
        ..VERSION_2
    },
    Log {
        name: "activity",
        path: "/admin/v2/logs/activity",
        table: "duo_activity",
        identity: &["activity_id", "ts"],
        ..VERSION_2
    },
    Log { name: "administrator", path: "/admin/v1/logs/administrator", table: "duo_admin", ..VERSION_1 },
    Log {
        name: "offline-enrollment",
        path: "/admin/v1/logs/offline_enrollment",
        table: "duo_offline_enrollment",
        ..VERSION_1
    },
    Log {
        name: "trust-monitor",
        path: "/admin/v1/trust_monitor/events",
        table: "duo_trust_monitor",
        list: Some("events"),
        next: Next::Told("offset"),
        limit: 200,
        sort: None,
        identity: &["sekey", "surfaced_timestamp"],
        times: &[Time::Number("surfaced_timestamp", 1)],
        ..VERSION_2
    },
];

impl Log {
    /// All logs; the first is the one that is collected if none is named.
    pub fn all() -> &'static [Log] {
        &LOGS
    }

    /// The log of this name, which may begin with `duo-`.
    ///
    /// # Errors
    /// The names that there are.
    pub fn named(text: &str) -> Result<&'static Log, String> {
        let name = text.trim().trim_start_matches("duo-");
        LOGS.iter().find(|log| log.name == name).ok_or_else(|| {
            let names: Vec<&str> = LOGS.iter().map(|log| log.name).collect();
            format!("expected one of: {}", names.join(", "))
        })
    }

    /// The logs of these names, with commas or blanks between them.
    ///
    /// # Errors
    /// As of [`named`](Log::named).
    pub(super) fn listed(text: &str) -> Result<Vec<&'static Log>, String> {
        let names = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|name| !name.is_empty());
        names.map(Log::named).collect()
    }

    /// What [`decorate`](super::Settings::decorate) and Duo's own clients call it in a record.
    pub(super) fn event_type(&self) -> String {
        self.name.replace('-', "_")
    }

    /// Whether its records come in the order of their times.
    pub(super) fn is_in_order(&self) -> bool {
        self.sort.is_some() || self.next == Next::LastSecond
    }

    /// How many records a page has at most, if this many are wanted.
    pub(super) fn page_size(&self, wanted: u32) -> u32 {
        match self.next {
            Next::Told(_) => wanted.min(self.limit),
            Next::LastSecond => self.limit,
        }
    }

    /// The last millisecond that is whole at `ms`, in the log's own unit.
    pub(super) fn whole_before(&self, ms: i64) -> i64 {
        ms - (ms + 1).rem_euclid(self.unit)
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
