//! Writes numbers of a few bits, the lowest bit first, as deflate has them.

/// Bits behind one another.
#[derive(Debug, Default)]
pub(super) struct BitWriter {
    /// What was written, with room behind it.
    bytes: Vec<u8>,
    /// How many of these bytes are complete.
    at: usize,
    /// The bits that do not fill a byte yet, and for a moment those of up to seven bytes more.
    bits: u64,
    count: u32,
}

impl BitWriter {
    /// Writes behind `bytes`, which end with a byte.
    pub(super) fn behind(bytes: Vec<u8>) -> BitWriter {
        BitWriter { at: bytes.len(), bytes, bits: 0, count: 0 }
    }

    /// Makes room for this many bits, so that it is not made piece by piece.
    pub(super) fn reserve(&mut self, bits: u64) {
        self.bytes.resize(self.at + (bits / 8) as usize + 24, 0);
    }

    #[cold]
    #[inline(never)]
    fn more_room(&mut self) {
        self.bytes.resize(2 * self.bytes.len() + 64, 0);
    }

    /// Adds the lowest `count` bits of `bits`, which has no others. Between two flushes at most 56 bits may come.
    #[inline(always)]
    pub(super) fn put(&mut self, bits: u64, count: u32) {
        debug_assert!(bits >> count == 0 && self.count + count < 64);
        self.bits |= bits << self.count;
        self.count += count;
    }

    /// Moves what fills bytes to them.
    #[inline(always)]
    pub(super) fn flush(&mut self) {
        if self.bytes.len() < self.at + 8 {
            self.more_room();
        }
        self.bytes[self.at..self.at + 8].copy_from_slice(&self.bits.to_le_bytes());
        self.at += (self.count / 8) as usize;
        self.bits >>= self.count & !7;
        self.count &= 7;
    }

    /// Adds what is deflate already and begins and ends with a byte: behind an empty stored block, unless the last byte
    /// is full.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        if self.count > 0 {
            self.stored_header(0);
        }
        self.bytes.truncate(self.at);
        self.bytes.extend_from_slice(bytes);
        self.at = self.bytes.len();
    }

    /// Adds stored blocks.
    pub(super) fn stored(&mut self, text: &[u8]) {
        for piece in text.chunks(usize::from(u16::MAX)) {
            self.stored_header(piece.len() as u16);
            self.bytes(piece);
        }
    }

    fn stored_header(&mut self, length: u16) {
        self.reserve(64);
        self.put(0, 3);
        self.count = self.count.next_multiple_of(8);
        self.flush();
        self.put(length.into(), 16);
        self.put((!length).into(), 16);
        self.flush();
    }

    /// The bytes, the last one filled up with zeros.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.flush();
        self.at += usize::from(self.count > 0);
        self.bytes.truncate(self.at);
        self.bytes
    }
}
