//! How much the mappings read, shown as lines or as one JSON document.

use std::io::Write;

use logmill::error::Error;
use logmill::plan::{self, Fate};
use serde_json::{Map, Value, json};

use super::args;
use super::{HELD, REFUSED};

pub(super) fn coverage(args: &args::Coverage) -> Result<u8, Error> {
    let catalog = super::catalog(&args.mappings, &[])?;
    let list = plan::coverage(&catalog, args.source.as_deref(), args.to.as_deref())?;
    let text = if args.json { document(&list) } else { lines(&list) };
    std::io::stdout().write_all(text.as_bytes()).map_err(|e| Error::io("cannot write", e))?;
    let held = list.iter().all(|pair| pair.missing().next().is_none());
    Ok(if held { HELD } else { REFUSED })
}

fn document(list: &[plan::Coverage]) -> String {
    let sources: Vec<Value> = list
        .iter()
        .map(|pair| {
            let reasons: Map<String, Value> =
                pair.ignored().map(|(path, reason)| (path.to_string(), reason.into())).collect();
            json!({
                "source": pair.source,
                "target": pair.target,
                "documented": pair.paths.len(),
                "read": pair.count(|fate| *fate == Fate::Read),
                "ignored": reasons.len(),
                "missing": pair.missing().map(|p| p.path.as_str()).collect::<Vec<_>>(),
                "ignored_paths": reasons,
            })
        })
        .collect();
    format!("{:#}\n", json!({"sources": sources}))
}

fn lines(list: &[plan::Coverage]) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    for pair in list {
        let missing = pair.missing().count();
        let _ = writeln!(
            text,
            "{} -> {}: {} of {} documented paths covered: {} read, {} ignored, {missing} missing",
            pair.source,
            pair.target,
            pair.paths.len() - missing,
            pair.paths.len(),
            pair.count(|fate| *fate == Fate::Read),
            pair.ignored().count(),
        );
        for (path, reason) in pair.ignored() {
            let _ = writeln!(text, "  ignored  {path}: {reason}");
        }
        for path in pair.missing() {
            let _ = writeln!(text, "  missing  {}", path.path);
        }
    }
    text
}
