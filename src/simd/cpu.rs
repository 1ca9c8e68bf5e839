//! What is asked of vector instructions, whichever they are.

/// How many bytes are looked at at a time where a text may end soon.
pub(crate) const BLOCK: usize = 32;
/// How many bytes are compared or copied at a time.
pub(crate) const WIDE: usize = 64;

/// What a byte of a record may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// One of these, both included.
    From(u8, u8),
    /// Any of a plain text: no quote, backslash, control character or high byte.
    Text,
}

/// What a wide block of a record may be, byte by byte.
#[derive(Debug, Clone, PartialEq)]
#[repr(C, align(64))]
pub(crate) struct WidePattern {
    /// The least value of each byte.
    pub(super) least: [u8; WIDE],
    /// By how much a byte may be more.
    pub(super) span: [u8; WIDE],
    /// 0xff for the bytes that may be neither a quote nor a backslash, and 0.
    pub(super) text: [u8; WIDE],
}

/// What a piece of a record may be, byte by byte.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pattern {
    /// As many as `blocks` need.
    pub(super) wide: Vec<WidePattern>,
    /// How many blocks the piece reaches into.
    pub(super) blocks: usize,
}

impl Pattern {
    /// A pattern for these bytes; what is behind may be anything.
    pub(crate) fn new(bytes: &[Allowed]) -> Pattern {
        let wide = bytes.chunks(WIDE).map(|bytes| {
            let mut pattern = WidePattern { least: [0; WIDE], span: [0xff; WIDE], text: [0; WIDE] };
            for (i, byte) in bytes.iter().enumerate() {
                let (least, most, text) = match *byte {
                    Allowed::From(least, most) => (least, most, 0),
                    Allowed::Text => (0x20, 0x7f, 0xff),
                };
                (pattern.least[i], pattern.span[i], pattern.text[i]) = (least, most - least, text);
            }
            pattern
        });
        Pattern { wide: wide.collect(), blocks: bytes.len().div_ceil(BLOCK) }
    }
}

/// What the reader asks of blocks of bytes. Bit i of a mask stands for byte i.
pub(crate) trait Cpu: Copy {
    /// The *marks*, which end or break a JSON text (quotes, backslashes, and all below 0x20), and
    /// the high bytes, of 0x80 and above.
    fn marks(self, block: &[u8; BLOCK]) -> (u32, u32);
    /// Marks and high bytes, together.
    fn stops(self, block: &[u8; BLOCK]) -> u32;
    /// Whether this many blocks, of which two make a wide one, are not as the patterns have them.
    ///
    /// # Safety
    /// There are as many wide blocks at `from`, and patterns, as that makes, rounded up.
    unsafe fn differ<const BLOCKS: usize>(
        self,
        from: *const [u8; WIDE],
        patterns: *const WidePattern,
    ) -> bool;
    /// How many digits the block begins with.
    fn digits(self, block: &[u8; BLOCK]) -> usize;
    /// Writes four numbers at once, so that they can be read at once soon.
    fn write(self, numbers: [u64; 4], to: &mut [u8; BLOCK]);
    /// Does `work` with these instructions in a function of its own, so that the registers are its.
    fn apart<W: Work>(self, work: W) -> W::Output;
}

/// Work that is compiled once for each [`Cpu`].
pub(crate) trait Work {
    /// What it gives.
    type Output;
    /// Does it. Marked `inline(always)`, so that it is compiled with the caller's instructions.
    fn run<C: Cpu>(self, cpu: C) -> Self::Output;
}
