//! The metrics document and the summary for people.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::drift::{self, undeclared};
use super::{ByNode, Counts, LaneCounts, Outcomes, Reason, TypeCounts, Types};
use crate::plan::{Lane, Plan, Route};

/// What a run knows beside the counts; everything that differs between two equal runs.
#[derive(Clone, Debug, Default)]
pub struct RunFacts {
    pub version: String,
    pub started: String,
    pub seconds: f64,
    pub bytes: u64,
    pub threads: usize,
    /// By input: name, records, decompressed bytes, and what went wrong with it.
    pub inputs: Vec<(String, u64, u64, Option<String>)>,
}

/// The normalization rate of one target.
#[derive(Clone, Debug, PartialEq)]
pub struct Rate {
    pub target: String,
    pub records: u64,
    pub outcomes: Outcomes,
    /// Normalized among the records that no rule dropped, in percent; `None` without records.
    pub percent: Option<f64>,
    /// The highest rate a table of this target says it should reach.
    pub expected: Option<f64>,
}

fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| (part as f64 / whole as f64 * 10_000.0).floor() / 100.0)
}

fn total(counts: &Counts, target: usize) -> Outcomes {
    let mut sum = Outcomes::default();
    for counts in counts.sources.iter().flat_map(|types| types.values()) {
        if let Some(outcomes) = counts.targets.get(target) {
            sum.add(outcomes);
        }
    }
    sum
}

/// The rate of every target, in the order of the plan.
pub fn rate(plan: &Plan, counts: &Counts) -> Vec<Rate> {
    let rates = plan.targets.iter().enumerate().map(|(i, target)| {
        let outcomes = total(counts, i);
        // A table speaks for its own source; only sources that sent records are held to it.
        let expected = plan.lanes.iter().zip(&counts.sources).filter(|(_, types)| !types.is_empty());
        let expected = expected.filter_map(|(row, _)| match &row[i] {
            Route::Lanes(lanes) => lanes.first().and_then(|l| l.expected_rate),
            Route::Nowhere => None,
        });
        Rate {
            target: target.name.clone(),
            records: counts.records,
            percent: percent(outcomes.normalized, counts.records - outcomes.dropped),
            expected: expected.reduce(f64::max),
            outcomes,
        }
    });
    rates.collect()
}

/// The whole document. Only its `run` section differs between two runs over the same input.
pub fn report(plan: &Plan, counts: &Counts, run: &RunFacts) -> Value {
    let mut targets = Map::new();
    for (i, rate) in rate(plan, counts).iter().enumerate() {
        targets.insert(rate.target.clone(), target(plan, counts, i, rate));
    }
    let mut sources = Map::new();
    for (i, types) in counts.sources.iter().enumerate() {
        if !types.is_empty() {
            let name = plan.source_name(i).unwrap_or("(unrecognised)");
            let mut of_source = source(plan, types);
            if let Some(out) = of_source.as_object_mut() {
                drift::describe(plan, counts, i, types, run, out);
            }
            sources.insert(name.into(), of_source);
        }
    }
    let inputs: Vec<Value> = run
        .inputs
        .iter()
        .map(|(name, records, bytes, error)| json!({"input": name, "records": records, "bytes": bytes, "error": error}))
        .collect();
    let seconds = run.seconds.max(1e-9);
    json!({
        "logmill": run.version,
        "content": plan.content.name(),
        "pseudonymized": plan.pseudonyms.is_some(),
        "records": counts.records,
        "blank_lines": counts.blank_lines,
        "lone_surrogates_replaced": counts.lone_surrogates,
        "inputs": inputs,
        "targets": targets,
        "sources": sources,
        "run": {
            "started": run.started,
            "seconds": run.seconds,
            "threads": run.threads,
            "bytes": run.bytes,
            "bytes_per_second": (run.bytes as f64 / seconds) as u64,
            "records_per_second": (counts.records as f64 / seconds) as u64,
        },
    })
}

fn dead(outcomes: &Outcomes) -> Value {
    let named = Reason::ALL.iter().filter(|r| outcomes.dead[**r as usize] > 0);
    Value::Object(named.map(|r| (r.name().to_string(), outcomes.dead[*r as usize].into())).collect())
}

fn target(plan: &Plan, counts: &Counts, index: usize, rate: &Rate) -> Value {
    let o = &rate.outcomes;
    let mut lanes = Map::new();
    for (s, row) in plan.lanes.iter().enumerate() {
        let Route::Lanes(list) = &row[index] else {
            continue;
        };
        for (l, lane) in list.iter().enumerate() {
            let counts_of = &counts.lanes[s][index][l];
            if counts_of.leaves.is_empty() && counts_of.events == 0 {
                continue;
            }
            let source = plan.source_name(s).unwrap_or("(unrecognised)");
            let name = if list.len() > 1 { format!("{source}/{}", lane.name) } else { source.to_string() };
            lanes.insert(name, mapping(plan, counts, lane, counts_of));
        }
    }
    json!({
        "log_entry_count": rate.records,
        "successfully_normalized_log_count": o.normalized,
        "failed_log_count": o.dead(),
        "invalid_log_count": o.dropped,
        "event_count": o.events,
        "generic_event_count": o.generic,
        "normalization_percentage": rate.percent,
        "generic_event_percentage": percent(o.generic, o.events),
        "expected_normalization_percentage": rate.expected,
        "dead": dead(o),
        "mappings": lanes,
    })
}

/// One mapping: what its records held, what of it was read, what was written.
fn mapping(plan: &Plan, counts: &Counts, lane: &Lane, c: &LaneCounts) -> Value {
    let mut consumed: BTreeMap<String, u64> = BTreeMap::new();
    let mut unmapped: BTreeMap<String, u64> = BTreeMap::new();
    let mut ignored: BTreeMap<String, u64> = BTreeMap::new();
    for (id, list) in c.leaves.seen() {
        let node = counts.learned.known_above(id);
        let fate = match () {
            // What is inside a value that is read as one is not read, unless the value is copied.
            _ if node == id && lane.consumed[node as usize] => &mut consumed,
            _ if crate::plan::copies(lane, node, &plan.want) => &mut consumed,
            _ if is_or_below(plan, &lane.ignored, node) => &mut ignored,
            _ => &mut unmapped,
        };
        *fate.entry(shown(plan, &counts.learned.path(&plan.want, id))).or_default() +=
            list.iter().sum::<u64>();
    }
    for (node, list) in c.undeclared.seen() {
        let path = undeclared(&plan.want.path(node));
        *unmapped.entry(shown(plan, &path)).or_default() += list.iter().sum::<u64>();
    }
    let sum = |list: &BTreeMap<String, u64>| list.values().sum::<u64>();
    let (read, ignored_leaves, left) = (sum(&consumed), sum(&ignored), sum(&unmapped));
    // The same target path may have several rows.
    let by_path = |numbers: &[u64]| {
        let mut list: BTreeMap<&str, u64> = BTreeMap::new();
        for (path, n) in lane.leaves.iter().zip(numbers).filter(|(_, n)| **n > 0) {
            *list.entry(path).or_default() += n;
        }
        json!(list)
    };
    let by_node = |counts: &ByNode| {
        let met = counts.met();
        let list: BTreeMap<String, u64> =
            met.map(|(node, n)| (shown(plan, &plan.want.path(node)), n)).collect();
        json!(list)
    };
    let mut fallbacks: BTreeMap<String, u64> = BTreeMap::new();
    for ((from, to), n) in &c.fallbacks {
        *fallbacks.entry(format!("{from} -> {to}")).or_default() += n;
    }
    json!({
        "events": c.events,
        "leaves_present": read + ignored_leaves + left,
        "leaves_consumed": read,
        "leaves_ignored": ignored_leaves,
        "leaves_unmapped": left,
        "unmapped_leaves_are": if lane.discovers { "stored" } else { "dropped" },
        "coverage_percentage": percent(read, read + ignored_leaves + left),
        "consumed": consumed,
        "ignored": ignored,
        "unmapped": unmapped,
        "fields_filled": by_path(&c.filled),
        "conversions_failed": by_path(&c.failed),
        "values_unfit": by_node(&c.unfit),
        "values_passed_over": by_node(&c.passed),
        "lookups_defaulted": by_path(&c.defaulted),
        "values_cut": by_path(&c.cut),
        "event_type_fallbacks": fallbacks,
        "withheld_by_content_mode": lane.withheld,
        "withheld_by_pseudonyms": lane.unpseudonymized,
    })
}

/// The node, or one above it, is marked.
fn is_or_below(plan: &Plan, marks: &[bool], node: u32) -> bool {
    let mut at = Some(node);
    while let Some(node) = at {
        if marks[node as usize] {
            return true;
        }
        at = plan.want.parent(node);
    }
    false
}

/// A payload's path is shown as `$payload`, whichever source's it is.
pub(super) fn shown(plan: &Plan, path: &str) -> String {
    for source in &plan.sources {
        let root = format!("\"$payload:{}\"", source.name);
        let plain = format!("$payload:{}", source.name);
        if let Some(rest) = path.strip_prefix(&root).or_else(|| path.strip_prefix(&plain)) {
            return format!("$payload{rest}");
        }
    }
    path.to_string()
}

fn source(plan: &Plan, types: &Types) -> Value {
    let mut all = TypeCounts::default();
    let crowded = types.len() > super::MAX_TYPES;
    if crowded {
        // Which types a worker met before its table was full depends on the workers: all or none.
        types.values().for_each(|counts| all.add(counts));
    }
    let sorted: BTreeMap<&str, &TypeCounts> = match crowded {
        true => BTreeMap::from([("*", &all)]),
        false => types.iter().map(|(k, v)| (&**k, v)).collect(),
    };
    let records: u64 = types.values().map(|t| t.records).sum();
    let mut list = Map::new();
    for (kind, counts) in sorted {
        let mut targets = Map::new();
        for (target, o) in plan.targets.iter().zip(&counts.targets) {
            targets.insert(
                target.name.clone(),
                json!({
                    "normalized": o.normalized, "dead": dead(o), "dropped": o.dropped,
                    "events": o.events, "generic_events": o.generic,
                }),
            );
        }
        let name = if kind.is_empty() { "(none)" } else { kind };
        list.insert(name.into(), json!({"records": counts.records, "targets": targets}));
    }
    json!({"records": records, "types": list})
}

/// A few lines for people.
pub fn summary(plan: &Plan, counts: &Counts, run: &RunFacts) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    let megabytes = run.bytes as f64 / 1e6;
    let _ = writeln!(
        text,
        "{} records, {megabytes:.1} MB in {:.2} s ({:.0} MB/s), content {}",
        counts.records,
        run.seconds,
        megabytes / run.seconds.max(1e-9),
        plan.content.name()
    );
    for rate in rate(plan, counts) {
        let o = &rate.outcomes;
        let percent = rate.percent.map_or("-".into(), |p| format!("{p} %"));
        let _ = write!(text, "{:>10}: {percent} normalized, {} events", rate.target, o.events);
        if o.generic > 0 {
            let _ = write!(text, " ({} generic)", o.generic);
        }
        for (n, what) in [(o.dead(), "dead"), (o.dropped, "dropped by rule")] {
            if n > 0 {
                let _ = write!(text, ", {n} {what}");
            }
        }
        let named: Vec<String> = Reason::ALL
            .iter()
            .filter(|r| o.dead[**r as usize] > 0)
            .map(|r| format!("{} {}", o.dead[*r as usize], r.name()))
            .collect();
        if !named.is_empty() {
            let _ = write!(text, " [{}]", named.join(", "));
        }
        if let (Some(expected), Some(percent)) = (rate.expected, rate.percent)
            && percent < expected
        {
            let _ = write!(text, "; expected at least {expected} %");
        }
        text.push('\n');
    }
    for ((taken, other), n) in &counts.ambiguous {
        let s = if *n == 1 { "" } else { "s" };
        let _ = writeln!(text, " ambiguous: {n} record{s} of {taken} would be taken by {other} as well");
    }
    text
}
