//! Framing: the same records come out however they are set apart, read and batched; a bad record
//! costs itself; and bytes come in as files, folders, maps and compressed streams.

use std::io::{self, Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use logmill::catalog;
use logmill::input::{self, Place, Reader};
use logmill::metrics::Reason;
use logmill::normalize::{self, Dead, NamesOf, Output, Scratch};
use logmill::ops::time::Instant;
use logmill::plan::{Content, Plan, Request};
use logmill::records::{Batch, Cutter, Framing, Limits, Syslog, strip_syslog};
use logmill::run::{self, Clock, From, Input, Settings, Sinks};
use proptest::prelude::*;
use serde_json::{Value, json};

const SOURCE: &str = "
source: tiny
description: Records of this test.
when: {path: kind, equals: tiny}
type: kind
envelopes: [data, result.items]
fields:
  meta: [kind, id]
";

/// A source without a mapping: in full mode every record becomes a dead letter that shows its
/// text, so the letters are the records as the engine saw them.
static PLAN: LazyLock<Plan> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("sources/tiny")).unwrap();
    std::fs::write(folder.path().join("sources/tiny/source.yaml"), SOURCE).unwrap();
    let catalog = catalog::load(&[folder.path()]).unwrap();
    let request = Request { targets: vec!["udm".into()], content: Content::Full, ..Request::default() };
    Plan::compile(&catalog, &request).unwrap()
});

/// Gives its bytes in pieces of at most so many.
struct Pieces {
    bytes: Cursor<Vec<u8>>,
    most: usize,
}

impl Read for Pieces {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = out.len().min(self.most);
        self.bytes.read(&mut out[..n])
    }
}

#[derive(Clone, Copy, Debug)]
struct How {
    piece: usize,
    live: bool,
    framing: Framing,
    limits: Limits,
}

impl How {
    fn of(piece: usize, live: bool, batch_bytes: usize) -> How {
        How { piece, live, framing: Framing::Auto, limits: Limits { batch_bytes, ..Limits::default() } }
    }
    fn most(self, record_bytes: usize) -> How {
        How { limits: Limits { record_bytes, ..self.limits }, ..self }
    }
}

/// Ways of reading that put batch ends everywhere.
fn ways() -> Vec<How> {
    let mut ways = Vec::new();
    for (piece, live) in [(1, true), (7, true), (50, false), (1 << 20, false)] {
        for batch_bytes in [16, 100, 4096] {
            ways.push(How::of(piece, live, batch_bytes));
        }
    }
    ways
}

#[derive(Clone, Debug, PartialEq)]
struct Letter {
    reason: Reason,
    byte: usize,
    line: u64,
    text: Option<String>,
}

#[derive(Debug, Default, PartialEq)]
struct Cutting {
    letters: Vec<Letter>,
    blank_lines: u64,
    error: Option<String>,
}

fn reader(bytes: &[u8], how: How) -> Reader {
    let mut reader = Reader::of("test", Pieces { bytes: Cursor::new(bytes.to_vec()), most: how.piece });
    reader.live = how.live;
    reader
}

/// Every record of an input with its verdict, and the checks that hold for any cutting.
fn cut(bytes: &[u8], how: How) -> Cutting {
    let mut cutter = Cutter::new(reader(bytes, how), 0, how.framing, how.limits, &PLAN.envelope_paths);
    let mut scratch = Scratch::new(&PLAN);
    let mut out = Output::default();
    let mut cutting = Cutting::default();
    let mut handed = 0;
    let mut spare = Vec::new();
    while let Some(batch) = cutter.next(std::mem::take(&mut spare)) {
        let batch = match batch {
            Ok(batch) => batch,
            Err(e) => {
                assert!(cutting.error.replace(e.what).is_none(), "an error is said once");
                continue;
            }
        };
        let base = batch.base as usize;
        assert!(base >= handed, "a batch overlaps the one before");
        handed = base + batch.bytes.len();
        assert_eq!(batch.bytes, &bytes[base..handed], "a batch is a stretch of the input");
        assert_eq!(batch.line, line_of(bytes, base), "the line of a batch");
        for pair in batch.units.windows(2) {
            assert!(pair[0].end <= pair[1].start, "units in order");
        }
        normalize::batch(&PLAN, &batch, &how.limits, Instant { secs: 0, nanos: 0 }, &mut scratch, &mut out);
        assert_eq!(out.records as usize, out.dead.len(), "every record is one letter");
        for (index, dead) in out.dead.iter().enumerate() {
            assert_eq!(dead.index, index as u64, "records are numbered without a gap");
            cutting.letters.push(Letter {
                reason: dead.reason,
                byte: base + dead.byte as usize,
                line: dead.line,
                text: dead.record.clone(),
            });
        }
        cutting.blank_lines += batch.blank_lines;
        spare = batch.bytes;
    }
    for letter in &cutting.letters {
        assert_eq!(letter.line, line_of(bytes, letter.byte), "the line of {letter:?}");
        if let Some(text) = &letter.text {
            let there = &bytes[letter.byte.min(bytes.len())..];
            let shown = String::from_utf8_lossy(&there[..there.len().min(text.len())]);
            assert!(text.contains('\u{fffd}') || shown == *text, "{letter:?} does not stand there");
        }
    }
    cutting
}

fn line_of(bytes: &[u8], at: usize) -> u64 {
    1 + bytes[..at.min(bytes.len())].iter().filter(|&&b| b == b'\n').count() as u64
}

fn values(cutting: &Cutting) -> Vec<Value> {
    let value = |l: &Letter| {
        assert_eq!(l.reason, Reason::NoMapping, "{l:?}");
        serde_json::from_str(l.text.as_ref().expect("full mode shows texts")).unwrap()
    };
    cutting.letters.iter().map(value).collect()
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Layout {
    Ndjson,
    Crlf,
    Array,
    PrettyArray,
    Envelope,
    PrettyEnvelope,
    Nested,
    PrettyNested,
    Concatenated,
    PrettyObjects,
    LeadingCommas,
    BrokenAtClosers,
}

const LAYOUTS: [Layout; 12] = [
    Layout::Ndjson,
    Layout::Crlf,
    Layout::Array,
    Layout::PrettyArray,
    Layout::Envelope,
    Layout::PrettyEnvelope,
    Layout::Nested,
    Layout::PrettyNested,
    Layout::Concatenated,
    Layout::PrettyObjects,
    Layout::LeadingCommas,
    Layout::BrokenAtClosers,
];

fn lay_out(records: &[Value], layout: Layout) -> String {
    let pretty = |v: &Value| serde_json::to_string_pretty(v).unwrap();
    let each = |separator: &str| records.iter().map(Value::to_string).collect::<Vec<_>>().join(separator);
    let envelope = json!({"object": "list", "first_id": "a]}", "data": records, "last_id": null,
        "more": {"data": [1]}, "has_more": false});
    let nested =
        json!({"status": 200, "result": {"page": [1, 2], "items": records, "n": {"x": []}}, "end": "}"});
    match layout {
        Layout::Ndjson => each("\n"),
        Layout::Crlf => each("\r\n"),
        Layout::Array => format!("[{}]", each(",")),
        Layout::PrettyArray => pretty(&records.into()),
        Layout::Envelope => envelope.to_string(),
        Layout::PrettyEnvelope => pretty(&envelope),
        Layout::Nested => nested.to_string(),
        Layout::PrettyNested => pretty(&nested),
        Layout::Concatenated => each(""),
        Layout::PrettyObjects => records.iter().map(pretty).collect::<Vec<_>>().join("\n"),
        Layout::LeadingCommas => format!("[{}\n]", each("\n,")),
        Layout::BrokenAtClosers => {
            // Lines that begin and end with brackets and are no values.
            let broken = |v: &Value| v.to_string().replace("},\"", "}\n,\"").replace("}}", "}\n}");
            records.iter().map(broken).collect::<Vec<_>>().join("\n")
        }
    }
}

fn record(seed: u64, id: usize) -> Value {
    let texts = ["plain", "br{ace}s ]} [", "quote \" and \\ back", "line\nend\r\n", "é😀\u{2028}", ""];
    let text = texts[(seed % 6) as usize];
    match seed / 6 % 6 {
        0 => json!({"kind": "tiny", "id": id, "text": text}),
        1 => json!({"kind": "tiny", "id": id, "deep": {"a": [{"b": text}, [], {}], "c": {}}, "n": 1.5}),
        2 => json!({"kind": "tiny", "id": id, "text": text.repeat(20), "list": [[1, [2]], {"x": {"y": {}}}]}),
        3 => json!({"object": {"q": text}, "kind": "tiny", "id": id}),
        // Has what an envelope has, and is a record all the same.
        4 => json!({"data": [{"x": 1}, {"y": text}], "kind": "tiny", "id": id, "z": {}}),
        _ => json!({"id": id, "kind": "tiny", "s": {"t": {"u": text}}}),
    }
}

fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn records(seed: u64, n: usize) -> Vec<Value> {
    (0..n).map(|i| record(mix(seed ^ (i as u64) << 7), i)).collect()
}

#[test]
fn every_layout_gives_the_same_records() {
    for seed in 0..3 {
        let records = records(seed, 7);
        for layout in LAYOUTS {
            let text = lay_out(&records, layout);
            for how in ways() {
                let cutting = cut(text.as_bytes(), how);
                assert_eq!(values(&cutting), records, "{layout:?} {how:?}\n{text}");
                assert_eq!((cutting.blank_lines, cutting.error), (0, None), "{layout:?} {how:?}");
                let ended = cut(format!("{text}\n").as_bytes(), how);
                assert_eq!(ended.letters, cutting.letters, "with a line end: {layout:?} {how:?}");
                assert_eq!(ended.blank_lines, 0, "{layout:?} {how:?}");
            }
        }
    }
}

/// What one framing is told to be, it is read as.
#[test]
fn told_framings_read_what_they_are_for() {
    let records = records(3, 6);
    for (framing, layouts) in [(Framing::Lines, &LAYOUTS[..3]), (Framing::Json, &LAYOUTS[..])] {
        for &layout in layouts {
            let text = lay_out(&records, layout);
            for how in ways() {
                let how = How { framing, ..how };
                assert_eq!(values(&cut(text.as_bytes(), how)), records, "{layout:?} {how:?}\n{text}");
            }
        }
    }
    // An object over two lines is one record, or two lines that are none.
    let text = b"{\"kind\":\"tiny\",\n\"id\":1}\n";
    for how in ways() {
        let letters = |framing| cut(text, How { framing, ..how }).letters.len();
        assert_eq!((letters(Framing::Lines), values(&cut(text, how)).len()), (2, 1), "{how:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mixtures_give_the_same_records(
        groups in prop::collection::vec((0usize..12, 1usize..4, 0usize..3), 1..6),
        seed: u64,
        piece in 1usize..200,
        live: bool,
        batch_bytes in prop_oneof![16usize..400, Just(1 << 20)],
    ) {
        let records = records(seed, groups.iter().map(|g| g.1).sum());
        let (mut text, mut left, mut blank) = (String::new(), &records[..], 0);
        for &(layout, n, lines) in &groups {
            let (now, later) = left.split_at(n);
            left = later;
            text.push_str(&lay_out(now, LAYOUTS[layout]));
            text.push_str(&"\n".repeat(1 + lines));
            blank += lines as u64;
        }
        let cutting = cut(text.as_bytes(), How::of(piece, live, batch_bytes));
        prop_assert_eq!(values(&cutting), records, "{}", text);
        prop_assert_eq!(cutting.blank_lines, blank, "{}", text);
    }

    /// Damaged text: whatever is cut, it ends, it does not depend on batches, and nothing is
    /// counted twice.
    #[test]
    fn damaged_text_is_cut_the_same_for_any_batch(
        layout in 0usize..12,
        seed: u64,
        damage in prop::collection::vec((any::<prop::sample::Index>(), 0usize..9), 1..3),
        piece in 1usize..60,
        batch_bytes in 16usize..300,
    ) {
        let mut text = lay_out(&records(seed, 5), LAYOUTS[layout]).into_bytes();
        for (at, how) in damage {
            let at = at.index(text.len());
            match how {
                8 => drop(text.remove(at)),
                _ => text[at] = b"{}[]\",:\n"[how],
            }
        }
        // Only told lines say beforehand where damage ends.
        let lines = |how| How { framing: Framing::Lines, ..how };
        let whole = cut(&text, lines(How::of(1 << 20, false, 1 << 20)));
        prop_assert_eq!(cut(&text, lines(How::of(piece, true, batch_bytes))), whole);
        for how in [How::of(piece, true, batch_bytes), How::of(1 << 20, false, 1 << 20)] {
            cut(&text, how);
        }
    }
}

/// Where a line with a broken array ends is for its worker to say, however little of it is there.
#[test]
fn a_broken_array_on_a_line_costs_its_line_for_any_batch() {
    let good = "{\"id\":1}\n";
    for broken in
        ["[\"id\":1,\"of\":{\"id\":2}}", "[{\"id\":2},{\"id\":3}}", "[{\"id\":2}}]", "[[{\"id\":2}}"]
    {
        let text = format!("{good}{broken}\n{good}{good}");
        let whole = cut(text.as_bytes(), How::of(1 << 20, false, 1 << 20));
        let records = whole.letters.iter().filter(|l| l.text.as_deref() == Some(good.trim_end()));
        assert_eq!(records.count(), 3, "{broken}");
        for how in ways() {
            assert_eq!(cut(text.as_bytes(), how), whole, "{broken} {how:?}");
        }
    }
}

/// What a list of pieces became: the good records by number, and what was refused.
fn told(cutting: &Cutting) -> (Vec<u64>, Vec<(Reason, usize)>) {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for letter in &cutting.letters {
        match (letter.reason, letter.text.as_deref().and_then(|t| serde_json::from_str::<Value>(t).ok())) {
            (Reason::NoMapping, Some(value)) => good.push(value["id"].as_u64().unwrap()),
            _ => bad.push((letter.reason, letter.byte)),
        }
    }
    (good, bad)
}

fn good(id: usize) -> Vec<u8> {
    format!("{{\"kind\":\"tiny\",\"id\":{id},\"s\":{{\"t\":[1,{{\"u\":\"x\"}}]}}}}").into_bytes()
}

/// Bad as an element of a list and as a line.
fn bad_values() -> Vec<(&'static str, Vec<u8>, Reason)> {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
    vec![
        ("a trailing comma", b"{\"a\":1,}".to_vec(), Reason::NotJson),
        ("not a number", b"{\"a\":NaN}".to_vec(), Reason::NotJson),
        ("a missing colon", b"{\"a\" 1}".to_vec(), Reason::NotJson),
        ("a bad escape", b"{\"a\":\"\\q\"}".to_vec(), Reason::NotJson),
        ("a raw tab", b"{\"a\":\"\t\"}".to_vec(), Reason::NotJson),
        ("a scalar", b"42".to_vec(), Reason::NotObject),
        ("a string", b"\"text\"".to_vec(), Reason::NotObject),
        ("a literal", b"null".to_vec(), Reason::NotObject),
        ("not UTF-8", b"{\"a\":\"\xff\"}".to_vec(), Reason::NotUtf8),
        ("too deep", deep.into_bytes(), Reason::TooDeep),
        ("a missing brace", b"{\"a\":{\"b\":1}".to_vec(), Reason::NotJson),
        ("a raw line end in a string", b"{\"a\":\"x\ny\",\"b\":{\"c\":1}}".to_vec(), Reason::NotJson),
    ]
}

/// Good and bad records in turns, and where the bad ones begin.
fn between(bad: &[u8], start: &str, separator: &str, end: &str) -> (Vec<u8>, Vec<usize>) {
    let mut text = start.as_bytes().to_vec();
    let mut places = Vec::new();
    for i in 0..9 {
        if i > 0 {
            text.extend_from_slice(separator.as_bytes());
        }
        if i % 4 == 2 {
            places.push(text.len());
            text.extend_from_slice(bad);
        } else {
            text.extend(good(i));
        }
    }
    text.extend_from_slice(end.as_bytes());
    (text, places)
}

#[test]
fn a_bad_record_costs_itself() {
    let layouts = [
        ("lines", "", "\n", "\n"),
        ("CRLF lines", "", "\r\n", "\r\n"),
        ("array", "[", ",", "]"),
        ("array over lines", "[\n  ", ",\n  ", "\n]\n"),
        ("envelope over lines", "{\n\"data\": [\n    ", ",\n    ", "\n ],\n \"has_more\": false\n}\n"),
        ("nested envelope over lines", "{\n\"result\": {\"items\": [\n ", ",\n ", "\n ]},\n \"x\": 1\n}\n"),
    ];
    for (what, bad, reason) in bad_values() {
        for (layout, start, separator, end) in layouts {
            if layout == "array" && reason == Reason::NotUtf8 {
                // A line is checked for UTF-8 as a whole.
                continue;
            }
            let (text, places) = between(&bad, start, separator, end);
            let expected = (vec![0, 1, 3, 4, 5, 7, 8], places.iter().map(|&at| (reason, at)).collect());
            for how in ways() {
                let cutting = cut(&text, how);
                let shown = String::from_utf8_lossy(&text);
                assert_eq!(told(&cutting), expected, "{what} in {layout}, {how:?}\n{shown}");
                assert_eq!(cutting.blank_lines, 0, "{what} in {layout}, {how:?}");
            }
        }
    }
}

#[test]
fn bad_lines_cost_themselves() {
    let truncated = &good(77)[..];
    let mut lines: Vec<(Vec<u8>, Reason)> = (1..truncated.len())
        .filter(|&n| truncated[n - 1] != b':')
        .map(|n| (truncated[..n].to_vec(), Reason::NotJson))
        .collect();
    lines.push((b"-- MARK --".to_vec(), Reason::NotJson));
    lines.push((b"}".to_vec(), Reason::NotJson));
    lines.push((b",\"a\":1}".to_vec(), Reason::NotJson));
    lines.push((b"\xff\xfe\x00".to_vec(), Reason::NotUtf8));
    for (bad, reason) in &lines {
        let (text, places) = between(bad, "", "\n", "\n");
        let expected = (vec![0, 1, 3, 4, 5, 7, 8], places.iter().map(|&at| (*reason, at)).collect());
        for how in ways().into_iter().step_by(5) {
            assert_eq!(told(&cut(&text, how)), expected, "{how:?}\n{}", String::from_utf8_lossy(&text));
        }
    }
}

/// A line that was tried together with what follows is not tried again for ever.
#[test]
fn an_open_line_before_the_end_of_the_input() {
    for text in
        ["{\"a\":{}\n,\"b\":1", "{\"a\":[{}\n]", "{\"a\":{}\n,\"b\":\"x\ny\n", "[{}\n,", "{}{\"a\":[]\n,"]
    {
        for how in ways() {
            assert!(!cut(text.as_bytes(), how).letters.is_empty(), "{text}");
        }
    }
}

#[test]
fn what_a_list_lacks_at_its_end_is_said_once() {
    let list = |ids: std::ops::Range<usize>| ids.map(good).collect::<Vec<_>>().join(&b",\n"[..]);
    let text = |parts: &[&[u8]]| parts.concat();
    let (some, more) = (list(0..3), [good(3), good(4), good(5)].join(&b"\n"[..]));
    let cases = [
        ("an array", text(&[b"[\n", &some]), 3),
        ("an array behind a comma", text(&[b"[\n", &some, b",\n"]), 3),
        ("an array inside a record", text(&[b"[\n", &some, b",\n{\"kind\":\"ti"]), 3),
        ("an envelope", text(&[b"{\"data\":[\n", &some, b"\n"]), 3),
        ("an envelope's tail", text(&[b"{\"data\":[\n", &some, b"]\n"]), 3),
        ("an envelope's tail inside a key", text(&[b"{\"data\":[\n", &some, b"],\n\"has_"]), 3),
        ("a nested envelope", text(&[b"{\"result\":{\n\"items\":[", &some, b"]}\n"]), 3),
        ("a tail before lines", text(&[b"{\"data\":[\n", &some, b"]\n", &more]), 6),
        ("a tail with members before lines", text(&[b"{\"data\":[\n", &some, b"],\"a\":1\n", &more]), 6),
        ("a tail behind a colon before lines", text(&[b"{\"data\":[\n", &some, b"],\"a\":\n", &more]), 6),
        ("a tail inside a string before lines", text(&[b"{\"data\":[\n", &some, b"],\"a\":\"x\n", &more]), 6),
        ("an array before lines", text(&[b"[\n", &some, b"\n", &more]), 6),
    ];
    for (what, text, n) in cases {
        for how in ways() {
            let (ids, bad) = told(&cut(&text, how));
            assert_eq!(ids, (0..n).collect::<Vec<u64>>(), "{what} {how:?}");
            assert_eq!(bad.iter().map(|b| b.0).collect::<Vec<_>>(), [Reason::Truncated], "{what} {how:?}");
        }
    }
    // A whole envelope, then lines.
    let whole = text(&[b"{\"data\":[\n", &some, b"],\n\"a\":1}\n", &more]);
    for how in ways() {
        assert_eq!(told(&cut(&whole, how)), ((0..6).collect(), vec![]));
    }
}

#[test]
fn a_record_above_the_limit_costs_itself() {
    let large = format!("{{\"kind\":\"tiny\",\"id\":7,\"s\":\"{}\"}}", "]}\\\"".repeat(100));
    let layouts = [
        ("lines", "", "\n", "\n"),
        ("no separator", "", "", "\n"),
        ("array", "[", ",", "]"),
        ("array over lines", "[\n  ", ",\n  ", "\n]\n"),
        ("envelope", "{\"object\":\"list\",\"data\":[", ",", "],\"a\":1}"),
        ("envelope over lines", "{\n\"data\": [\n    ", ",\n    ", "\n ]\n}\n"),
    ];
    for (layout, start, separator, end) in layouts {
        let (text, places) = between(large.as_bytes(), start, separator, end);
        let expected = (vec![0, 1, 3, 4, 5, 7, 8], places.iter().map(|&at| (Reason::TooLarge, at)).collect());
        for how in ways() {
            let cutting = cut(&text, how.most(300));
            assert_eq!(told(&cutting), expected, "{layout} {how:?}");
            assert_eq!(cutting.blank_lines, 0, "{layout} {how:?}");
        }
    }
    // Laid out over lines, and told lines.
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<Value>(&large).unwrap()).unwrap();
    let (text, places) = between(pretty.as_bytes(), "", "\n", "\n");
    let expected = (vec![0, 1, 3, 4, 5, 7, 8], places.iter().map(|&at| (Reason::TooLarge, at)).collect());
    for how in ways() {
        assert_eq!(told(&cut(&text, how.most(300))), expected, "{how:?}");
    }
    let (text, places) = between(large.as_bytes(), "", "\n", "\n");
    let expected = (vec![0, 1, 3, 4, 5, 7, 8], places.iter().map(|&at| (Reason::TooLarge, at)).collect());
    for how in ways() {
        let how = How { framing: Framing::Lines, ..how.most(300) };
        assert_eq!(told(&cut(&text, how)), expected, "{how:?}");
    }
}

#[test]
fn a_long_envelope_never_makes_a_long_batch() {
    let one = good(1);
    let n = (40 << 20) / (one.len() + 1);
    let body = [one, vec![b',']].concat().repeat(n);
    let text =
        [b"{\"object\":\"list\",\"data\":[", &body[..body.len() - 1], b"],\"has_more\":false}"].concat();
    for live in [false, true] {
        let batch_bytes = 64 << 10;
        let how = How::of(1 << 20, live, batch_bytes);
        let mut cutter = Cutter::new(reader(&text, how), 0, how.framing, how.limits, &PLAN.envelope_paths);
        let (mut units, mut spare) = (0, Vec::new());
        while let Some(batch) = cutter.next(std::mem::take(&mut spare)) {
            let batch: Batch = batch.unwrap();
            assert!(batch.bytes.len() < 4 * batch_bytes, "{} bytes in one batch", batch.bytes.len());
            units += batch.units.len();
            spare = batch.bytes;
        }
        assert_eq!(units, n);
    }
}

/// Lets itself be read only as far as was handed on.
struct Lines {
    lines: std::collections::VecDeque<Vec<u8>>,
    handed: Arc<AtomicU64>,
    given: u64,
}

impl Read for Lines {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        assert_eq!(self.handed.load(Ordering::SeqCst), self.given, "read on before the line was handed on");
        let Some(line) = self.lines.pop_front() else {
            return Ok(0);
        };
        self.given += 1;
        out[..line.len()].copy_from_slice(&line);
        Ok(line.len())
    }
}

#[test]
fn a_live_line_is_handed_on_before_more_is_read() {
    let handed = Arc::new(AtomicU64::new(0));
    let lines: Vec<Vec<u8>> = (0..20)
        .map(|i| match i % 4 {
            3 => b"<13>Jun  5 10:00:00 host app: {\"kind\":\"tiny\",\"id\":1}\n".to_vec(),
            _ => [good(i), b"\n".to_vec()].concat(),
        })
        .collect();
    let inner = Lines { lines: lines.clone().into(), handed: handed.clone(), given: 0 };
    let mut reader = Reader::of("live", inner);
    reader.live = true;
    let mut cutter = Cutter::new(reader, 0, Framing::Auto, Limits::default(), &PLAN.envelope_paths);
    for line in &lines {
        let batch = cutter.next(Vec::new()).unwrap().unwrap();
        assert_eq!(&batch.bytes, line);
        assert_eq!(batch.units.len(), 1);
        handed.fetch_add(1, Ordering::SeqCst);
    }
    assert!(cutter.next(Vec::new()).is_none());
}

/// The outputs of the built-in mappings, from one thread and from several.
fn normalized(text: &[u8], threads: usize, batch_bytes: usize) -> (Vec<u8>, u64) {
    let catalog = catalog::load(&[]).unwrap();
    let plan =
        Plan::compile(&catalog, &Request { targets: vec!["udm".into()], ..Request::default() }).unwrap();
    let settings = Settings {
        threads,
        clock: Clock::Fixed(Instant { secs: 1_767_225_600, nanos: 0 }),
        seed: 0,
        limits: Limits { batch_bytes, ..Limits::default() },
        ..Settings::default()
    };
    let inputs = vec![Input { name: "test".into(), from: From::Memory(text.to_vec()) }];
    let (mut out, mut dead) = (Vec::new(), 0);
    let mut letter = |_: &Dead, _: &NamesOf| {
        dead += 1;
        Ok(())
    };
    let targets = vec![Some(Box::new(&mut out) as Box<dyn Write + Send>)];
    let mut sinks = Sinks { targets, dead: &mut letter, progress: &mut |_, _| {} };
    run::run(&plan, inputs, &settings, &mut sinks).unwrap();
    drop(sinks);
    (out, dead)
}

#[test]
fn normalized_bytes_do_not_depend_on_framing_threads_or_batches() {
    let event = |i: usize| {
        json!({"object": "organization.audit_log", "id": format!("audit_log-{i}"), "type": "login.succeeded",
            "effective_at": 1749908841 + i, "actor": {"type": "session", "session": {"user": {"id": "user-1",
            "email": "a.b@example.com"}, "ip_address": "198.51.100.77", "user_agent": "x {y} [z] \"q\""}}})
    };
    let events: Vec<Value> = (0..40).map(event).collect();
    let (expected, dead) = normalized(lay_out(&events, Layout::Ndjson).as_bytes(), 1, 1 << 20);
    assert_eq!((expected.iter().filter(|&&b| b == b'\n').count(), dead), (40, 0));
    for layout in LAYOUTS.into_iter().filter(|l| !matches!(l, Layout::Nested | Layout::PrettyNested)) {
        for (threads, batch_bytes) in [(1, 200), (3, 1000), (2, 1 << 20)] {
            let text = lay_out(&events, layout);
            let found = normalized(text.as_bytes(), threads, batch_bytes);
            assert_eq!(found, (expected.clone(), 0), "{layout:?} {threads} {batch_bytes}");
        }
    }
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Everything a file gives, and its error: the same with a thread that reads ahead and without.
fn read_file(path: &Path, map: bool) -> (Vec<u8>, Option<String>) {
    let read = |ahead| {
        let mut reader = match input::open(&Place::File(path.into()), map, ahead, Arc::default()) {
            Ok(reader) => reader,
            Err(e) => return (Vec::new(), Some(e.to_string())),
        };
        let (mut all, mut piece) = (Vec::new(), [0; 1000]);
        loop {
            match reader.read(&mut piece) {
                Ok(0) => return (all, None),
                Ok(n) => all.extend_from_slice(&piece[..n]),
                Err(e) => return (all, Some(e.what)),
            }
        }
    };
    let alone = read(false);
    assert!(read(true) == alone, "reading ahead gives something else");
    alone
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn compressed_files_are_read_to_the_end_of_their_last_part() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) =
        ([good(1), b"\n".to_vec()].concat().repeat(3000), [good(2), b"\n".to_vec()].concat().repeat(10));
    let both = [a.clone(), b.clone()].concat();
    let zstd = |bytes: &[u8]| zstd::stream::encode_all(bytes, 1).unwrap();
    let cases = [
        ("plain", both.clone()),
        ("two members", [gzip(&a), gzip(&b)].concat()),
        ("an empty member", [gzip(&a), gzip(b""), gzip(&b)].concat()),
        ("two frames", [zstd(&a), zstd(&b)].concat()),
    ];
    for (name, bytes) in cases {
        let path = write(folder.path(), name, &bytes);
        for map in [false, true] {
            let read = Arc::new(AtomicU64::new(0));
            assert!(read_file(&path, map) == (both.clone(), None), "{name}, map {map}");
            let mut reader = input::open(&Place::File(path.clone()), map, map, read.clone()).unwrap();
            while reader.read(&mut [0; 4096]).unwrap() > 0 {}
            assert_eq!(read.load(Ordering::Relaxed), bytes.len() as u64, "{name}: bytes taken");
            assert!(!reader.live);
        }
    }
    for (kind, bytes) in [("gzip", gzip(&both)), ("zstd", zstd(&both))] {
        let path = write(folder.path(), kind, &bytes[..bytes.len() - 20]);
        let reader = input::open(&Place::File(path), false, true, Arc::default()).unwrap();
        let mut cutter = Cutter::new(reader, 0, Framing::Auto, Limits::default(), &[]);
        let (mut units, mut errors) = (0, Vec::new());
        while let Some(batch) = cutter.next(Vec::new()) {
            match batch {
                Ok(batch) => units += batch.units.len(),
                Err(e) => errors.push(e.what),
            }
        }
        assert!(kind == "zstd" || units > 0, "{kind}: what came before the end is there");
        assert_eq!(errors, [format!("the {kind} stream ends early")]);
    }
    let mut damaged = gzip(&both);
    let middle = damaged.len() / 2;
    damaged[middle..middle + 8].fill(0xff);
    let (_, error) = read_file(&write(folder.path(), "damaged", &damaged), false);
    assert!(error.is_some_and(|e| e.contains("the gzip stream")));
}

#[test]
fn folders_are_read_in_order_and_what_is_missing_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    std::fs::create_dir_all(root.join("b/inner")).unwrap();
    for name in ["c", "a", "b/z", "b/inner/y", "b/x", ".hidden", "B"] {
        write(root, name, b"{}\n");
    }
    // A link back to a folder on the way shows nothing new.
    #[cfg(unix)]
    std::os::unix::fs::symlink(root, root.join("b/inner/back")).unwrap();
    let missing = root.join("missing");
    let (places, errors) = input::expand(&[root.join("c"), "-".into(), root.into(), missing.clone()]);
    let names: Vec<String> =
        places.iter().map(|p| p.name().replace(&format!("{}/", root.display()), "")).collect();
    assert_eq!(names, ["c", "-", "B", "a", "b/inner/y", "b/x", "b/z", "c"]);
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].to_string(), format!("{}: no such file or folder", missing.display()));
    assert_eq!(input::size(&places), None, "nobody knows how much stdin holds");
    assert_eq!(input::size(&places[2..]), Some(18));
    let (_, error) = read_file(&missing, false);
    assert!(error.is_some_and(|e| e.ends_with("no such file or folder")));
    assert_eq!(read_file(root, true).1, Some(format!("{}: is a folder", root.display())));
}

#[test]
fn empty_and_blank_inputs_and_byte_order_marks() {
    let folder = tempfile::tempdir().unwrap();
    let empty = write(folder.path(), "empty", b"");
    for map in [false, true] {
        assert_eq!(read_file(&empty, map), (vec![], None));
    }
    let bom = [b"\xef\xbb\xbf".to_vec(), good(5), b"\n".to_vec()].concat();
    for how in ways() {
        assert_eq!(cut(b"", how), Cutting::default());
        let blank = cut(b"\n \r\n\t\n\n  ", how);
        assert_eq!((blank.letters.len(), blank.blank_lines), (0, 5), "{how:?}");
        let blank = cut(b"{\"kind\":\"tiny\"}\n\n\n{\n}\n\n[\n]\n\n", how);
        assert_eq!((blank.letters.len(), blank.blank_lines), (2, 4), "{how:?}");
        let cutting = cut(&bom, how);
        assert_eq!(told(&cutting), (vec![5], vec![]), "{how:?}");
        assert_eq!(cutting.letters[0].byte, 3);
        let tiny = [1, 2].map(|batch_bytes| How::of(1 << 20, false, batch_bytes));
        for (mark, how) in [b"\xff\xfe", b"\xfe\xff"].into_iter().flat_map(|mark| tiny.map(|how| (mark, how)))
        {
            let cutting = cut(&[&mark[..], b"{\0}\0\n\0"].concat(), how);
            assert!(cutting.letters.is_empty() && cutting.error.is_some(), "{how:?}");
        }
        for mark in [b"\xff\xfe", b"\xfe\xff"] {
            let cutting = cut(&[&mark[..], b"{\0}\0\n\0"].concat(), how);
            assert!(cutting.letters.is_empty());
            assert!(cutting.error.is_some_and(|e| e.contains("UTF-16")), "{how:?}");
        }
    }
}

#[test]
fn syslog_headers_are_taken_apart() {
    type Row<'a> = (&'a str, Option<(&'a str, Option<u16>, &'a str, &'a str, &'a str)>);
    let table: &[Row] = &[
        (
            "<134>Jun  5 10:00:00 web-1 app[42]: {\"a\":1}",
            Some(("{\"a\":1}", Some(134), "Jun  5 10:00:00", "web-1", "app")),
        ),
        (
            "<13>Jun 15 10:00:00 h app: [{\"a\":1}]",
            Some(("[{\"a\":1}]", Some(13), "Jun 15 10:00:00", "h", "app")),
        ),
        ("Jun 15 10:00:00 h app: {}", Some(("{}", None, "Jun 15 10:00:00", "h", "app"))),
        ("2025-06-15T10:00:00Z h app: {}", Some(("{}", None, "2025-06-15T10:00:00Z", "h", "app"))),
        ("<13>app: {}", Some(("{}", Some(13), "", "", "app"))),
        (
            "<165>1 2025-06-15T10:00:00Z h app 7 id - {\"a\":1} ",
            Some(("{\"a\":1}", Some(165), "2025-06-15T10:00:00Z", "h", "app")),
        ),
        (
            "<165>1 - - - - - [x@1 a=\"]\\\"\"][y b=\"{\"] \u{feff}{\"a\":1}",
            Some(("{\"a\":1}", Some(165), "", "", "")),
        ),
        (
            "42 <165>1 2025-06-15T10:00:00Z h app - - - {}",
            Some(("{}", Some(165), "2025-06-15T10:00:00Z", "h", "app")),
        ),
        ("<192>Jun 15 10:00:00 h app: {}", None),
        ("<x>Jun 15 10:00:00 h app: {}", None),
        ("<>", None),
        ("<", None),
        ("", None),
        ("<13>Jun 15 10:00:00 h app: plain", None),
        ("<165>1 2025-06-15T10:00:00Z h app - - - plain", None),
        ("<165>1 2025", None),
        ("plain {\"a\":1}", None),
        ("Jun 15", None),
        ("99999999 <", None),
    ];
    for (line, expected) in table {
        let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.unwrap_or_default().to_vec()).unwrap();
        let found = strip_syslog(line.as_bytes()).map(|s: Syslog| {
            (line[s.message.clone()].to_string(), s.priority, text(s.time), text(s.host), text(s.app))
        });
        let expected =
            expected.map(|(m, p, t, h, a)| (m.to_string(), p, t.to_string(), h.to_string(), a.to_string()));
        assert_eq!(found, expected, "{line}");
    }
    let one = "<13>Jun 15 10:00:00 h app: {\"kind\":\"tiny\",\"id\":1}";
    let counted = format!("{} {one}{} {one}", one.len(), one.len());
    for (text, n) in
        [(counted.clone(), 2), (format!("{one}\n{one}\r\n{one}"), 3), (format!("{counted}\n{counted}\n"), 4)]
    {
        for how in ways() {
            let cutting = cut(text.as_bytes(), how);
            assert_eq!(values(&cutting), vec![json!({"kind": "tiny", "id": 1}); n], "{text}");
        }
    }
}

#[test]
fn an_envelope_that_breaks_is_told_the_same_however_it_arrives() {
    let texts = [
        "{\n  \"data\": [\n    {\n      \"kind\": \"tiny\",\n      \"a\": {\n     \"PL\",\n      \"b\": 1\n     ]]]]] left\",\n      \"c\": 2\n    }\n  ],\n  \"has_more\": false\n}\n",
        "{\"data\": [{\"kind\": \"tiny\", \"id\": 1}], \"more\"  no member , at all\n{\"kind\": \"tiny\", \"id\": 2}\n",
        "{\"data\": [\n{\"kind\": \"tiny\", \"id\": 1}\n] ,   \n  x y z\n{\"kind\": \"tiny\", \"id\": 2}\n",
    ];
    for text in texts {
        let whole = cut(text.as_bytes(), How::of(1 << 20, false, 1 << 18));
        for batch_bytes in [1, 16, 100, 4096] {
            for (piece, live) in [(1, true), (1, false), (3, true), (50, false)] {
                let how = How::of(piece, live, batch_bytes);
                assert_eq!(cut(text.as_bytes(), how), whole, "{how:?}\n{text}");
            }
        }
    }
}

/// Past a mebibyte, where a line ends and whether it is an envelope is found out without reading it.
#[test]
fn a_long_line_is_told_as_a_short_one_is() {
    let lines = [
        r#"{"kind":"tiny","id":1,"in":[{"a":"PAD","b":"]}\\\"{[\\"},{}]}"#,
        r#"{"kind":"tiny","id":1,"a":{"b":{"data":[1]},"s":"data"},"t":"PAD"}"#,
        r#"{"kind":"tiny","id":1,"data":{"s":"PAD"}}"#,
        r#"{"s":"PAD","data":[{"kind":"tiny","id":1},{"kind":"tiny","id":2}],"more":false}"#,
        r#"{"object":"thing","kind":"tiny","id":1,"data":[{"s":"PAD"}]}"#,
        r#"{"kind":"tiny","id":1,"s":"PAD"}{"kind":"tiny","id":2}"#,
        r#"{"kind":"tiny","id":1}{"kind":"tiny","id":2,"s":"PAD"} {"kind":"tiny","id":3}"#,
        r#"{"kind":"tiny","id":1,"a":[{"s":"PAD"]]}"#,
        r#"{"kind":"tiny","id":1,"a":[{"s":"PAD","n":01}]}"#,
        r#"{"kind":"tiny","id":1,"a":[{"s":"PAD","n":"\x"}]}"#,
        r#"{"kind":"tiny","id":1,"a":[{"s":"PAD","n":"\"}}]}"#,
        "{\"kind\":\"tiny\",\"id\":1,\"a\":[{\"s\":\"PAD\",\"n\":\"\t\"}]}",
        r#"{"kind":"tiny","id":1,"a":[{"s":"PAD"}}}"#,
        r#"{"kind":"tiny","id":1,"a":[{"s":"PAD"}],}"#,
    ];
    let pad = r#"]}\\ \"{["#.repeat(120_000);
    let hows = [How::of(1 << 20, false, 1 << 18), How::of(1 << 16, false, 1 << 12)];
    for (i, line) in lines.iter().enumerate() {
        let next = ["", "{\"kind\":\"tiny\",\"id\":9}\n", "  {\"kind\":\"tiny\",\"id\":9}\n"][i % 3];
        let told = |pad: &str, how: How| {
            let cutting = cut(format!("{}\n{next}", line.replace("PAD", pad)).as_bytes(), how);
            let letters = cutting.letters.into_iter();
            (letters.map(|l| (l.reason, l.line, l.text)).collect::<Vec<_>>(), cutting.blank_lines)
        };
        let (mut expected, blank) = told("pad", hows[0]);
        for text in expected.iter_mut().filter_map(|(_, _, text)| text.as_mut()) {
            *text = text.replace("pad", &pad);
        }
        assert!(told(&pad, hows[i % 2]) == (expected, blank), "{line}\n{next}");
    }
}
