//! Writes a corpus to a file.
//!
//!     cargo bench --bench corpus -- audit|conversation BYTES FILE [SEED [BYTES OF A CONVERSATION]]

#[path = "mod.rs"]
mod corpus;

fn main() -> std::io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let (Some(kind), Some(Ok(bytes)), Some(file)) =
        (args.first(), args.get(1).map(|a| a.parse::<usize>()), args.get(2))
    else {
        eprintln!(
            "usage: cargo bench --bench corpus -- audit|conversation BYTES FILE [SEED [BYTES OF A CONVERSATION]]"
        );
        return Ok(());
    };
    let seed = args.get(3).and_then(|a| a.parse().ok()).unwrap_or(7);
    let corpus = match (kind.as_str(), args.get(4).map(|a| a.parse())) {
        ("audit", _) => corpus::audit(bytes, seed),
        (_, Some(Ok(record))) => corpus::conversations_of(record, bytes, seed),
        _ => corpus::conversations(bytes, seed),
    };
    std::fs::write(file, corpus)
}
