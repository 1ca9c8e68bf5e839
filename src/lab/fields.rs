//! Where the values of a record come from: random numbers, and a stream of fields with ascending time.

use super::calendar::Calendar;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// 2019-06-01T00:00:00Z, where the time of a stream starts, in microseconds.
const FIRST: i64 = 1_559_347_200_000_000;
/// 2100-01-01T00:00:00Z, where it starts again.
const LAST: i64 = 4_102_444_800_000_000;
/// Two records are at most this many microseconds apart.
const STEP: u64 = 20_000_000;

/// How a telephony event was initiated, by how often each comes up in a tenant's logs.
const CONTEXTS: [&str; 8] = [
    "authentication",
    "authentication",
    "authentication",
    "authentication",
    "authentication",
    "enrollment",
    "administrator login",
    "verify",
];

/// Random choices out of ChaCha8's words and nothing else, so that no release of a crate with
/// another way to draw from a range changes a byte.
#[derive(Debug)]
pub(super) struct Rng(ChaCha8Rng);

impl Rng {
    /// Stretches the seed to a key with SplitMix64.
    pub(super) fn new(seed: u64) -> Self {
        let mut state = seed;
        let mut key = [0; 32];
        for word in key.chunks_exact_mut(8) {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            word.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    pub(super) fn word(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number under `n`, which is not 0.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.word()) * u128::from(n)) >> 64) as u64
    }

    /// [`Rng::below`] for lengths and places.
    pub(super) fn index(&mut self, n: usize) -> usize {
        self.below(n as u64) as usize
    }

    pub(super) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.index(from.len())]
    }
}

/// A tenant's telephony events, one after the other.
#[derive(Debug)]
pub(super) struct RecordSource {
    micros: i64,
    /// Where records come from a calendar: of how many, and the number of the next one.
    calendar: Option<(Calendar, u64)>,
    pub(super) number: u64,
    hosts: [[u8; 28]; 4],
}

/// What one record says.
#[derive(Debug)]
pub(super) struct RecordFields {
    /// Since 1970-01-01T00:00:00Z.
    pub(super) micros: i64,
    pub(super) context: &'static str,
    pub(super) credits: u64,
    /// A US number in the range that films use, 555.
    pub(super) phone: [u8; 12],
    pub(super) sms: bool,
    pub(super) telephony_id: u128,
    pub(super) txid: u128,
    pub(super) host: [u8; 28],
}

impl RecordSource {
    pub(super) fn new(rng: &mut Rng) -> Self {
        let hosts = [(); 4].map(|()| {
            let mut host = *b"api-00000000.duosecurity.com";
            let name = rng.word().to_le_bytes();
            for (place, byte) in host[4..12].chunks_exact_mut(2).zip(name) {
                place.copy_from_slice(&hex(byte));
            }
            host
        });
        Self { micros: FIRST, calendar: None, number: 0, hosts }
    }

    /// Spreads `records` over a calendar.
    pub(super) fn spread(&mut self, calendar: Calendar, records: u64) {
        self.calendar = Some((calendar, records));
        self.micros = i64::MIN;
    }

    pub(super) fn next(&mut self, rng: &mut Rng) -> RecordFields {
        match self.calendar {
            Some((calendar, records)) => {
                let number = self.number.min(records.saturating_sub(1));
                let time = calendar.time(number, records, rng.below(calendar.weight()));
                // A line with more records than it counts must not go back.
                self.micros = time.max(self.micros);
                self.number += 1;
            }
            None => {
                // A step fits.
                self.micros += 1 + rng.below(STEP) as i64;
                if self.micros >= LAST {
                    self.micros = FIRST;
                }
            }
        }
        let luck = rng.word();
        let mut phone = *b"+12005550000";
        let mut digits = 200_0000 + rng.below(800_0000);
        for place in [11, 10, 9, 8, 4, 3, 2] {
            phone[place] = b'0' + (digits % 10) as u8;
            digits /= 10;
        }
        RecordFields {
            micros: self.micros,
            context: CONTEXTS[luck as usize & 7],
            // Most messages cost little.
            credits: if luck & 8 == 0 { (luck >> 8) & 3 } else { (luck >> 8) % 21 },
            phone,
            sms: luck & 16 == 0,
            telephony_id: uuid(rng),
            txid: uuid(rng),
            host: self.hosts[(luck >> 5) as usize & 3],
        }
    }
}

impl RecordFields {
    pub(super) fn seconds(&self) -> i64 {
        self.micros.div_euclid(1_000_000)
    }

    pub(super) fn kind(&self) -> &'static str {
        if self.sms { "sms" } else { "phone" }
    }
}

/// A random UUID: version 4, variant 1.
fn uuid(rng: &mut Rng) -> u128 {
    let bits = u128::from(rng.word()) << 64 | u128::from(rng.word());
    bits & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62
}

fn hex(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]
}

/// Appends a UUID in its usual form.
pub(super) fn put_uuid(id: u128, out: &mut Vec<u8>) {
    let mut text = *b"00000000-0000-0000-0000-000000000000";
    let mut place = 0;
    for byte in id.to_be_bytes() {
        place += usize::from(text[place] == b'-');
        text[place..place + 2].copy_from_slice(&hex(byte));
        place += 2;
    }
    out.extend_from_slice(&text);
}

/// Appends `number` with at least `width` digits, zeros before it.
pub(super) fn put_number(number: u64, width: usize, out: &mut Vec<u8>) {
    let mut text = [b'0'; 20];
    let (mut rest, mut place) = (number, text.len());
    while rest > 0 {
        place -= 1;
        text[place] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.extend_from_slice(&text[place.min(text.len() - width)..]);
}

/// Appends `number`, with a sign if it is below zero.
pub(super) fn put_signed(number: i64, out: &mut Vec<u8>) {
    if number < 0 {
        out.push(b'-');
    }
    put_number(number.unsigned_abs(), 1, out);
}

/// Year, month and day of a number of days since 1970-01-01 (Howard Hinnant's `civil_from_days`), from year 1 on.
pub(super) fn civil(days: i64) -> [u64; 3] {
    let days = days.saturating_add(719_468).unsigned_abs();
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    [era * 400 + year_of_era + u64::from(month <= 2), month, day]
}

/// Appends `hh:mm:ss`.
pub(super) fn put_clock(seconds: i64, out: &mut Vec<u8>) {
    let seconds = seconds.rem_euclid(86_400).unsigned_abs();
    put_number(seconds / 3600 % 24, 2, out);
    out.push(b':');
    put_number(seconds / 60 % 60, 2, out);
    out.push(b':');
    put_number(seconds % 60, 2, out);
}

/// Appends `2023-03-21T22:34:49`, with another separator in the middle where wanted.
pub(super) fn put_time(seconds: i64, middle: u8, out: &mut Vec<u8>) {
    let [year, month, day] = civil(seconds.div_euclid(86_400));
    put_number(year, 4, out);
    out.push(b'-');
    put_number(month, 2, out);
    out.push(b'-');
    put_number(day, 2, out);
    out.push(middle);
    put_clock(seconds, out);
}
