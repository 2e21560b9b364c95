//! One JSON text: checking it strictly (RFC 8259), walking it beside a trie of wanted paths,
//! reading and writing its strings. Knows no record, no file and no mapping; hands out raw slices
//! and allocates nothing on a good record.
//!
//! The policies, here and nowhere else: no trailing commas, comments, NaN, control characters, bad
//! escapes or invalid UTF-8; a repeated key: the last one wins; numbers stay as written; a lone
//! surrogate escape is kept in the raw slice, marked ([`Kind::Lone`]), and written as U+FFFD.

mod copy;
mod index;
mod read;
mod scan;
mod text;
mod trail;
mod walk;
mod want;

pub use copy::{Copied, copy_value};
pub use index::{Index, Level, MAX_INDEXED, Marks};
pub use read::{Checked, cell_at, elements, leaf_count, members};
pub use scan::{MAX_DEPTH, skip_space, skip_value, string};
pub use text::{SHORT, copy_raw, copy_string, hex4, push_quoted, push_short, push_str_escaped, unescape};
pub use trail::{ElementRows, Spot, Spots, Stretch, Structure, Wanted};
pub use walk::{Hit, Mask, Rest, Slots, View, follow, masks, walk};
pub(crate) use want::glance;
pub use want::{NodeId, SlotAt, Want, push_step};

/// Leaves, fields and record types are counted. Only the build that `benches/counting` compares with
/// says no; what would be counted is then not even looked at.
pub(crate) const COUNTED: bool = !cfg!(uncounted);

/// What a raw slice is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u32)]
pub enum Kind {
    /// The key is not there.
    #[default]
    Absent,
    Null,
    False,
    True,
    Number,
    /// A string without escapes: its content is the slice between the quotes.
    String,
    /// A string with escapes, all of them meaningful.
    Escaped,
    /// A string with at least one lone surrogate escape.
    Lone,
    Object,
    EmptyObject,
    Array,
    EmptyArray,
}

impl Kind {
    #[inline]
    pub fn is_string(self) -> bool {
        matches!(self, Kind::String | Kind::Escaped | Kind::Lone)
    }
    pub fn is_object(self) -> bool {
        matches!(self, Kind::Object | Kind::EmptyObject)
    }
    pub fn is_array(self) -> bool {
        matches!(self, Kind::Array | Kind::EmptyArray)
    }
    #[inline]
    pub fn is_null(self) -> bool {
        // The first two, by their numbers.
        self as u8 <= Kind::Null as u8
    }
    #[inline]
    pub fn is_composite(self) -> bool {
        // The last four, by their numbers.
        self as u8 >= Kind::Object as u8
    }
    /// Says something: a leaf that coverage counts.
    #[inline]
    pub fn is_leaf(self) -> bool {
        !matches!(self, Kind::Absent | Kind::Null | Kind::EmptyObject | Kind::EmptyArray)
    }
    /// The JSON name of the type, for messages.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Absent => "nothing",
            Kind::Null => "null",
            Kind::False | Kind::True => "a boolean",
            Kind::Number => "a number",
            Kind::String | Kind::Escaped | Kind::Lone => "a string",
            Kind::Object | Kind::EmptyObject => "an object",
            Kind::Array | Kind::EmptyArray => "an array",
        }
    }
}

/// A value of the record: where it stands and what it is. Strings include their quotes.
///
/// For a list whose elements were walked, `rows` of the walk say where its elements are.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Cell {
    pub start: u32,
    pub end: u32,
    pub kind: Kind,
}

impl Cell {
    pub const ABSENT: Cell = Cell { start: 0, end: 0, kind: Kind::Absent };

    /// The raw bytes, quotes included.
    #[inline]
    pub fn raw<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        &text[self.start as usize..self.end as usize]
    }

    /// The bytes between the quotes of a string, the raw bytes of anything else.
    #[inline]
    pub fn inner<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        if self.kind.is_string() {
            &text[self.start as usize + 1..self.end as usize - 1]
        } else {
            self.raw(text)
        }
    }
}

/// Why a text is not JSON, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Offset in the text.
    pub at: usize,
    pub kind: FaultKind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// The text ends inside a value.
    End,
    /// Nested deeper than allowed.
    Depth,
    /// A raw control character inside a string.
    Control,
    /// A backslash that starts no JSON escape.
    Escape,
    Number,
    Literal,
    /// Something else stands where this should.
    Expected(&'static str),
    Utf8,
    /// More text behind the value.
    Trailing,
}

impl std::fmt::Display for FaultKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            FaultKind::End => "the text ends inside a value",
            FaultKind::Depth => "nested deeper than the limit",
            FaultKind::Control => "a control character inside a string must be escaped",
            FaultKind::Escape => "a backslash that starts no JSON escape",
            FaultKind::Number => "not a JSON number",
            FaultKind::Literal => "not a JSON literal (true, false, null)",
            FaultKind::Expected(what) => return write!(f, "expected {what}"),
            FaultKind::Utf8 => "invalid UTF-8",
            FaultKind::Trailing => "more text behind the value",
        })
    }
}

/// Checks that the text is UTF-8.
pub fn check_utf8(text: &[u8]) -> Result<(), Fault> {
    // The fast check says only yes or no; the slow one finds the place.
    if simdutf8::basic::from_utf8(text).is_ok() {
        return Ok(());
    }
    match std::str::from_utf8(text) {
        Ok(_) => Ok(()),
        Err(e) => Err(Fault { at: e.valid_up_to(), kind: FaultKind::Utf8 }),
    }
}
