//! Cutting: the same records and dead letters, at the same places, in whatever pieces the bytes
//! arrive and however small the batches are.

#![no_main]

use std::io::{self, Read};
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use logmill::catalog;
use logmill::input::Reader;
use logmill::normalize::{self, Output, Scratch};
use logmill::ops::time::Instant;
use logmill::plan::{Content, Plan, Request};
use logmill::records::{Cutter, Framing, Limits};

fn plan() -> &'static Plan {
    static PLAN: OnceLock<Plan> = OnceLock::new();
    PLAN.get_or_init(|| {
        let catalog = catalog::load(&[]).expect("the built-in mappings load");
        let targets = vec!["udm".to_string()];
        Plan::compile(&catalog, &Request { targets, content: Content::Full, ..Request::default() })
            .expect("the built-in mappings compile")
    })
}

/// Gives its bytes in pieces.
struct Pieces {
    bytes: Vec<u8>,
    at: usize,
    piece: usize,
}

impl Read for Pieces {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = out.len().min(self.piece).min(self.bytes.len() - self.at);
        out[..n].copy_from_slice(&self.bytes[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

/// The events; and of each dead letter its place, line, number, reason and digest.
type Told = (Vec<u8>, Vec<(u64, u64, u64, String, Option<[u8; 32]>)>);

fn told(bytes: &[u8], framing: Framing, piece: usize, batch_bytes: usize) -> Told {
    let reader = Reader::of("fuzz", Pieces { bytes: bytes.to_vec(), at: 0, piece });
    let limits = Limits { batch_bytes, record_bytes: 4096, depth: 64 };
    let mut cutter = Cutter::new(reader, 0, framing, limits, &plan().envelope_paths);
    let (mut scratch, mut output) = (Scratch::new(plan()), Output::default());
    let (mut events, mut dead, mut records) = (Vec::new(), Vec::new(), 0);
    let now = Instant { secs: 0, nanos: 0 };
    while let Some(batch) = cutter.next(Vec::new()) {
        // An input that is refused as a whole (UTF-16) is refused in any pieces.
        let batch = match batch {
            Ok(batch) => batch,
            Err(e) => {
                dead.push((0, 0, records, e.what, None));
                break;
            }
        };
        normalize::batch(plan(), &batch, &limits, now, &mut scratch, &mut output);
        events.extend_from_slice(&output.targets[0]);
        for d in &output.dead {
            dead.push((batch.base + d.byte, d.line, records + d.index, format!("{:?}", d.reason), d.sha256));
        }
        records += output.records;
    }
    (events, dead)
}

fuzz_target!(|input: &[u8]| {
    let [how, bytes @ ..] = input else { return };
    let framing = [Framing::Auto, Framing::Lines, Framing::Json][*how as usize % 3];
    let whole = told(bytes, framing, usize::MAX, 256 << 10);
    for (piece, batch_bytes) in [(1, 1), (1 + (*how as usize >> 2), 256 << 10), (7, 16), (64, 64)] {
        assert_eq!(
            told(bytes, framing, piece, batch_bytes),
            whole,
            "pieces of {piece}, batches of {batch_bytes}"
        );
    }
});
