//! The JSON text layer against serde_json: what is accepted, which values a walk finds, what
//! strings mean, and where a wrong text is wrong.

use std::collections::BTreeMap;
use std::ops::Range;

use logmill::json::{
    self, Cell, Copied, Fault, FaultKind, Index, Kind, Level, Marks, NodeId, Slots, View, Want, cell_at,
    copy_string, copy_value, elements, leaf_count, members, push_quoted, skip_space, skip_value, unescape,
};
use proptest::prelude::*;
use serde_json::Value;

const DEPTH: usize = 128;

/// Walks without an index and with that of every level: all must find the same.
fn walk_all(
    want: &Want,
    text: &[u8],
    at: usize,
    max_depth: usize,
    slots: &mut Slots,
) -> Result<usize, Fault> {
    let plain = json::walk(want, text, Marks::default(), at, max_depth, slots);
    for level in Level::available() {
        let mut index = Index::new(level);
        index.build(text, at..text.len());
        let mut indexed = Slots::new(want);
        assert_eq!(
            json::walk(want, text, index.marks(), at, max_depth, &mut indexed),
            plain,
            "{level:?}: {}",
            String::from_utf8_lossy(text)
        );
        assert!(indexed.same(slots), "{level:?}: {}", String::from_utf8_lossy(text));
        assert_utf8_is_told(&index, &text[at..], at);
    }
    plain
}

/// What an index says must be looked at tells whether all of the text behind `at` is UTF-8.
fn assert_utf8_is_told(index: &Index, text: &[u8], at: usize) {
    let Some(wide) = index.wide() else { return };
    let is_utf8 = |range: &Range<usize>| std::str::from_utf8(&text[range.start - at..range.end - at]).is_ok();
    assert_eq!(wide.iter().all(is_utf8), std::str::from_utf8(text).is_ok(), "{wide:?} {text:?}");
}

/// SplitMix64: documents are drawn from a seed, so that a failing one can be drawn again.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

/// Letters of every length at every place of a block, whole and cut short.
#[test]
fn wherever_letters_stand_it_is_told_whether_they_are_utf8() {
    let letters: [&[u8]; 9] = [
        "é".as_bytes(),
        "漢".as_bytes(),
        "😀".as_bytes(),
        b"\x80",
        b"\xc3",
        b"\xe6\xbc",
        b"\xf0\x9f\x98",
        b"\xff",
        b"\xed\xa0\x80",
    ];
    for letter in letters {
        for at in 0..140 {
            for behind in [0, 1, 70] {
                let text = [b"\"".as_slice(), &vec![b'a'; at], letter, &vec![b'b'; behind], b"\""].concat();
                for level in Level::available() {
                    let mut index = Index::new(level);
                    index.build(&text, 0..text.len());
                    assert!(index.wide().is_some_and(|wide| !wide.is_empty()));
                    assert_utf8_is_told(&index, &text, 0);
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Style {
    /// Keys may repeat within an object.
    repeats: bool,
    /// Lone surrogate escapes and numbers too large for a double.
    wild: bool,
}

/// Among them keys that differ only in their middle, and keys that share both ends.
const KEYS: &[&str] = &[
    "a",
    "b",
    "c",
    "data",
    "",
    "a.b",
    "abcdefgh",
    "abcdefghi",
    "abcdefgh-middle-1-ijklmnop",
    "abcdefgh-middle-2-ijklmnop",
    "abcdefghijklmnop",
    "abcdefgh_ijklmnop",
    "ключ",
    "say \"hi\"\n",
    "\u{1f600}",
];

fn space(draw: &mut Draw, out: &mut String) {
    if draw.below(4) == 0 {
        out.push_str(draw.one(&[" ", "\n", "\r\n", "\t", "  "]));
    }
}

/// The string in one of its spellings.
fn spell(draw: &mut Draw, s: &str, out: &mut String) {
    out.push('"');
    let escape_all = draw.below(6) == 0;
    for c in s.chars() {
        let must = matches!(c, '"' | '\\' | '\0'..='\x1f');
        if must || escape_all {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                match draw.below(2) {
                    0 => out.push_str(&format!("\\u{unit:04x}")),
                    _ => out.push_str(&format!("\\u{unit:04X}")),
                }
            }
        } else {
            out.push(c);
        }
    }
    out.push('"');
}

fn text_of(draw: &mut Draw, style: Style, depth: usize, out: &mut String) {
    match draw.below(if depth == 0 { 6 } else { 11 }) {
        0 => out.push_str(draw.one(&["true", "false", "null"])),
        1 => {
            let numbers =
                ["0", "-0", "12", "-3.5", "1e3", "1E-2", "0.25", "18446744073709551615", "6.02e+23"];
            out.push_str(draw.one(&numbers));
            if style.wild && draw.below(8) == 0 {
                out.push_str("1e999");
            }
        }
        2 | 3 => {
            let words =
                ["", "x", "plain words of some length", "tab\there", "\\back", "\"", "é😀", "\u{7f}\u{80}"];
            let word = draw.one(&words);
            spell(draw, word, out);
        }
        4 => out.push_str(draw.one(&["{}", "[]", "{ }", "[\n]"])),
        5 if style.wild => {
            out.push_str(draw.one(&[r#""\ud800""#, r#""x\udc00y""#, r#""\ud83d\ud83d\ude00""#]))
        }
        5 => out.push_str(draw.one(&[r#""\n\t\b\f\r\/\\\"""#, r#""\ud83d\ude00""#, r#""\u00e9\uFFFD""#])),
        6..=8 => object_text(draw, style, depth, out),
        _ => {
            out.push('[');
            for i in 0..draw.below(4) {
                if i > 0 {
                    out.push(',');
                }
                space(draw, out);
                text_of(draw, style, depth - 1, out);
                space(draw, out);
            }
            out.push(']');
        }
    }
}

fn object_text(draw: &mut Draw, style: Style, depth: usize, out: &mut String) {
    out.push('{');
    let mut used: Vec<&str> = Vec::new();
    for _ in 0..draw.below(6) {
        let key = draw.one(KEYS);
        if !style.repeats && used.contains(&key) {
            continue;
        }
        if !used.is_empty() {
            out.push(',');
        }
        used.push(key);
        space(draw, out);
        spell(draw, key, out);
        space(draw, out);
        out.push(':');
        space(draw, out);
        text_of(draw, style, depth.saturating_sub(1), out);
        space(draw, out);
    }
    out.push('}');
}

/// Whether we take the whole text as one JSON value, by checking it and, for an object, by
/// walking it: both must agree.
fn ours(text: &[u8]) -> bool {
    if json::check_utf8(text).is_err() {
        return false;
    }
    let start = skip_space(text, 0);
    let whole = |end: Result<usize, json::Fault>| end.is_ok_and(|end| skip_space(text, end) == text.len());
    let skipped = whole(skip_value(text, start, DEPTH));
    if text.get(start) == Some(&b'{') {
        let (want, _) = trie(&mut Draw(7), 12);
        let mut slots = Slots::new(&want);
        let walked = walk_all(&want, text, start, DEPTH, &mut slots);
        assert_eq!(
            skipped,
            whole(walked),
            "walk and skip_value differ on {:?}",
            String::from_utf8_lossy(text)
        );
        assert_eq!(
            skip_value(text, start, DEPTH).err().map(|f| (f.at, f.kind)),
            walked.err().map(|f| (f.at, f.kind)),
            "walk and skip_value fault differently on {:?}",
            String::from_utf8_lossy(text)
        );
    }
    skipped
}

/// serde_json skipping a value checks the grammar alone: no range of numbers, no pairing of
/// surrogates, no depth; exactly the stated policies but for the depth.
fn theirs(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|t| serde_json::from_str::<serde::de::IgnoredAny>(t).is_ok())
}

fn agree(text: &[u8]) {
    assert_eq!(ours(text), theirs(text), "{:?}", String::from_utf8_lossy(text));
    if serde_json::from_slice::<Value>(text).is_ok() {
        assert!(ours(text), "serde_json reads {:?}", String::from_utf8_lossy(text));
    }
}

fn mutate(draw: &mut Draw, text: &mut Vec<u8>) {
    const BYTES: &[u8] = b"{}[]:,\"\\/u0159eE+-.tfn \n\t\x00\x1f\x7f\x80\xc3\xed\xff";
    for _ in 0..1 + draw.below(3) {
        if text.is_empty() {
            return;
        }
        let at = draw.below(text.len());
        match draw.below(4) {
            0 => text[at] = BYTES[draw.below(BYTES.len())],
            1 => text[at] ^= 1 << draw.below(8),
            2 => {
                text.remove(at);
            }
            _ => text.insert(at, BYTES[draw.below(BYTES.len())]),
        }
    }
}

/// Bytes of white space between the tokens of a text.
fn blanks(text: &[u8]) -> usize {
    let (mut i, mut blanks) = (0, 0);
    while i < text.len() {
        i = match text[i] {
            b'"' => logmill::json::string(text, i).unwrap().0,
            byte => {
                blanks += byte.is_ascii_whitespace() as usize;
                i + 1
            }
        };
    }
    blanks
}

#[test]
fn every_ascii_character_is_written_as_it_is_read() {
    for c in (0..0x80u8).map(char::from).chain(['\u{2028}', 'é', '😀']) {
        let mut quoted = Vec::new();
        push_quoted(&c.to_string(), &mut quoted);
        let read: String = serde_json::from_slice(&quoted).unwrap();
        assert_eq!(read, c.to_string(), "{}", String::from_utf8_lossy(&quoted));
    }
    let escapes = r#"\b\f\n\r\t\/\"\\\u0041\ud83d\ude00"#;
    let mut read = String::new();
    unescape(escapes.as_bytes(), &mut read);
    assert_eq!(read, serde_json::from_str::<String>(&format!("\"{escapes}\"")).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn accepts_what_serde_json_accepts(seed: u64) {
        let mut draw = Draw(seed);
        let mut text = String::new();
        text_of(&mut draw, Style { repeats: true, wild: true }, 4, &mut text);
        agree(text.as_bytes());
        for _ in 0..30 {
            let mut changed = text.clone().into_bytes();
            mutate(&mut draw, &mut changed);
            agree(&changed);
        }
    }

    #[test]
    fn every_prefix_is_judged_as_serde_json_does(seed: u64) {
        let mut draw = Draw(seed);
        let mut text = String::new();
        object_text(&mut draw, Style { repeats: true, wild: true }, 3, &mut text);
        text.truncate(text.floor_char_boundary(400));
        for end in 0..=text.len() {
            agree(&text.as_bytes()[..end]);
        }
    }

    #[test]
    fn a_walk_finds_what_a_look_up_finds(seed: u64, repeats: bool) {
        let mut draw = Draw(seed);
        let mut text = String::new();
        object_text(&mut draw, Style { repeats, wild: false }, 5, &mut text);
        let (want, tree) = trie(&mut draw, 14);
        let mut slots = Slots::new(&want);
        // What an earlier record left must not show.
        let mut before = String::new();
        object_text(&mut draw, Style { repeats: true, wild: false }, 5, &mut before);
        walk_all(&want, before.as_bytes(), 0, DEPTH, &mut slots).unwrap();
        let end = walk_all(&want, text.as_bytes(), 0, DEPTH, &mut slots).unwrap();
        prop_assert_eq!(end, text.len());
        let value: Value = serde_json::from_str(&text).unwrap();
        let seen = Seen { text: &text, want: &want, view: View { text: text.as_bytes(), slots: &slots } };
        seen.children(&tree, 0, &value);
        if !repeats {
            let mut expected = Vec::new();
            rest_of(&tree, &value, &mut expected);
            let mut found: Vec<(NodeId, String, Value)> = slots.rest.iter().map(|r| seen.rest(r)).collect();
            let order = |a: &(NodeId, String, Value), b: &(NodeId, String, Value)| {
                (a.0, &a.1, a.2.to_string()).cmp(&(b.0, &b.1, b.2.to_string()))
            };
            expected.sort_by(order);
            found.sort_by(order);
            prop_assert_eq!(found, expected, "{}", text);
        }
        // The last one of a repeated key counts: what the others held is no member of the record.
        let mut last = BTreeMap::new();
        for r in slots.rest.iter().filter(|r| want.slot(r.node).scope == 0) {
            let (node, key, value) = seen.rest(r);
            last.insert((node, key), value.to_string());
        }
        let mut expected = Vec::new();
        rest_of(&tree, &value, &mut expected);
        expected.retain(|(node, ..)| want.slot(*node).scope == 0);
        let expected: BTreeMap<_, _> = expected.into_iter().map(|(n, k, v)| ((n, k), v.to_string())).collect();
        prop_assert_eq!(last, expected, "{}", text);
    }

    /// What a walk finds is the same whatever texts were walked before, by their trails or by none.
    #[test]
    fn trails_of_earlier_texts_do_not_show(seed: u64) {
        let mut draw = Draw(seed);
        let (want, tree) = trie(&mut draw, 14);
        let texts: Vec<String> = (0..6).map(|_| {
            let mut text = String::new();
            let style = Style { repeats: draw.below(4) == 0, wild: true };
            object_text(&mut draw, style, 4, &mut text);
            text
        }).collect();
        let mut walkers: Vec<(Index, Slots)> =
            Level::available().into_iter().map(|level| (Index::new(level), Slots::new(&want))).collect();
        let mut plain = Slots::new(&want);
        for _ in 0..24 {
            let mut text = texts[draw.below(texts.len())].clone().into_bytes();
            if draw.below(4) == 0 {
                mutate(&mut draw, &mut text);
            }
            if json::check_utf8(&text).is_err() || text.first() != Some(&b'{') {
                continue;
            }
            let depth = if draw.below(8) == 0 { 2 } else { DEPTH };
            let expected = json::walk(&want, &text, Marks::default(), 0, depth, &mut plain);
            for (index, slots) in &mut walkers {
                index.build(&text, 0..text.len());
                prop_assert_eq!(json::walk(&want, &text, index.marks(), 0, depth, slots), expected);
                prop_assert!(expected.is_err() || slots.same(&plain), "{}", String::from_utf8_lossy(&text));
            }
            let rest = plain.rest.first().map(|rest| rest.value.start);
            let below = tree.keys.get(draw.below(tree.keys.len().max(1)));
            if let (Ok(_), Some((_, below)), Some(at)) = (expected, below, rest) {
                plain.walk_more(&want, &text, Marks::default(), at as usize, below.node);
                for (index, slots) in &mut walkers {
                    slots.walk_more(&want, &text, index.marks(), at as usize, below.node);
                    prop_assert!(slots.same(&plain), "{}", String::from_utf8_lossy(&text));
                }
            }
        }
    }

    /// A record among others of one text is walked as if it stood alone, though what is behind it is seen.
    #[test]
    fn records_end_where_they_end(seed: u64) {
        let mut draw = Draw(seed);
        let (want, _) = trie(&mut draw, 14);
        let texts: Vec<String> = (0..3).map(|_| {
            let mut text = String::new();
            object_text(&mut draw, Style { repeats: false, wild: false }, 3, &mut text);
            text
        }).collect();
        let (mut index, mut slots, mut plain) = (Index::default(), Slots::new(&want), Slots::new(&want));
        for _ in 0..16 {
            // Some are cut in two, so that one goes on in the next.
            let (mut text, mut ends) = (String::new(), Vec::new());
            for _ in 0..4 {
                let one = &texts[draw.below(texts.len())];
                let cut = draw.below(one.len());
                if draw.below(3) == 0 && one.is_char_boundary(cut) && one[cut..].starts_with([',', '}', ':']) {
                    text += &one[..cut];
                    ends.push(text.len());
                    text += ["", "\n"][draw.below(2)];
                    text += &one[cut..];
                } else {
                    text += one;
                }
                ends.push(text.len());
                text += "\n";
            }
            let text = text.as_bytes();
            index.build(text, 0..text.len());
            let mut start = 0;
            for end in ends {
                let expected = json::walk(&want, &text[..end], Marks::default(), start, DEPTH, &mut plain);
                if text[start] == b'{' {
                    let found = json::follow(&want, (text, end), index.marks(), start, DEPTH, &mut slots);
                    if let Ok((_, true)) = found {
                        slots.fill(&want, text, index.marks(), start);
                    }
                    slots.unbundle();
                    prop_assert_eq!(found.map(|(end, _)| end), expected);
                    prop_assert!(expected.is_err() || slots.same(&plain), "{}", String::from_utf8_lossy(text));
                }
                start = end + (text[end] == b'\n') as usize;
            }
        }
    }

    /// Texts that are told to have one structure have the same keys and types of values in the same order.
    #[test]
    fn equal_structures_are_equal(seed: u64) {
        let mut draw = Draw(seed);
        let (want, _) = trie(&mut draw, 14);
        let mut slots = Slots::new(&want);
        let mut met: BTreeMap<json::Structure, String> = BTreeMap::new();
        for _ in 0..40 {
            let (mut text, mut again) = (String::new(), draw.next() % 12);
            object_text(&mut Draw(again), Style { repeats: false, wild: false }, 4, &mut text);
            again = draw.next() % 3;
            // Other texts of the same structure.
            let text = text.replace("plain words", ["plain words", "words", ""][again as usize]);
            let mut index = Index::default();
            index.build(text.as_bytes(), 0..text.len());
            json::walk(&want, text.as_bytes(), index.marks(), 0, DEPTH, &mut slots).unwrap();
            if let Some(found) = slots.structure().filter(|_| slots.structure_tells_all()) {
                let structure = structure(&serde_json::from_str(&text).unwrap());
                let known = met.entry(found).or_insert_with(|| structure.clone());
                prop_assert_eq!(&*known, &structure);
            }
        }
    }

    #[test]
    fn visits_see_every_member_and_element_once(seed: u64) {
        let mut draw = Draw(seed);
        let mut text = String::new();
        text_of(&mut draw, Style { repeats: false, wild: false }, 5, &mut text);
        let value: Value = serde_json::from_str(&text).unwrap();
        let (found, end) = visit(text.as_bytes(), 0);
        prop_assert_eq!(&found, &value);
        prop_assert_eq!(end, text.len());
        prop_assert_eq!(leaf_count(text.as_bytes(), 0), (leaves(&value), text.len()));
    }

    #[test]
    fn a_copy_is_the_value_in_its_shortest_form(seed: u64) {
        let mut draw = Draw(seed);
        let mut text = String::from("  ");
        text_of(&mut draw, Style { repeats: true, wild: false }, 5, &mut text);
        let value: Value = serde_json::from_str(&text).unwrap();
        let mut copied = Vec::new();
        prop_assert_eq!(copy(&cell_at(text.as_bytes(), 2), text.as_bytes(), &mut copied), 0);
        prop_assert_eq!(&serde_json::from_slice::<Value>(&copied).unwrap(), &value, "{}", text);
        // Visiting asserts that no member repeats.
        prop_assert_eq!(&visit(&copied, 0), &(value.clone(), copied.len()));
        prop_assert_eq!(blanks(&copied), 0, "{}", text);
        // What is in that form already stays as it is, byte for byte.
        let (short, mut again) = (value.to_string(), Vec::new());
        copy(&cell_at(short.as_bytes(), 0), short.as_bytes(), &mut again);
        prop_assert_eq!(String::from_utf8(again).unwrap(), short);
    }

    #[test]
    fn strings_mean_what_serde_json_says(s: String, seed: u64) {
        let mut quoted = Vec::new();
        push_quoted(&s, &mut quoted);
        prop_assert_eq!(&serde_json::from_slice::<String>(&quoted).unwrap(), &s);
        let mut draw = Draw(seed);
        let mut spelled = String::new();
        spell(&mut draw, &s, &mut spelled);
        for text in [spelled, serde_json::to_string(&s).unwrap()] {
            let cell = cell_at(text.as_bytes(), 0);
            prop_assert!(matches!(cell.kind, Kind::String | Kind::Escaped));
            prop_assert_eq!(cell.kind == Kind::Escaped, text.contains('\\'));
            let mut back = String::from("kept");
            unescape(cell.inner(text.as_bytes()), &mut back);
            prop_assert_eq!(&back[4..], &s);
            let mut copied = Vec::new();
            prop_assert_eq!(copy(&cell, text.as_bytes(), &mut copied), 0);
            prop_assert_eq!(copied, text.as_bytes());
        }
    }

    #[test]
    fn lone_surrogates_become_the_replacement_character(
        units in prop::collection::vec(prop_oneof![
            Just(0xd83du16), Just(0xde00), Just(0xd800), Just(0xdfff), Just(0xfffd), Just(0x5c), Just(0x41),
        ], 0..9)
    ) {
        let mut content = String::new();
        for unit in &units {
            match unit {
                0x41 => content.push('A'),
                0x5c => content.push_str("\\\\"),
                _ => content.push_str(&format!("\\u{unit:04x}")),
            }
        }
        let expected = String::from_utf16_lossy(&units);
        let lone = String::from_utf16(&units).is_err();
        let text = format!("\"{content}\"");
        let cell = cell_at(text.as_bytes(), 0);
        prop_assert_eq!(cell.kind == Kind::Lone, lone);
        let mut back = String::new();
        unescape(cell.inner(text.as_bytes()), &mut back);
        prop_assert_eq!(&back, &expected);
        let mut copied = Vec::new();
        copy_string(&cell, text.as_bytes(), &mut copied);
        prop_assert_eq!(&serde_json::from_slice::<String>(&copied).unwrap(), &expected);

        let text = format!("{{\"k{content}\":[\"{content}\",{{\"x\":\"\\n{content}\"}}]}}");
        let mut copied = Vec::new();
        prop_assert_eq!(copy(&cell_at(text.as_bytes(), 0), text.as_bytes(), &mut copied) > 0, lone);
        let value: Value = serde_json::from_slice(&copied).unwrap();
        let list = &value[format!("k{expected}")];
        prop_assert_eq!(&list[0], &expected);
        prop_assert_eq!(&list[1]["x"], &format!("\n{expected}"));
        if !lone {
            prop_assert_eq!(copied, text.into_bytes());
        }
    }
}

fn copy(cell: &Cell, text: &[u8], out: &mut Vec<u8>) -> u64 {
    let mut copied = Copied::default();
    copy_value(cell, text, out, &mut copied);
    copied.lone
}

#[test]
fn of_many_members_the_last_with_a_key_is_copied() {
    for n in [1, 5, 31, 47, 48, 49, 50, 100] {
        for space in [" ", ""] {
            // A key is the same key when it is spelled with an escape.
            let key = |i: usize| if i == n { "\\u006b0".to_string() } else { format!("k{}", i % n) };
            let member =
                |i: usize| format!("\"{}\"{space}:{{\"v\":[{i},true,null,{{\"k0\":-1.5e3}}]}}", key(i));
            let all: Vec<String> = (0..3 * n).map(member).collect();
            for members in [&all[..], &all[..n], &all[..n + 1]] {
                let text = format!("{{{}}}", members.join(&format!("{space},")));
                let mut copied = Vec::new();
                copy(&cell_at(text.as_bytes(), 0), text.as_bytes(), &mut copied);
                let expected: Vec<String> =
                    members[members.len() - n..].iter().map(|m| m.replace(' ', "")).collect();
                assert_eq!(String::from_utf8(copied).unwrap(), format!("{{{}}}", expected.join(",")));
            }
        }
    }
}

/// Keys of a fixed set in any order leave more trails than are kept: such records follow none.
#[test]
fn records_that_follow_no_trail_are_walked_all_the_same() {
    let mut draw = Draw(7);
    let mut want = Want::new();
    let mut keys: Vec<String> = (0..210).map(|n| format!("k{n}")).collect();
    for key in &keys[..20] {
        let node = want.child(0, key);
        let element = want.element(node);
        want.child(element, "a");
        want.child(node, "b");
    }
    want.finish();
    let (mut index, mut slots, mut plain) = (Index::default(), Slots::new(&want), Slots::new(&want));
    let mut without = 0;
    for _ in 0..1500 {
        for _ in 0..60 {
            let (a, b) = (draw.below(keys.len()), draw.below(keys.len()));
            keys.swap(a, b);
        }
        let members = keys[..60].iter().map(|key| {
            let mut value = String::new();
            match draw.below(40) {
                0 => text_of(&mut draw, Style { repeats: true, wild: true }, 2, &mut value),
                1 => value.push_str(r#"[{"a":"x","b":1},null]"#),
                _ => value.push('1'),
            }
            format!("\"{key}\":{value}")
        });
        let mut text = format!("{{{}}}", members.collect::<Vec<_>>().join(",")).into_bytes();
        if draw.below(10) == 0 {
            mutate(&mut draw, &mut text);
        }
        if json::check_utf8(&text).is_err() || text.first() != Some(&b'{') {
            continue;
        }
        index.build(&text, 0..text.len());
        let expected = json::walk(&want, &text, Marks::default(), 0, DEPTH, &mut plain);
        assert_eq!(json::walk(&want, &text, index.marks(), 0, DEPTH, &mut slots), expected);
        assert!(expected.is_err() || slots.same(&plain), "{}", String::from_utf8_lossy(&text));
        without += slots.structure().is_none() as u32;
    }
    assert!(without > 200, "{without} records followed no trail");
}

/// Keys and types in order.
fn structure(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: Vec<String> =
                members.iter().map(|(k, v)| format!("{k:?}:{}", structure(v))).collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(structure).collect::<Vec<_>>().join(",")),
        Value::Null => "null".into(),
        Value::Bool(_) => "boolean".into(),
        Value::Number(_) => "number".into(),
        Value::String(_) => "string".into(),
    }
}

/// The wanted paths again, as the test knows them.
#[derive(Debug, Default)]
struct Tree {
    node: NodeId,
    keys: Vec<(&'static str, Tree)>,
    element: Option<Box<Tree>>,
}

fn trie(draw: &mut Draw, paths: usize) -> (Want, Tree) {
    let mut want = Want::new();
    let mut root = Tree::default();
    for _ in 0..1 + draw.below(paths) {
        let mut at = &mut root;
        for step in 0..1 + draw.below(4) {
            if step > 0 && draw.below(3) == 0 {
                let node = want.element(at.node);
                at = at.element.get_or_insert_with(|| Box::new(Tree { node, ..Tree::default() }));
                continue;
            }
            let key = draw.one(KEYS);
            let node = want.child(at.node, key);
            let i = at.keys.iter().position(|(k, _)| *k == key).unwrap_or_else(|| {
                at.keys.push((key, Tree { node, ..Tree::default() }));
                at.keys.len() - 1
            });
            at = &mut at.keys[i].1;
        }
    }
    want.finish();
    (want, root)
}

struct Seen<'a> {
    text: &'a str,
    want: &'a Want,
    view: View<'a>,
}

impl Seen<'_> {
    fn value(&self, cell: Cell) -> Option<Value> {
        (cell.kind != Kind::Absent).then(|| serde_json::from_slice(cell.raw(self.text.as_bytes())).unwrap())
    }

    fn children(&self, tree: &Tree, row: u32, value: &Value) {
        for (key, child) in &tree.keys {
            self.node(child, row, value.as_object().and_then(|o| o.get(*key)));
        }
    }

    fn node(&self, tree: &Tree, row: u32, expected: Option<&Value>) {
        let cell = self.view.cell(self.want.slot(tree.node), row);
        let path = self.want.path(tree.node);
        assert_eq!(self.value(cell).as_ref(), expected, "{path} in {}", self.text);
        assert_eq!(
            cell.kind,
            expected.map_or(Kind::Absent, |v| kind_of(v, cell.kind)),
            "{path} in {}",
            self.text
        );
        self.children(tree, row, expected.unwrap_or(&Value::Null));
        let Some(element) = &tree.element else {
            return;
        };
        let scope = self.want.element_scope(tree.node).unwrap();
        let rows = self.view.rows(scope, cell);
        let list = expected.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        assert_eq!(rows.len(), list.len(), "rows of {path} in {}", self.text);
        for (row, value) in rows.zip(list) {
            self.node(element, row, Some(value));
        }
    }

    fn rest(&self, rest: &json::Rest) -> (NodeId, String, Value) {
        let key = &self.text[rest.key.0 as usize - 1..rest.key.1 as usize + 1];
        (rest.node, serde_json::from_str(key).unwrap(), self.value(rest.value).unwrap())
    }
}

fn kind_of(value: &Value, found: Kind) -> Kind {
    match value {
        Value::Null => Kind::Null,
        Value::Bool(false) => Kind::False,
        Value::Bool(true) => Kind::True,
        Value::Number(_) => Kind::Number,
        Value::String(_) if found == Kind::Escaped => Kind::Escaped,
        Value::String(_) => Kind::String,
        Value::Object(o) if o.is_empty() => Kind::EmptyObject,
        Value::Object(_) => Kind::Object,
        Value::Array(a) if a.is_empty() => Kind::EmptyArray,
        Value::Array(_) => Kind::Array,
    }
}

/// The members of walked objects that the trie has no key for.
fn rest_of(tree: &Tree, value: &Value, out: &mut Vec<(NodeId, String, Value)>) {
    // An object none of whose members is wanted is one value: nothing inside it is "rest".
    if let (Value::Object(object), true) = (value, !tree.keys.is_empty()) {
        for (key, value) in object {
            match tree.keys.iter().find(|(k, _)| k == key) {
                Some((_, child)) => rest_of(child, value, out),
                None => out.push((tree.node, key.clone(), value.clone())),
            }
        }
    }
    if let (Value::Array(list), Some(element)) = (value, &tree.element) {
        list.iter().for_each(|v| rest_of(element, v, out));
    }
}

/// The value at `at`, put together from visits.
fn visit(text: &[u8], at: usize) -> (Value, usize) {
    match text[at] {
        b'{' => {
            let mut object = serde_json::Map::new();
            let end = members(text, at, &mut |key, i| {
                let (value, end) = visit(text, i);
                let mut name = String::new();
                unescape(key, &mut name);
                assert!(object.insert(name, value).is_none(), "a member was visited twice");
                end
            });
            (object.into(), end)
        }
        b'[' => {
            let mut list = Vec::new();
            let end = elements(text, at, &mut |i| {
                let (value, end) = visit(text, i);
                list.push(value);
                end
            });
            (list.into(), end)
        }
        _ => {
            let cell = cell_at(text, at);
            (serde_json::from_slice(cell.raw(text)).unwrap(), cell.end as usize)
        }
    }
}

fn leaves(value: &Value) -> u64 {
    match value {
        Value::Null => 0,
        Value::Object(o) => o.values().map(leaves).sum(),
        Value::Array(a) => a.iter().map(leaves).sum(),
        _ => 1,
    }
}

#[test]
fn a_repeated_object_key_clears_what_the_first_left() {
    let mut want = Want::new();
    let a = want.child(0, "a");
    let x = want.child(a, "x");
    let list = want.child(a, "l");
    let element = want.element(list);
    want.finish();
    let text = br#"{"a":{"x":1,"l":[1,2],"u":3},"\u0061":{"l":[7]}}"#;
    let mut slots = Slots::new(&want);
    walk_all(&want, text, 0, DEPTH, &mut slots).unwrap();
    let view = View { text, slots: &slots };
    assert_eq!(view.cell(want.slot(x), 0).kind, Kind::Absent);
    let rows = view.rows(want.element_scope(list).unwrap(), view.cell(want.slot(list), 0));
    let raw: Vec<&[u8]> = rows.map(|r| view.cell(want.slot(element), r).raw(text)).collect();
    assert_eq!(raw, [b"7"]);
    assert!(slots.rest.is_empty(), "`u` went with the first `a`");
}

#[test]
fn every_escape_is_judged_wherever_it_stands() {
    let mut want = Want::new();
    want.child(0, "a");
    want.finish();
    let mut slots = Slots::new(&want);
    for byte in 0..0x80u8 {
        for before in (0..130).step_by(1 + (byte % 5) as usize) {
            for slashes in 1..4 {
                let mut text =
                    format!("{{\"a\":\"{}{}", " ".repeat(before), "\\".repeat(slashes)).into_bytes();
                text.extend([byte, b'"', b'}']);
                let walked = walk_all(&want, &text, 0, DEPTH, &mut slots);
                assert_eq!(
                    walked.is_ok_and(|end| end == text.len()),
                    theirs(&text),
                    "{byte:#x} behind {before}"
                );
            }
        }
    }
}

/// What is remembered of a record is not taken for what it holds.
#[test]
fn records_met_often_are_walked_as_at_first() {
    let mut want = Want::new();
    let a = want.child(0, "a");
    want.child(a, "x");
    want.child(a, "y");
    let list = want.child(0, "l");
    let element = want.element(list);
    want.child(element, "x");
    want.child(0, "z");
    want.finish();
    let texts = [
        // Repeated keys.
        r#"{"a":{"x":1,"y":null},"a":2,"z":3}"#,
        r#"{"z":0,"a":{"x":"s"},"l":[{"x":1,"x":[2]}],"a":{"y":"s"}}"#,
        r#"{"u":{"x":1},"z":1,"u":{"x":2}}"#,
        r#"{"l":[{"x":1}],"l":[{"y":2},{"x":3}]}"#,
        // Nothing but what belongs to gaps.
        r#"{"a":null,"l":[],"z":{}}"#,
        r#"{"a":{},"l":[null,{},[],{"x":null}],"u":null,"v":[null,{"w":[]}]}"#,
        r#"{"l":[{"x":"s","y":null,"z":[]},{"x":"s"}],"u":{"a":null,"b":[]},"z":true}"#,
    ];
    for text in texts.map(str::as_bytes) {
        let (mut index, mut slots, mut plain) = (Index::default(), Slots::new(&want), Slots::new(&want));
        index.build(text, 0..text.len());
        json::walk(&want, text, Marks::default(), 0, DEPTH, &mut plain).unwrap();
        for round in 0..6 {
            json::walk(&want, text, index.marks(), 0, DEPTH, &mut slots).unwrap();
            assert!(slots.same(&plain), "round {round}: {}", String::from_utf8_lossy(text));
        }
    }
}

/// What follows one value differs in a letter, in its length, in the type of the value behind it, or in
/// nothing but what stands far behind.
#[test]
fn many_that_follow_one_value_are_told_apart() {
    let keys: Vec<String> = ["a", "b", "ab", "abc", "abd", "abcdefgh", "abcdefgi"]
        .map(str::to_string)
        .into_iter()
        .chain((0..24).map(|n| format!("{}{n}", "k".repeat(n))))
        .chain((0..6).map(|n| format!("a_key_that_is_longer_than_what_is_compared_at_once_{n}")))
        .collect();
    // Each of these differs from another in one letter, wherever that stands.
    let differ =
        |n: usize| ["y", "z"].map(|letter| format!("{}{letter}{}", "x".repeat(n), "x".repeat(43 - n)));
    let differ: Vec<String> = (20..44).flat_map(differ).collect();
    let long = format!("\"{}\"", "long ".repeat(30));
    let values = [
        "1",
        "\"s\"",
        "\"\"",
        r#""\n""#,
        &long,
        "null",
        "true",
        "{}",
        "[1]",
        "1.5",
        "-0",
        "1e3",
        "{\"a\":\"s\"}",
    ];
    let mut want = Want::new();
    want.child(0, "t");
    want.child(0, "z");
    for key in keys.iter().step_by(3).chain(differ.iter().step_by(3)) {
        want.child(0, key);
    }
    want.finish();
    for (level, keys) in Level::available().into_iter().flat_map(|level| [(level, &keys), (level, &differ)]) {
        let values = if keys.len() == differ.len() { &values[..1] } else { &values[..] };
        for stride in [1, 7, 101] {
            let (mut slots, mut plain) = (Slots::new(&want), Slots::new(&want));
            let mut index = Index::new(level);
            let mut known = 0;
            for n in 0..3 * keys.len() * values.len() {
                let n = n * stride % (keys.len() * values.len());
                let (key, value) = (&keys[n / values.len()], values[n % values.len()]);
                // Something stands behind, as in a file.
                let text = format!("{{\"t\":\"x\",\"{key}\":{value},\"z\":1}}\n{:50}", "{");
                let end = text.find('\n').unwrap();
                index.build(text.as_bytes(), 0..end);
                json::walk(&want, text.as_bytes(), Marks::default(), 0, DEPTH, &mut plain).unwrap();
                let found = json::walk(&want, text.as_bytes(), index.marks(), 0, DEPTH, &mut slots);
                assert_eq!(found, Ok(end), "{level:?} {text}");
                assert!(slots.same(&plain), "{level:?} {text}");
                known += slots.structure().is_some() as usize;
            }
            assert!(known > keys.len(), "{level:?}: only {known} were met before");
        }
    }
}

/// Also of a member whose numbers were met before, and wherever the number ends.
#[test]
fn numbers_are_those_of_serde_json() {
    let wholes = ["0", "-0", "7", "-12345678", "123456789", "01", "-", "", "1_0", "0x1", "٣"];
    let fractions = ["", ".", ".0", ".5", ".12345678", ".1234567890123456", ".5.5", ".-5", ".5a", ". 5"];
    let powers = ["", "e5", "E+5", "e-05", "e", "e+", "e5.5"];
    let mut want = Want::new();
    let list = want.child(0, "l");
    want.element(list);
    want.child(0, "n");
    want.finish();
    for level in Level::available() {
        let (mut index, mut slots) = (Index::new(level), Slots::new(&want));
        for (n, whole) in wholes.iter().enumerate() {
            for (fraction, power) in fractions.iter().flat_map(|f| powers.iter().map(move |p| (f, p))) {
                let number = format!("{whole}{fraction}{power}");
                for text in [
                    format!("{{\"n\":{number},\"s\":\"what stands behind\"}}"),
                    format!("{{\"u\":{number},\"n\":{number}}}"),
                    format!("{{\"l\":[{number},{number} ],\"u\":[{number}]}}"),
                ] {
                    let good = text.replace(&number, if n % 2 == 0 { "1" } else { "2.25" });
                    for text in [if number.is_empty() { &text } else { &good }, &text, &text] {
                        let padded = format!("{text}{:64}", "");
                        index.build(padded.as_bytes(), 0..text.len());
                        let found = json::walk(&want, padded.as_bytes(), index.marks(), 0, DEPTH, &mut slots);
                        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
                        assert_eq!(found.is_ok(), is_json, "{level:?} {text}");
                    }
                }
            }
        }
    }
}

/// Elements that are all their own do not tell structures apart. How the first begins, how the one before the
/// last ends, and the last one with what stands behind it, do.
#[test]
fn lists_are_of_one_structure_whatever_their_own_elements() {
    let mut want = Want::new();
    for list in ["l", "m"] {
        let list = want.child(0, list);
        let element = want.element(list);
        want.child(element, "x");
        let inner = want.child(element, "inner");
        let inner = want.element(inner);
        want.child(inner, "y");
    }
    want.finish();
    let mut slots = Slots::new(&want);
    let (number, text) = (r#"{"x":1}"#, r#"{"x":"s"}"#);
    let inner = r#"{"x":1,"inner":[{"y":1},{"y":2}],"u":null}"#;
    let classes: [&[String]; 7] = [
        &[format!(r#""l":[{number}],"z":2"#)],
        &[
            format!(r#""l":[{number},{number}],"z":2"#),
            format!(r#""l":[{number},{inner},{text},{inner},{number},{number}],"z":4"#),
        ],
        &[
            format!(r#""l":[{number},{text}],"z":2"#),
            format!(r#""l":[{number},{inner},{number},{text}],"z":2"#),
        ],
        &[
            format!(r#""l":[{number},{inner}],"z":2"#),
            format!(r#""l":[{number},{text},{number},{number},{inner}],"z":2"#),
        ],
        &[format!(r#""l":[{number},{number}],"z":2,"m":[{text},{number}]"#)],
        &[
            format!(r#""l":[{number}],"z":2,"m":[{text},{number}]"#),
            format!(r#""l":[{number}],"z":2,"m":[{text},{inner},{number},{text},{number}]"#),
        ],
        &[r#""l":[],"z":2"#.to_string()],
    ];
    let mut met: BTreeMap<json::Structure, usize> = BTreeMap::new();
    for round in 0..40 {
        for (class, text) in
            classes.iter().enumerate().flat_map(|(n, all)| all.iter().map(move |one| (n, one)))
        {
            let text = format!(r#"{{"a":1,{text}}}"#);
            let mut index = Index::default();
            index.build(text.as_bytes(), 0..text.len());
            json::walk(&want, text.as_bytes(), index.marks(), 0, DEPTH, &mut slots).unwrap();
            match slots.structure() {
                Some(found) => assert_eq!(*met.entry(found).or_insert(class), class, "{text}"),
                None => assert!(round < 30, "not learned: {text}"),
            }
        }
    }
    let mut classes: Vec<usize> = met.into_values().collect();
    classes.sort_unstable();
    assert_eq!(classes, [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_value_walked_later_may_stand_earlier_in_the_text() {
    let mut want = Want::new();
    let a = want.child(0, "a");
    let element = want.element(a);
    want.finish();
    let text = br#"{"z":[1],"z":[2],"z":[3],"z":[4],"a":[5]}"#;
    let mut slots = Slots::new(&want);
    walk_all(&want, text, 0, DEPTH, &mut slots).unwrap();
    for at in [29, 13, 37, 21, 5, 29, 5] {
        slots.walk_more(&want, text, Marks::default(), at, a);
        let view = View { text, slots: &slots };
        let rows = view.rows(want.element_scope(a).unwrap(), view.cell(want.slot(a), 0));
        let raw: Vec<&[u8]> = rows.map(|r| view.cell(want.slot(element), r).raw(text)).collect();
        assert_eq!(raw, [&text[at + 1..at + 2]]);
    }
}

#[test]
fn the_depth_limit_counts_containers() {
    let lists = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    assert_eq!(skip_value(lists(128).as_bytes(), 0, 128), Ok(256));
    for (n, limit) in [(129, 128), (2, 1), (1, 0), (json::MAX_DEPTH + 1, usize::MAX)] {
        let fault = skip_value(lists(n).as_bytes(), 0, limit).unwrap_err();
        assert_eq!((fault.kind, fault.at), (FaultKind::Depth, limit.min(json::MAX_DEPTH)));
    }
    // Walked or skipped, a level is a level.
    let mut want = Want::new();
    let mut node = 0;
    for _ in 0..3 {
        node = want.child(node, "a");
        node = want.element(node);
    }
    want.finish();
    let mut slots = Slots::new(&want);
    for (inner, deep) in [("1", 0), ("{}", 1), ("[]", 1), ("[{}]", 2), (r#"{"a":{}}"#, 2), (r#"{"x":[]}"#, 2)]
    {
        for n in 1..8 {
            let text = format!("{}{inner}{}", r#"{"a":["#.repeat(n), "]}".repeat(n));
            for limit in 0..2 * n + deep + 2 {
                let walked = walk_all(&want, text.as_bytes(), 0, limit, &mut slots);
                assert_eq!(walked, skip_value(text.as_bytes(), 0, limit), "{text} within {limit}");
                assert_eq!(walked.is_ok(), limit >= 2 * n + deep);
            }
        }
    }
}

#[test]
fn keys_that_nearly_are_wanted_are_not() {
    let mut want = Want::new();
    let long = "prefix00-the-middle-part-00suffix";
    let node = want.child(0, long);
    let short = want.child(0, "abc");
    want.finish();
    assert_eq!(want.key(0, long.as_bytes()), Some(node));
    for i in 0..long.len() {
        let mut other = long.as_bytes().to_vec();
        other[i] ^= 1;
        assert_eq!(want.key(0, &other), None);
    }
    assert_eq!(want.key(0, b"abc"), Some(short));
    for other in ["", "ab", "abcd", "abc\0", "\0abc", "Abc"] {
        assert_eq!(want.key(0, other.as_bytes()), None, "{other:?}");
    }
}

#[test]
fn well_known_texts() {
    let yes: &[&str] = &[
        // structure
        "[]",
        "{}",
        " [ ] ",
        "[\n]",
        "\t{\r\n}",
        "[[]]",
        "[[],{}]",
        "[null]",
        "[1,2]",
        "[1 , 2]",
        r#"{"":0}"#,
        r#"{"a":1,"a":2}"#,
        r#"{"a":{"a":{}}}"#,
        r#"{"a" : [ ] }"#,
        "[\"a\",1,null,true,{}]",
        "1",
        "\"lone string\"",
        "null",
        "true",
        "false",
        " 1 ",
        // numbers
        "[0]",
        "[-0]",
        "[-1]",
        "[123]",
        "[1.0]",
        "[0.5]",
        "[0e1]",
        "[0E+1]",
        "[1e5]",
        "[1E5]",
        "[1e-5]",
        "[1.5e+10]",
        "[123456789012345678901234567890]",
        "[1e400]",
        "[-1e-999]",
        "[0.4e006]",
        // strings and escapes
        r#"["\"\\\/\b\f\n\r\t"]"#,
        r#"["\u0000"]"#,
        r#"["\u00e9\uABCD"]"#,
        r#"["\ud834\udd1e"]"#,
        r#"["\ud800"]"#,
        r#"["\udc00\ud800"]"#,
        r#"["\\u12"]"#,
        "[\"\u{7f}\"]",
        "[\"\u{2028}\u{ffff}\u{10ffff}\"]",
        r#"["a/*b*/c"]"#,
        r#"["\\"]"#,
        r#"["01234567\n"]"#,
    ];
    let no: &[&str] = &[
        // structure
        "",
        " ",
        "[",
        "]",
        "{",
        "}",
        "[}",
        "{]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[,]",
        "[1,,2]",
        "[1 2]",
        "[]]",
        "{}}",
        "[1:2]",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1,}"#,
        r#"{,"a":1}"#,
        r#"{"a":1,,"b":2}"#,
        r#"{"a" "b"}"#,
        r#"{"a"::1}"#,
        "{1:1}",
        "{a:1}",
        "{null:1}",
        r#"{"a":1 "b":2}"#,
        r#"{"a":1]"#,
        r#"["a":1]"#,
        "[1}",
        "{}{}",
        "[] []",
        "1 2",
        "[1]x",
        "\u{feff}[]",
        "[\u{a0}1]",
        "[\u{c}]",
        "/*c*/[]",
        "[1]//c",
        "[#]",
        "{'a':1}",
        "<.>",
        // numbers
        "[+1]",
        "[01]",
        "[-01]",
        "[-]",
        "[1.]",
        "[.5]",
        "[-.5]",
        "[1.e1]",
        "[1e]",
        "[1e+]",
        "[1E]",
        "[0x1]",
        "[1_0]",
        "[NaN]",
        "[Infinity]",
        "[-Infinity]",
        "[1e1.5]",
        "[--1]",
        "[1-]",
        "[1+1]",
        "[0e]",
        "[1 000]",
        "[１]",
        "-",
        "1.",
        // strings and escapes
        "\"",
        "[\"]",
        "[\"a]",
        r#"["\"]"#,
        r#"["\x00"]"#,
        r#"["\a"]"#,
        r#"["\U0041"]"#,
        r#"["\u"]"#,
        r#"["\u00"]"#,
        r#"["\u00g0"]"#,
        r#"["\u+123"]"#,
        r#"["\ud800\u"]"#,
        r#"["\ud800\u12"]"#,
        r#"["\'"]"#,
        "[\"\\\n\"]",
        "[\"\n\"]",
        "[\"\t\"]",
        "[\"\0\"]",
        "[\"\u{1f}\"]",
        "['a']",
        "[a]",
        "[\\n]",
        "\"a\"b",
        "[\"a\"b]",
        // literals
        "[nul]",
        "[tru]",
        "[fals]",
        "[True]",
        "[NULL]",
        "[nulll]",
        "[truefalse]",
        "n",
        "t",
        "tru",
        "nill",
    ];
    for text in yes {
        assert!(ours(text.as_bytes()), "{text}");
        assert!(theirs(text.as_bytes()), "the oracle on {text}");
    }
    for text in no {
        assert!(!ours(text.as_bytes()), "{text}");
        assert!(!theirs(text.as_bytes()), "the oracle on {text}");
    }
    for text in [
        &b"[\"\xff\"]"[..],
        b"[\"\xc3\"]",
        b"[\"\xed\xa0\x80\"]",
        b"[\"\xc0\xaf\"]",
        b"[\"\xf4\x90\x80\x80\"]",
        b"\xff",
    ] {
        assert!(!ours(text));
        assert!(!theirs(text));
    }
}

/// Stops of every string scan: each special byte at every offset of the eight-byte steps.
#[test]
fn a_string_stops_at_the_right_byte() {
    for len in 0..40 {
        for at in 0..len {
            let mut text = vec![b'"'];
            text.extend(std::iter::repeat_n(b'x', len));
            text.push(b'"');
            assert_eq!(json::string(&text, 0), Ok((len + 2, Kind::String)));
            for (byte, fault) in
                [(0x1f, FaultKind::Control), (0x00, FaultKind::Control), (b'\n', FaultKind::Control)]
            {
                text[at + 1] = byte;
                let found = json::string(&text, 0).unwrap_err();
                assert_eq!((found.at, found.kind), (at + 1, fault));
            }
            for byte in [0x20, 0x7f, 0x80, 0xff, b'!', b'#', b'[', b']'] {
                text[at + 1] = byte;
                assert_eq!(json::string(&text, 0), Ok((len + 2, Kind::String)), "{byte:#x}");
            }
            text[at + 1] = b'"';
            assert_eq!(json::string(&text, 0), Ok((at + 2, Kind::String)));
            text[at + 1] = b'\\';
            let found = json::string(&text, 0);
            match text[at + 2] {
                b'"' => assert_eq!(found.unwrap_err().kind, FaultKind::End),
                _ => assert_eq!(found.map_err(|f| (f.at, f.kind)), Err((at + 1, FaultKind::Escape))),
            }
        }
    }
}

/// Counting brackets by blocks gives a place that counting them one by one comes through.
#[test]
fn brackets_are_counted_as_one_by_one() {
    let mut draw = Draw(3);
    for round in 0..600 {
        let len = draw.below(700);
        let pieces: &[&str] = match round % 3 {
            0 => &["{", "}", "[", "]", "\"", "\"", "\\", "x", "ü", "{[("],
            1 => &["{", "}", "\"\\\\\"", "\"\\\"\"", "plain text", "\"]]}\"", "1,"],
            _ => &[
                "[[",
                "]",
                "\"\\\\\\\\\\\\\\\\\\\\\\\\\\\\\"",
                "\"a long string with ] in it, past a block of bytes, }\"",
            ],
        };
        let mut text = String::new();
        while text.len() < len {
            text += draw.one(pieces);
        }
        let text = text.as_bytes();
        let open = 1 + draw.below(40);
        for level in Level::available() {
            let (end, left) = Index::new(level).brackets(text, 0, open);
            let (mut i, mut depth) = (0, open);
            while i < end {
                match text[i] {
                    b'"' => {
                        i += 1;
                        while text[i] != b'"' {
                            i += 1 + (text[i] == b'\\') as usize;
                        }
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth -= 1,
                    _ => {}
                }
                assert!(depth > 1 || open == 1, "{level:?}");
                i += 1;
            }
            assert_eq!((i, depth), (end, left), "{level:?}: {}", String::from_utf8_lossy(text));
            // It goes on while it may: not past what may close, a string that is cut or an odd backslash.
            let stays = text.iter().all(|b| !b"}]\"\\".contains(b));
            assert!(!stays || open == 1 || end + 64 > text.len(), "{level:?}");
        }
    }
}

#[test]
fn wrong_texts_are_wrong_at_their_place() {
    use FaultKind::*;
    let table: &[(&str, usize, FaultKind)] = &[
        ("", 0, End),
        ("{", 1, End),
        ("[", 1, End),
        (r#"{"a"#, 3, End),
        (r#"{"a""#, 4, End),
        (r#"{"a":"#, 5, End),
        (r#"{"a":1"#, 6, End),
        (r#"{"a":1,"#, 7, End),
        (r#"{"a":[1,"#, 8, End),
        (r#"{"a":tr"#, 7, End),
        (r#"{"a":-"#, 6, End),
        (r#"{"a":1."#, 7, End),
        (r#"{"a":1e"#, 7, End),
        (r#"{"a":"x\"#, 8, End),
        (r#"{"a":"\u12"#, 10, End),
        (r#"{"a":1,}"#, 7, Expected("a key in quotes")),
        ("{,}", 1, Expected("a key in quotes")),
        (r#"{"a" 1}"#, 5, Expected("`:`")),
        (r#"{"a":}"#, 5, Expected("a value")),
        (r#"{"a":[1,]}"#, 8, Expected("a value")),
        (r#"{"a":1 2}"#, 7, Expected("`,` or `}`")),
        (r#"{"a":1]"#, 6, Expected("`,` or `}`")),
        (r#"{"a":[1}"#, 7, Expected("`,` or `]`")),
        (r#"{"a":tru}"#, 5, Literal),
        (r#"{"a":nan}"#, 5, Literal),
        (r#"{"a":01}"#, 6, Expected("`,` or `}`")),
        (r#"{"a":-x}"#, 6, Number),
        (r#"{"a":1.x}"#, 7, Number),
        (r#"{"a":1e+}"#, 8, Number),
        ("{\"a\":\"x\ny\"}", 7, Control),
        ("{\"a\t\":1}", 3, Control),
        (r#"{"a":"\q"}"#, 6, Escape),
        (r#"{"a":"\u12g4"}"#, 10, Escape),
        (r#"{"a":"\ud800\u12g4"}"#, 16, Escape),
    ];
    let mut want = Want::new();
    let a = want.child(0, "a");
    let element = want.element(a);
    want.child(element, "b");
    want.finish();
    let mut slots = Slots::new(&want);
    for (text, at, kind) in table {
        let fault = skip_value(text.as_bytes(), 0, DEPTH).unwrap_err();
        assert_eq!((fault.at, fault.kind), (*at, *kind), "{text}");
        if text.starts_with('{') {
            let fault = walk_all(&want, text.as_bytes(), 0, DEPTH, &mut slots).unwrap_err();
            assert_eq!((fault.at, fault.kind), (*at, *kind), "walking {text}");
        }
    }
    for (text, at) in [(&b"ab\xff"[..], 2), (b"\xc3", 0), (b"{\"\xe2\x82\"}", 2)] {
        let fault = json::check_utf8(text).unwrap_err();
        assert_eq!((fault.at, fault.kind), (at, Utf8));
    }
    assert_eq!(json::check_utf8("ключ".as_bytes()), Ok(()));
}
