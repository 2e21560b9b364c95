//! Records whose lists hold elements of a few kinds, in any number and order: whatever was met before, each is
//! written and counted as if it stood alone.

#[path = "data/kit.rs"]
mod kit;

use std::collections::HashMap;
use std::sync::OnceLock;

use logmill::catalog;
use logmill::metrics::{Counts, RunFacts, report};
use logmill::plan::{Content, Plan, Request};
use logmill::records::{Framing, Limits};
use logmill::run::Settings;
use proptest::prelude::*;
use tempfile::TempDir;

const SOURCE: &str = "
source: chat
when: {path: kind, equals: chat}
id: id
let:
  who: {from: 'msgs[].by', as: {lookup: {user: somebody}}}
fields:
  meta: [kind, id, 'msgs[].by', 'msgs[].ok', 'msgs[].parts[].n', 'msgs[].parts[].m', 'msgs[].parts[].subs[].k', 'others[].v', tail, at, later]
  content: [title, 'msgs[].text']
";

/// Every list is a list of strings, or of labels.
const PAGE: &str = "
target: page
rows:
  - {to: id, from: id}
  - {to: title, from: title}
  - {to: texts, from: 'msgs[].text'}
  - {to: said, from: 'msgs[].text', when: {path: 'msgs[].by', equals: user}}
  - {to: good, from: 'msgs[].by', when: {any: [{path: 'msgs[].ok', equals: 'true'}, {path: 'msgs[].text', glob: '*'}]}}
  - {to: values, from: 'others[].v'}
  - {to: tail, from: tail}
  - {to: at, from: at, as: {time: unix}}
  - {to: then, from: at, as: {time: unix}}
";
/// Other fields that elements fill, some of which only tell when there is nothing to write.
const DISTINCT: &str = "  - {to: bys, from: 'msgs[].by', distinct: true}
  - {to: count, count: 'msgs[]'}
  - {to: filled, count: 'msgs[]', where: {path: 'msgs[].text', glob: '*'}}
  - {to: more.users, count: 'msgs[]', where: {not: {path: 'msgs[].by', equals: user}}}
  - {to: subs, from: 'msgs[].parts[].subs[].k', distinct: true}
  - {to: marks, from: 'msgs[].ok'}
  - {to: either, from: ['msgs[].by', 'msgs[].parts[].m']}
  - {to: more.all, from: 'msgs[].text', distinct: true}
";
/// Nothing is asked of an element, a list must say something, and a condition counts what it passes over.
const BARE: &str = "
target: page
rows:
  - {to: id, from: id}
  - {to: texts, from: 'msgs[].text'}
  - {to: more.bys, from: 'msgs[].by', required: true}
  - {to: said, from: 'msgs[].text', when: {path: $who, exists: true}}
  - {to: marks, from: 'msgs[].ok', when: {path: $who, exists: false}}
  - {to: count, count: 'msgs[]'}
";
/// Nothing but what elements fill, some of which must be there.
const NEED: &str = "
target: page
rows:
  - {to: id, from: id}
  - {to: count, count: 'msgs[]'}
  - {to: more.users, count: 'msgs[]', where: {path: 'msgs[].by', equals: user}}
  - {to: more.bys, from: 'msgs[].by', required: true}
";
const PAGE_TARGET: &str = "
target: page
root: Page
types:
  Page: {id: string, title: string, texts: [string], said: [string], good: [string], values: [string], tail: string, bys: [string],
         count: int32, filled: int64, more: object, subs: [string], marks: [bool], either: [string],
         at: time, then: time}
";
/// Some of it must see the rows of lists.
const UDM: &str = "
target: udm
rows:
  - {to: metadata.event_timestamp, const: '2026-01-01T00:00:00Z'}
  - {to: metadata.event_type, const: GENERIC_EVENT}
  - {to: metadata.product_log_id, from: id}
  - {to: principal.resource.name, from: title}
  - {to: principal.user.attribute.labels, from: 'msgs[].text', label_from: 'msgs[].by', when: {not: {path: 'msgs[].by', equals: system}}}
  - {to: target.user.attribute.labels, from: 'others[].v', label: other}
";
const UDM_MORE: &str = "
  - {to: additional.bys, from: 'msgs[].by', distinct: true}
  - {to: additional.count, count: 'msgs[]', where: {path: 'msgs[].by', equals: user}}
  - {to: additional.parts, from: 'msgs[].parts[].m'}
  - {to: additional.subs, from: 'msgs[].parts[].subs[].k'}
  - {to: additional.tail, from: tail}
";

/// All of it is texts, times and what elements fill.
const STRAIGHT: &str = "
target: udm
rows:
  - {to: metadata.event_timestamp, from: [at, later], as: {time: unix}}
  - {to: metadata.event_type, const: GENERIC_EVENT}
  - {to: metadata.product_log_id, from: id}
  - {to: additional.by.user, count: 'msgs[]', where: {path: 'msgs[].by', equals: user}}
  - {to: additional.by.bot, count: 'msgs[]', where: {path: 'msgs[].by', equals: bot}}
  - {to: additional.by.names, from: 'msgs[].by', distinct: true}
  - {to: additional.only.texts, from: 'msgs[].text'}
  - {to: additional.later, from: later, as: {time: unix}}
  - {to: additional.tail, from: tail}
  - {to: additional.at, from: at, as: {time: unix}}
  - {to: principal.user.attribute.labels, from: 'msgs[].text', label_from: 'msgs[].by'}
  - {to: target.user.attribute.labels, from: 'others[].v', label: other}
";

/// Messages, as they stand in a record.
const MESSAGES: [&str; 26] = [
    r#"{"by":"user","text":"hello"}"#,
    r#"{"by":"user","text":"another one"}"#,
    r#"{"by":"system","text":"hello"}"#,
    r#"{"by":"bot","text":"caf\u00e9 \n \"q\""}"#,
    r#"{"by":"bot","text":null}"#,
    r#"{"by":null,"text":"nobody"}"#,
    r#"{"text":"nobody"}"#,
    r#"{"by":"user","text":""}"#,
    r#"{"by":"","text":"x"}"#,
    r#"{"by":"user","text":12.50}"#,
    r#"{"by":7,"text":"x"}"#,
    r#"{"by":"user","text":{"a":[1,{"b":null}]}}"#,
    r#"{"by":"user","text":"lone \ud800"}"#,
    r#"{"by":"user","text":"with","parts":[{"n":1,"m":"p"},{"n":2},{"m":"q","x":[]}],"ok":true}"#,
    r#"{"by":"user","text":"with","parts":[],"ok":false}"#,
    r#"{"by":"user","text":"deep","parts":[{"m":"p","subs":[{"k":"a"},{"k":"b"}]},{"m":"q","subs":[{"k":"c"}]},{"subs":[]}]}"#,
    r#"{"by":"user","text":"empty last","parts":[]}"#,
    r#"{"by":"user","text":"with","parts":[],"ok":true}"#,
    r#"{"by":"user","other":{"deep":[{"x":1}],"y":"z"},"text":"unknown"}"#,
    r#"{ "by" : "user" , "text" : "spaces" } "#,
    "null",
    r#""bare""#,
    "[]",
    "{}",
    r#"{"by":"a","by":"user","text":"twice"}"#,
    r#"{"by":"a very long name of somebody who says nothing else, at least not under this name of theirs","text":"a text of more than two blocks of the index, which is found by another way: a text of more than two blocks of the index"}"#,
];

/// Records around their messages, `@`, and other elements, `%`.
const AROUND: [&str; 19] = [
    r#"{"kind":"chat","id":"i","title":"t","msgs":[@],"tail":"end"}"#,
    r#"{"kind":"chat","id":"i","title":null,"msgs":[@],"tail":null}"#,
    r#"{"msgs":[@],"kind":"chat","id":"first"}"#,
    r#"{"kind":"chat","id":"both","msgs":[@],"between":1,"others":[%],"tail":"end"}"#,
    r#"{"kind":"chat","id":"wrapped","others":[%],"title":"caf\u00e9","msgs":[@]}"#,
    r#"{"kind":"chat","id":"none","msgs":null,"others":[%]}"#,
    r#"{"kind":"chat","id":"text","msgs":"@none","others":[]}"#,
    r#"{"kind":"chat","id":"twice","msgs":[@],"msgs":[@],"tail":"end"}"#,
    r#"{"kind":"chat","msgs":[@],"others":[%],"id":"late","tail":{"a":[{"b":1}]}}"#,
    // Without lists, and of one structure.
    r#"{"kind":"chat","id":"plain","title":"t","at":1718000008,"tail":"end"}"#,
    r#"{"kind":"chat","id":"plain","title":"","at":1718000009.5,"tail":"caf\u00e9"}"#,
    r#"{"kind":"chat","id":"none","title":"no time","at":99999999999999999999,"tail":"end"}"#,
    r#"{"kind":"chat","id":"","title":"lone \ud800","at":1718000010,"tail":"end"}"#,
    r#"{"kind":"chat","id":"bool","title":"t","at":true,"tail":"end"}"#,
    // Of one structure, with times.
    r#"{"kind":"chat","id":"timed","title":"t","at":1718000008.25,"later":1718000009,"msgs":[@],"others":[%]}"#,
    r#"{"kind":"chat","id":"lone \ud800","title":"t","at":1718000008,"later":1718000009.5,"msgs":[@],"others":[%]}"#,
    r#"{"kind":"chat","id":"none","title":"t","at":-1e99,"later":1718000009.123456,"msgs":[@],"others":[%]}"#,
    r#"{"kind":"chat","id":"two","at":1718000008.000001,"later":1.5,"msgs":[@],"tail":"end"}"#,
    r#"{"kind":"chat","id":"later","at":null,"later":1718000009.5,"msgs":[@],"tail":"end"}"#,
];

const OTHERS: [&str; 5] = [r#"{"v":"a"}"#, r#"{"v":"bb"}"#, r#"{"v":1}"#, r#"{"w":2}"#, r#"{"v":[]}"#];

fn record((around, messages, others): &(usize, Vec<usize>, Vec<usize>)) -> String {
    let join = |of: &[&str], picks: &[usize]| {
        let picks: Vec<&str> = picks.iter().map(|n| of[*n]).collect();
        picks.join(",")
    };
    let text = AROUND[*around];
    let text =
        if text.contains("@none") { text.to_string() } else { text.replace('@', &join(&MESSAGES, messages)) };
    text.replace('%', &join(&OTHERS, others))
}

/// Where the plan of `BARE` stands.
const BARE_PLAN: usize = 4;

fn plans() -> &'static [Plan] {
    static PLANS: OnceLock<(TempDir, Vec<Plan>)> = OnceLock::new();
    let (_, plans) = PLANS.get_or_init(|| {
        let folder = TempDir::new().expect("a folder");
        let put = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        };
        put("lists/targets/page.yaml", PAGE_TARGET);
        put("lists/sources/chat/source.yaml", SOURCE);
        put("lists/sources/chat/page.yaml", PAGE);
        put("lists/sources/chat/udm.yaml", UDM);
        put("distinct/targets/page.yaml", PAGE_TARGET);
        put("distinct/sources/chat/source.yaml", SOURCE);
        put("distinct/sources/chat/page.yaml", &format!("{PAGE}{DISTINCT}"));
        put("bare/targets/page.yaml", PAGE_TARGET);
        put("bare/sources/chat/source.yaml", SOURCE);
        put("bare/sources/chat/page.yaml", BARE);
        put("need/targets/page.yaml", PAGE_TARGET);
        put("need/sources/chat/source.yaml", SOURCE);
        put("need/sources/chat/page.yaml", NEED);
        put("straight/targets/page.yaml", PAGE_TARGET);
        put("straight/sources/chat/source.yaml", SOURCE);
        put("straight/sources/chat/page.yaml", &PAGE.replace("- {to: good", "# - {to: good"));
        put("straight/sources/chat/udm.yaml", STRAIGHT);
        put("typed/sources/chat/source.yaml", SOURCE);
        put("typed/sources/chat/udm.yaml", &STRAIGHT.replace("GENERIC_EVENT", "USER_RESOURCE_ACCESS"));
        put("rows/targets/page.yaml", PAGE_TARGET);
        put("rows/sources/chat/source.yaml", SOURCE);
        put("rows/sources/chat/page.yaml", &PAGE.replace("rows:", "each: 'msgs[]'\nrows:"));
        put("rows/sources/chat/udm.yaml", &format!("{UDM}{}", UDM_MORE.trim_start_matches('\n')));
        let plan = |name: &str, targets: &[&str], content: Content| {
            let catalog = catalog::load(&[&folder.path().join(name)]).unwrap_or_else(|e| panic!("{e}"));
            assert!(catalog.wrong.is_empty(), "{:?}", catalog.wrong);
            let targets = targets.iter().map(|t| t.to_string()).collect();
            Plan::compile(&catalog, &Request { targets, content, ..Request::default() })
                .unwrap_or_else(|e| panic!("{e}"))
        };
        let plans = vec![
            plan("lists", &["page"], Content::Full),
            plan("lists", &["udm"], Content::Full),
            plan("lists", &["page", "udm"], Content::Metadata),
            plan("distinct", &["page"], Content::Full),
            plan("bare", &["page"], Content::Full),
            plan("need", &["page"], Content::Full),
            plan("straight", &["page", "udm"], Content::Full),
            plan("straight", &["page", "udm"], Content::Metadata),
            plan("typed", &["udm"], Content::Full),
            plan("rows", &["udm"], Content::Full),
            plan("rows", &["page", "udm"], Content::Full),
        ];
        (folder, plans)
    });
    plans
}

fn settings(batch_bytes: usize) -> Settings {
    let limits = Limits { batch_bytes, ..Limits::default() };
    Settings { framing: Framing::Lines, limits, ..kit::settings() }
}

/// The text, without what says where its record stood.
fn letters(ran: &kit::Ran) -> Vec<serde_json::Value> {
    let mut letters = ran.letters();
    for letter in letters.iter_mut().filter_map(|letter| letter.as_object_mut()) {
        ["byte", "line", "index"].iter().for_each(|key| drop(letter.remove(*key)));
    }
    letters
}

fn counted(plan: &Plan, counts: &Counts) -> String {
    let mut document = report(plan, counts, &RunFacts::default());
    kit::without_places(&mut document);
    document.to_string()
}

fn check(records: &[String]) -> Result<(), TestCaseError> {
    for plan in plans() {
        let mut events = vec![Vec::new(); plan.targets.len()];
        let (mut dead, mut counts) = (Vec::new(), Counts::new(plan));
        let mut met: HashMap<&str, kit::Ran> = HashMap::new();
        for record in records {
            let run = || kit::run(plan, record.as_bytes(), &settings(256 << 10));
            let alone = met.entry(record).or_insert_with(run);
            events.iter_mut().zip(&alone.targets).for_each(|(all, target)| all.extend_from_slice(target));
            dead.extend(letters(alone));
            counts.merge(&alone.counts);
        }
        let text = records.join("\n");
        for batch in [256 << 10, 900] {
            let whole = kit::run(plan, text.as_bytes(), &settings(batch));
            for (whole, alone) in whole.targets.iter().zip(&events) {
                let lines = |bytes: &[u8]| -> Vec<String> {
                    bytes
                        .split(|b| *b == b'\n')
                        .map(|line| String::from_utf8_lossy(line).into_owned())
                        .collect()
                };
                prop_assert_eq!(lines(whole), lines(alone));
            }
            prop_assert_eq!(letters(&whole), dead.clone());
            prop_assert_eq!(counted(plan, &whole.counts), counted(plan, &counts));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// A few kinds of records and elements, each met often enough to be known.
    #[test]
    fn elements_met_before_do_not_show(
        around in prop::collection::vec(0..AROUND.len(), 1..4),
        messages in prop::collection::vec(0..MESSAGES.len(), 1..5),
        picks in prop::collection::vec(
            (
                any::<prop::sample::Index>(),
                prop::collection::vec(any::<prop::sample::Index>(), 0..6),
                prop::collection::vec(0..OTHERS.len(), 0..3),
            ),
            20..60,
        ),
    ) {
        let of = |(which, elements, others): (prop::sample::Index, Vec<prop::sample::Index>, Vec<usize>)| {
            let elements = elements.iter().map(|n| messages[n.index(messages.len())]).collect();
            record(&(around[which.index(around.len())], elements, others))
        };
        let records: Vec<String> = picks.into_iter().map(of).collect();
        check(&records)?;
    }
}

/// Each kind of element, among others and as the last, met again and again.
#[test]
fn every_element_is_written_as_it_is() {
    for around in [0, 3, 8, 14] {
        for n in 0..MESSAGES.len() {
            let of =
                |messages: &[usize], others: &[usize]| record(&(around, messages.to_vec(), others.to_vec()));
            let (among, last) = (of(&[0, n, 3], &[0, n % OTHERS.len()]), of(&[n], &[0]));
            let records: Vec<String> = (0..14).flat_map(|_| [among.clone(), last.clone()]).collect();
            check(&records).unwrap_or_else(|e| panic!("{around} {n}: {e}"));
        }
    }
}

/// Elements that were never met, among those that are known.
#[test]
fn a_new_element_is_not_taken_for_a_known_one() {
    let of = |n: usize| record(&(0, vec![0, n, 3], Vec::new()));
    let known = std::iter::repeat_n(of(0), 14);
    let records: Vec<String> = known.chain((0..MESSAGES.len()).map(of)).collect();
    check(&records).unwrap_or_else(|e| panic!("{e}"));
}

/// Records without lists, of which most are written as they stand, and some are not.
#[test]
fn records_that_are_not_plain_are_written_the_long_way() {
    let of = |around: usize| record(&(around, Vec::new(), Vec::new()));
    let records: Vec<String> = (0..40).map(|n| of([9, 9, 9, 10, 9, 11, 9, 12, 9, 13][n % 10])).collect();
    check(&records).unwrap_or_else(|e| panic!("{e}"));
    let of = |around: usize| record(&(around, vec![0, 2, 5], vec![0, 1]));
    let records: Vec<String> =
        (0..40).map(|n| of([14, 14, 14, 15, 14, 16, 17, 18, 14, 17][n % 10])).collect();
    check(&records).unwrap_or_else(|e| panic!("{e}"));
}

/// What is required inside an object is missed where the object has nothing, the first time as the last.
#[test]
fn what_is_required_is_missed_wherever_it_stands() {
    let plan = &plans()[BARE_PLAN];
    let records = vec![record(&(9, Vec::new(), Vec::new())); 6].join("\n");
    let ran = kit::run(plan, records.as_bytes(), &settings(256 << 10));
    assert_eq!(String::from_utf8_lossy(&ran.targets[0]), "");
    let reasons: Vec<_> = ran.letters().iter().map(|letter| letter["reason"].to_string()).collect();
    assert_eq!(reasons, ["\"missing\""; 6]);
}
