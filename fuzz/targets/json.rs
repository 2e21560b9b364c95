//! The index on every level against none, and both against serde_json: the same verdict, the same
//! places, the same kinds, for the text and for each of its prefixes.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use logmill::json::{self, FaultKind, Index, Level, Marks, Slots, Want};

const DEPTH: usize = 64;

fn want() -> &'static Want {
    static WANT: OnceLock<Want> = OnceLock::new();
    WANT.get_or_init(|| {
        let mut want = Want::new();
        for key in ["a", "b", "", "id", "type", "abcdefgh", "abcdefghi", "abcdefgh-middle-ijklmnop", "é"] {
            let node = want.child(0, key);
            want.child(node, "a");
            let inner = want.child(node, "x.y");
            let list = want.child(inner, "list");
            let element = want.element(list);
            want.child(element, "a");
            let own = want.element(node);
            want.child(own, "id");
        }
        want.finish();
        want
    })
}

/// serde_json skipping a value checks the grammar alone, as the walk does: neither the range of
/// numbers nor the pairing of surrogates.
fn is_json(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|t| serde_json::from_str::<serde::de::IgnoredAny>(t).is_ok())
}

fn look(text: &[u8]) {
    let start = json::skip_space(text, 0);
    if text.get(start) != Some(&b'{') {
        let ours = json::check_utf8(text).is_ok()
            && json::skip_value(text, start, DEPTH)
                .is_ok_and(|end| json::skip_space(text, end) == text.len());
        // Where the limits on depth differ, the verdicts may.
        let deep = json::skip_value(text, start, DEPTH).is_err_and(|f| f.kind == FaultKind::Depth);
        assert!(ours == is_json(text) || deep, "serde_json says {}", is_json(text));
        return;
    }
    let mut plain = Slots::new(want());
    let walked = json::walk(want(), text, Marks::default(), start, DEPTH, &mut plain);
    // Something stands behind, as in a file: only then do walks follow what was met before.
    let padded = [text, &[b' '; 64]].concat();
    for level in Level::available() {
        let mut index = Index::new(level);
        index.build(text, start..text.len());
        let mut slots = Slots::new(want());
        let indexed = json::walk(want(), text, index.marks(), start, DEPTH, &mut slots);
        assert_eq!(indexed, walked, "{level:?}");
        assert!(indexed.is_err() || slots.same(&plain), "{level:?}");
        for again in 0..4 {
            let known = json::walk(want(), &padded, index.marks(), start, DEPTH, &mut slots);
            assert_eq!(known.is_ok(), walked.is_ok() && known == walked, "{level:?}, time {again}");
            assert!(known.is_err() || slots.same(&plain), "{level:?}, time {again}");
        }
        if let Some(wide) = index.wide() {
            let told = wide.iter().all(|range| json::check_utf8(&text[range.clone()]).is_ok());
            assert_eq!(told, json::check_utf8(&text[start..]).is_ok(), "{level:?}");
        }
    }
    let ours =
        json::check_utf8(text).is_ok() && walked.is_ok_and(|end| json::skip_space(text, end) == text.len());
    let deep = walked.is_err_and(|f| f.kind == FaultKind::Depth);
    assert!(ours == is_json(text) || deep, "serde_json says {}, we say {walked:?}", is_json(text));
}

fuzz_target!(|text: &[u8]| {
    look(text);
    for end in 0..text.len().min(300) {
        look(&text[..end]);
    }
});
