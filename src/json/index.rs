//! Where the strings of a text begin and end, found 64 bytes at a time: one pass that also says
//! which strings hold escapes and whether every escape is one. Knows no grammar: what stands
//! between the strings is the scanner's business, and so is saying what is wrong and where. Of a
//! text with anything wrong in a string there is no index, and the scanner reads it byte by byte.

// Vectors are loaded from arrays of their size, and code for an instruction set is called where it
// was detected: nothing else here is unsafe.
#![allow(unsafe_code)]

use std::ops::Range;

use super::Kind;
use super::scan::escape;

/// Places are below this; longer texts are read without an index.
pub const MAX_INDEXED: usize = 1 << 30;

/// How the bytes are looked at. All levels find the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Level {
    #[default]
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl Level {
    /// Those that this machine has, the best last.
    pub fn available() -> Vec<Level> {
        let mut levels = vec![Level::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            // All that the code below is compiled with.
            let bits = is_x86_feature_detected!("bmi1")
                && is_x86_feature_detected!("bmi2")
                && is_x86_feature_detected!("lzcnt")
                && is_x86_feature_detected!("popcnt");
            if bits && is_x86_feature_detected!("avx2") && is_x86_feature_detected!("pclmulqdq") {
                levels.push(Level::Avx2);
                if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") {
                    levels.push(Level::Avx512);
                }
            }
        }
        #[cfg(target_arch = "aarch64")]
        levels.push(Level::Neon);
        levels
    }

    pub fn best() -> Level {
        Level::available().pop().unwrap_or(Level::Portable)
    }
}

/// The strings of one stretch of text. One per worker, reused for every stretch.
#[derive(Clone, Debug)]
pub struct Index {
    level: Level,
    base: usize,
    /// Blocks of the stretch; none where something is wrong.
    blocks: usize,
    /// Of each, a bit for every quote that opens or closes a string.
    quotes: Vec<u64>,
    /// The same and backslashes, the first bytes first: bits may be read from any byte on.
    stops: Vec<[u8; 8]>,
    /// The places of lone surrogates.
    lone: Vec<u32>,
    /// Stretches of whole blocks with letters that are no ASCII: none of those goes beyond its stretch.
    wide: Vec<Range<usize>>,
}

impl Default for Index {
    fn default() -> Index {
        Index::new(Level::best())
    }
}

impl Index {
    /// `level` must be one of [`Level::available`]; another is taken as portable.
    pub fn new(level: Level) -> Index {
        let level = if Level::available().contains(&level) { level } else { Level::Portable };
        let (quotes, stops, lone, wide) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Index { level, base: 0, blocks: 0, quotes, stops, lone, wide }
    }

    /// Finds the strings of `text[range]`, which starts outside of any.
    pub fn build(&mut self, text: &[u8], range: Range<usize>) {
        self.blocks = 0;
        self.base = range.start;
        self.wide.clear();
        self.lone.clear();
        if range.end > MAX_INDEXED {
            return;
        }
        let blocks = range.len().div_ceil(BLOCK);
        if self.quotes.len() < blocks {
            self.quotes.resize(blocks, 0);
            self.stops.resize(blocks, [0; 8]);
        }
        let found = match self.level {
            Level::Portable => portable(text, range, self),
            // SAFETY: `new` keeps a level only where its features were detected.
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { avx2(text, range, self) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { avx512(text, range, self) },
            #[cfg(target_arch = "aarch64")]
            Level::Neon => neon(text, range, self),
        };
        if found {
            self.blocks = blocks;
        }
    }

    /// Counts brackets from `at` on, a place outside of any string with so many open: as long as the
    /// last but one cannot close. Gives another such place and how many are open there.
    pub fn brackets(&self, text: &[u8], at: usize, open: usize) -> (usize, usize) {
        match self.level {
            Level::Portable => brackets(text, at, open, masks_portable, prefix_xor),
            // SAFETY: `new` keeps a level only where its features were detected.
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { brackets_avx2(text, at, open) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { brackets_avx512(text, at, open) },
            #[cfg(target_arch = "aarch64")]
            Level::Neon => brackets(text, at, open, masks_neon, prefix_xor),
        }
    }

    /// Where the strings are; nothing where something is wrong.
    pub fn marks(&self) -> Marks<'_> {
        let Index { level, base, blocks, ref quotes, ref stops, ref lone, .. } = *self;
        Marks { level, base, quotes: &quotes[..blocks], stops: &stops[..blocks], lone }
    }

    /// What must be looked at to tell whether the indexed text is UTF-8; nothing is known where it was not
    /// indexed.
    pub fn wide(&self) -> Option<&[Range<usize>]> {
        (self.blocks > 0).then_some(&self.wide)
    }
}

/// An index as it is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Marks<'a> {
    level: Level,
    base: usize,
    quotes: &'a [u64],
    stops: &'a [[u8; 8]],
    lone: &'a [u32],
}

impl Marks<'_> {
    /// The offset behind the string whose opening quote is at `at`, if the index knows it.
    #[inline(always)]
    pub(super) fn string(&self, at: usize) -> Option<(usize, Kind)> {
        let place = at.wrapping_sub(self.base);
        let quote = self.quotes.get(place / BLOCK)? >> (place % BLOCK) & 1;
        if quote == 0 { None } else { self.string_end(at + 1) }
    }

    /// The offset behind the string whose opening quote is just before `at`.
    #[inline(always)]
    pub(super) fn string_end(&self, at: usize) -> Option<(usize, Kind)> {
        let place = at.wrapping_sub(self.base);
        let mut word = place / BLOCK;
        let first = u64::MAX << (place % BLOCK);
        let bits = |word: usize| Some((*self.quotes.get(word)?, u64::from_le_bytes(*self.stops.get(word)?)));
        let (mut quote, mut stop) = bits(word)?;
        (quote, stop) = (quote & first, stop & first);
        let mut slashes = 0;
        while quote == 0 {
            word += 1;
            slashes |= stop;
            (quote, stop) = bits(word)?;
        }
        // Those before the quote.
        slashes |= stop & !quote & (quote ^ quote.wrapping_sub(1));
        let close = word * BLOCK + quote.trailing_zeros() as usize;
        let kind = if slashes == 0 { Kind::String } else { self.escaped(place, close) };
        Some((self.base + close + 1, kind))
    }

    /// The same for a string that ends soon and has no escapes, without asking in which block that is.
    #[inline(always)]
    pub(super) fn near_end(&self, text: &[u8], at: usize) -> Option<usize> {
        let place = at.wrapping_sub(self.base);
        let from = place / 8;
        let bits = self.stops.as_flattened().get(from..from + 8)?.first_chunk()?;
        let stop = u64::from_le_bytes(*bits) >> (place % 8);
        let end = at + stop.trailing_zeros() as usize;
        (stop != 0 && text.get(end) == Some(&b'"')).then_some(end + 1)
    }

    /// How the text was looked at.
    pub(super) fn level(&self) -> Level {
        self.level
    }

    /// What a string with escapes is.
    #[inline(never)]
    fn escaped(&self, from: usize, to: usize) -> Kind {
        let (from, to) = ((self.base + from) as u32, (self.base + to) as u32);
        let next = self.lone.partition_point(|&lone| lone < from);
        match self.lone.get(next) {
            Some(&lone) if lone < to => Kind::Lone,
            _ => Kind::Escaped,
        }
    }

    /// There is no index.
    pub fn is_empty(&self) -> bool {
        self.quotes.is_empty()
    }
}

/// What one block of 64 bytes holds, a bit each. What a caller does not read is not computed.
struct Masks {
    quote: u64,
    slash: u64,
    control: u64,
    high: u64,
    /// Not zero where one of the last three is not.
    odd: u64,
    /// What may stand behind the backslash of an escape of two bytes.
    short: u64,
    open: u64,
    close: u64,
}

const BLOCK: usize = 64;

/// The pass itself, the same for every level; compiled into each with what the level has.
/// Not true where a string holds what it must not or does not end.
#[inline(always)]
fn pass(
    text: &[u8],
    range: Range<usize>,
    index: &mut Index,
    masks: impl Fn(&[u8; BLOCK]) -> Masks,
    prefix_xor: impl Fn(u64) -> u64,
) -> bool {
    let Index { quotes, stops, lone, wide, .. } = index;
    let mut state =
        State { end: range.end, inside: 0, escaped: 0, pair_end: 0, controls: 0, sound: true, lone, wide };
    let (blocks, rest) = text[range.clone()].as_chunks::<BLOCK>();
    let (mut at, mut inside) = (range.start, 0);
    for ((block, quotes), stops) in blocks.iter().zip(&mut *quotes).zip(&mut *stops) {
        let Masks { mut quote, odd, .. } = masks(block);
        let mut slash = 0;
        if odd | state.escaped != 0 {
            // Looked at once more: else the compiler takes vectors apart byte by byte to hand them on.
            let all = masks(std::hint::black_box(block));
            state.inside = inside;
            slash = all.slash;
            let short = || masks(std::hint::black_box(block)).short;
            quote = state.odd(text, at, &all, short, &prefix_xor);
        }
        (*quotes, *stops) = (quote, (quote | slash).to_le_bytes());
        inside ^= 0u64.wrapping_sub(quote.count_ones() as u64 & 1);
        at += BLOCK;
    }
    state.inside = inside;
    if let Some((quotes, stops)) = quotes.iter_mut().zip(stops).nth(blocks.len()).filter(|_| at < range.end) {
        // Behind the stretch the text goes on, or is filled up with what means nothing.
        let mut filled;
        let block = match text[at..].first_chunk() {
            Some(block) => block,
            None => {
                filled = [b' '; BLOCK];
                filled[..rest.len()].copy_from_slice(rest);
                &filled
            }
        };
        let mine = !(u64::MAX << rest.len());
        let found = masks(block);
        let of_mine = Masks {
            quote: found.quote & mine,
            slash: found.slash & mine,
            control: found.control & mine,
            high: found.high & mine,
            short: found.short & mine,
            ..found
        };
        let Masks { mut quote, slash, control, high, .. } = of_mine;
        if slash | control | high | state.escaped != 0 {
            quote = state.odd(text, at, &of_mine, || of_mine.short, &prefix_xor);
        }
        (*quotes, *stops) = (quote, (quote | slash).to_le_bytes());
        state.inside ^= 0u64.wrapping_sub(quote.count_ones() as u64 & 1);
    }
    state.sound && state.controls == 0 && state.inside == 0 && state.escaped == 0
}

/// What one block leaves for the next.
struct State<'a> {
    /// Where the stretch ends.
    end: usize,
    /// All ones inside a string.
    inside: u64,
    /// The next block begins behind a backslash.
    escaped: u64,
    /// A surrogate pair was looked at up to here.
    pair_end: usize,
    /// Control characters in strings.
    controls: u64,
    /// Every escape so far is one.
    sound: bool,
    lone: &'a mut Vec<u32>,
    wide: &'a mut Vec<Range<usize>>,
}

impl State<'_> {
    /// Looks at a block with more than quotes and plain letters; gives the quotes that are not escaped. A
    /// backslash outside of a string is taken for an escape too: it is no JSON either way.
    #[inline(always)]
    fn odd(
        &mut self,
        text: &[u8],
        at: usize,
        found: &Masks,
        short: impl Fn() -> u64,
        prefix_xor: &impl Fn(u64) -> u64,
    ) -> u64 {
        if found.high != 0 {
            let end = (at + BLOCK).min(self.end);
            match self.wide.last_mut() {
                Some(last) if last.end == at => last.end = end,
                _ => self.wide.push(at..end),
            }
        }
        let escaped = escaped_bits(found.slash, &mut self.escaped);
        if escaped != 0 {
            let mut long = escaped & !short();
            while long != 0 {
                self.long_escape(&text[..self.end], at + long.trailing_zeros() as usize - 1);
                long &= long - 1;
            }
        }
        let quote = found.quote & !escaped;
        if found.control != 0 {
            self.controls |= found.control & (prefix_xor(quote) ^ self.inside);
        }
        quote
    }

    /// An escape of more than two bytes, or none at all.
    #[inline(never)]
    fn long_escape(&mut self, text: &[u8], at: usize) {
        if at < self.pair_end && text.get(at + 1) == Some(&b'u') {
            return;
        }
        match escape(text, at) {
            Ok((behind, is_lone)) => {
                if is_lone {
                    self.lone.push(at as u32);
                }
                self.pair_end = behind;
            }
            Err(_) => self.sound = false,
        }
    }
}

/// What may stand behind the backslash of an escape of two bytes, `"\\/bfnrt`, as two tables: a byte is one
/// of them where what its halves give, the low one in the first, has a bit in common.
const SHORT_LOW: [u8; 16] = [0, 0, 1 | 4 | 8, 0, 8, 0, 4, 0, 0, 0, 0, 0, 2, 0, 4, 1];
const SHORT_HIGH: [u8; 16] = [0, 0, 1, 0, 0, 2, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0];

fn prefix_xor(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// What [`Index::brackets`] does; see there.
#[inline(always)]
fn brackets(
    text: &[u8],
    mut at: usize,
    mut open: usize,
    masks: impl Fn(&[u8; BLOCK]) -> Masks,
    prefix_xor: impl Fn(u64) -> u64,
) -> (usize, usize) {
    let (mut inside, mut escaped, mut string) = (0, 0, at);
    while let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk()) {
        let m = masks(block);
        let quote = m.quote & !escaped_bits(m.slash, &mut escaped);
        if quote == 0 && inside != 0 {
            at += BLOCK;
            continue;
        }
        let strings = prefix_xor(quote) ^ inside;
        let (opened, closed) = (m.open & !strings, m.close & !strings);
        // A backslash outside of a string escapes nothing.
        if closed.count_ones() as usize + 1 >= open || m.slash & !strings != 0 {
            break;
        }
        open = open + opened.count_ones() as usize - closed.count_ones() as usize;
        inside = ((strings as i64) >> 63) as u64;
        if quote != 0 {
            string = at + 63 - quote.leading_zeros() as usize;
        }
        at += BLOCK;
    }
    (if inside == 0 { at } else { string }, open)
}

/// The bits behind backslashes that escape what is there; `escaped` is that of the next block.
#[inline(always)]
fn escaped_bits(slash: u64, escaped: &mut u64) -> u64 {
    const ODD: u64 = 0xaaaa_aaaa_aaaa_aaaa;
    if slash | *escaped == 0 {
        return 0;
    }
    // Each run of backslashes, less those that are escaped, carries to the place behind it where its
    // length is odd.
    let first = slash & !*escaped;
    let runs = ((first << 1) | ODD).wrapping_sub(first) ^ ODD;
    let bits = runs ^ (slash | *escaped);
    *escaped = (runs & slash) >> 63;
    bits
}

#[inline(always)]
fn masks_portable(block: &[u8; BLOCK]) -> Masks {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    // 0x80 for each byte that is zero, exactly.
    let zeros = |w: u64| !(((w & LOW) + LOW) | w | LOW);
    // One bit from each byte's highest.
    let gather = |w: u64| (w >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    let mut m = Masks { quote: 0, slash: 0, control: 0, high: 0, odd: 0, short: 0, open: 0, close: 0 };
    for (i, chunk) in block.as_chunks::<8>().0.iter().enumerate() {
        let w = u64::from_le_bytes(*chunk);
        m.quote |= gather(zeros(w ^ (ONES * b'"' as u64))) << (8 * i);
        m.slash |= gather(zeros(w ^ (ONES * b'\\' as u64))) << (8 * i);
        m.control |= gather(zeros(w & (ONES * 0xe0))) << (8 * i);
        m.high |= gather(w & !LOW) << (8 * i);
        for short in b"\"\\/bfnrt" {
            m.short |= gather(zeros(w ^ (ONES * *short as u64))) << (8 * i);
        }
        // Braces and square brackets differ in one bit.
        m.open |= gather(zeros((w | (ONES * 0x20)) ^ (ONES * b'{' as u64))) << (8 * i);
        m.close |= gather(zeros((w | (ONES * 0x20)) ^ (ONES * b'}' as u64))) << (8 * i);
    }
    m.odd = m.slash | m.control | m.high;
    m
}

fn portable(text: &[u8], range: Range<usize>, index: &mut Index) -> bool {
    pass(text, range, index, masks_portable, prefix_xor)
}

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2")]
fn masks_avx2(block: &[u8; BLOCK]) -> Masks {
    let (low, high) = (block[..32].as_ptr(), block[32..].as_ptr());
    // SAFETY: each half has 32 bytes, and the load wants no alignment.
    let (a, b) = unsafe { (_mm256_loadu_si256(low.cast()), _mm256_loadu_si256(high.cast())) };
    let bits = |a: __m256i, b: __m256i| {
        _mm256_movemask_epi8(a) as u32 as u64 | (_mm256_movemask_epi8(b) as u32 as u64) << 32
    };
    let same = |a: __m256i, b: __m256i, byte: u8| {
        let byte = _mm256_set1_epi8(byte as i8);
        bits(_mm256_cmpeq_epi8(a, byte), _mm256_cmpeq_epi8(b, byte))
    };
    let last = _mm256_set1_epi8(0x1f);
    let control = |v: __m256i| _mm256_cmpeq_epi8(_mm256_max_epu8(v, last), last);
    // As signed numbers, control characters and what is no ASCII are below a space.
    let odd = |v: __m256i| {
        let low = _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), v);
        _mm256_or_si256(low, _mm256_cmpeq_epi8(v, _mm256_set1_epi8(b'\\' as i8)))
    };
    let (lows, highs) = (both_avx2(&SHORT_LOW), both_avx2(&SHORT_HIGH));
    let long = |v: __m256i| {
        let half = _mm256_set1_epi8(0x0f);
        let low = _mm256_shuffle_epi8(lows, _mm256_and_si256(v, half));
        let high = _mm256_shuffle_epi8(highs, _mm256_and_si256(_mm256_srli_epi16::<4>(v), half));
        _mm256_cmpeq_epi8(_mm256_and_si256(low, high), _mm256_setzero_si256())
    };
    // Braces and square brackets differ in one bit.
    let brace = |v: __m256i| _mm256_or_si256(v, _mm256_set1_epi8(0x20));
    Masks {
        quote: same(a, b, b'"'),
        slash: same(a, b, b'\\'),
        control: bits(control(a), control(b)),
        high: bits(a, b),
        odd: _mm256_movemask_epi8(_mm256_or_si256(odd(a), odd(b))) as u32 as u64,
        short: !bits(long(a), long(b)),
        open: same(brace(a), brace(b), b'{'),
        close: same(brace(a), brace(b), b'}'),
    }
}

/// The same table in both halves.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2")]
fn both_avx2(table: &[u8; 16]) -> __m256i {
    let [low, high] = table.as_chunks::<8>().0 else { return _mm256_setzero_si256() };
    let (low, high) = (i64::from_le_bytes(*low), i64::from_le_bytes(*high));
    _mm256_set_epi64x(high, low, high, low)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,pclmulqdq,bmi1,bmi2,lzcnt,popcnt")]
fn avx2(text: &[u8], range: Range<usize>, index: &mut Index) -> bool {
    pass(text, range, index, |block| masks_avx2(block), |bits| clmul(bits))
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,pclmulqdq,bmi1,bmi2,lzcnt,popcnt")]
fn brackets_avx2(text: &[u8], at: usize, open: usize) -> (usize, usize) {
    brackets(text, at, open, |block| masks_avx2(block), |bits| clmul(bits))
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn masks_avx512(block: &[u8; BLOCK]) -> Masks {
    // SAFETY: the block has 64 bytes, and the load wants no alignment.
    let v = unsafe { _mm512_loadu_si512(block.as_ptr().cast()) };
    let same = |v: __m512i, byte: u8| _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(byte as i8));
    // Braces and square brackets differ in one bit.
    let brace = _mm512_or_si512(v, _mm512_set1_epi8(0x20));
    let slash = same(v, b'\\');
    let table = |table| _mm512_broadcast_i32x4(_mm256_castsi256_si128(both_avx2(table)));
    let half = _mm512_set1_epi8(0x0f);
    let low = _mm512_shuffle_epi8(table(&SHORT_LOW), _mm512_and_si512(v, half));
    let high = _mm512_and_si512(_mm512_srli_epi16::<4>(v), half);
    let high = _mm512_shuffle_epi8(table(&SHORT_HIGH), high);
    Masks {
        quote: same(v, b'"'),
        slash,
        short: _mm512_test_epi8_mask(low, high),
        // As signed numbers, control characters and what is no ASCII are below a space.
        odd: slash | _mm512_cmplt_epi8_mask(v, _mm512_set1_epi8(0x20)),
        control: _mm512_cmplt_epu8_mask(v, _mm512_set1_epi8(0x20)),
        high: _mm512_movepi8_mask(v),
        open: same(brace, b'{'),
        close: same(brace, b'}'),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,pclmulqdq,bmi1,bmi2,lzcnt,popcnt")]
fn avx512(text: &[u8], range: Range<usize>, index: &mut Index) -> bool {
    pass(text, range, index, |block| masks_avx512(block), |bits| clmul(bits))
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,pclmulqdq,bmi1,bmi2,lzcnt,popcnt")]
fn brackets_avx512(text: &[u8], at: usize, open: usize) -> (usize, usize) {
    brackets(text, at, open, |block| masks_avx512(block), |bits| clmul(bits))
}

/// Multiplying by all ones without carries: each bit becomes the parity of those up to it.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "pclmulqdq")]
fn clmul(bits: u64) -> u64 {
    let product = _mm_clmulepi64_si128::<0>(_mm_set_epi64x(0, bits as i64), _mm_set1_epi8(-1));
    _mm_cvtsi128_si64(product) as u64
}

#[cfg(target_arch = "aarch64")]
fn neon(text: &[u8], range: Range<usize>, index: &mut Index) -> bool {
    pass(text, range, index, masks_neon, prefix_xor)
}

#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn masks_neon(block: &[u8; BLOCK]) -> Masks {
    use std::arch::aarch64::*;
    // SAFETY: 64 bytes are four vectors of 16, in which every value is one; NEON is part of
    // every aarch64 that Rust compiles for.
    unsafe {
        let v: [uint8x16_t; 4] = std::mem::transmute(*block);
        let weights: uint8x16_t =
            std::mem::transmute([1u8, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128]);
        let bits = |m: [uint8x16_t; 4]| {
            let w = m.map(|m| vandq_u8(m, weights));
            let sum = vpaddq_u8(vpaddq_u8(w[0], w[1]), vpaddq_u8(w[2], w[3]));
            vgetq_lane_u64::<0>(vreinterpretq_u64_u8(vpaddq_u8(sum, sum)))
        };
        let same = |v: [uint8x16_t; 4], byte: u8| bits(v.map(|v| vceqq_u8(v, vdupq_n_u8(byte))));
        // Braces and square brackets differ in one bit.
        let brace = v.map(|v| vorrq_u8(v, vdupq_n_u8(0x20)));
        let slash = same(v, b'\\');
        // As signed numbers, control characters and what is no ASCII are below a space.
        let low = v.map(|v| vcltq_s8(vreinterpretq_s8_u8(v), vdupq_n_s8(0x20)));
        let (lows, highs) = (vld1q_u8(SHORT_LOW.as_ptr()), vld1q_u8(SHORT_HIGH.as_ptr()));
        let short = |v: uint8x16_t| {
            vtstq_u8(vqtbl1q_u8(lows, vandq_u8(v, vdupq_n_u8(0x0f))), vqtbl1q_u8(highs, vshrq_n_u8::<4>(v)))
        };
        Masks {
            quote: same(v, b'"'),
            slash,
            control: bits(v.map(|v| vcltq_u8(v, vdupq_n_u8(0x20)))),
            high: bits(v.map(|v| vcgeq_u8(v, vdupq_n_u8(0x80)))),
            odd: slash | bits(low),
            short: bits(v.map(short)),
            open: same(brace, b'{'),
            close: same(brace, b'}'),
        }
    }
}
