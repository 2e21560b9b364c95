//! In metadata mode no byte of content leaves through any door. The fixtures mark every content
//! string (and some keys); the tests look for the mark in everything that is written.

#[path = "data/kit.rs"]
mod kit;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use kit::{MARKER, Ran, contains, lines, ndjson};
use logmill::plan::{Content, Deed, Plan, Request, Route};
use logmill::records::Framing;
use logmill::run::Settings;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A schema of a user who wants it all.
const GREEDY: &str = "\
schema: Mine.Conversations
fields:
  - {name: id, type: string, required: true}
  - {name: title, type: string}
  - {name: user_email, type: string, indicators: [email]}
  - {name: note, type: json}
  - name: messages
    type: object
    fields:
      - name: data
        type: array
        element:
          type: object
          fields:
            - {name: id, type: string}
            - {name: author, type: json}
            - name: content
              type: object
              fields:
                - {name: type, type: string}
                - {name: value, type: string}
                - {name: model_context, type: json}
                - {name: annotations, type: json}
                - {name: extra, type: string}
            - {name: files, type: json}
";

/// The same with everything taken whole.
const WHOLE: &str = "\
schema: Mine.Whole
fields:
  - {name: id, type: json}
  - {name: object, type: json}
  - {name: title, type: json}
  - {name: messages, type: json}
  - {name: workspace_id, type: json}
  - {name: created_at, type: json}
";

struct Way {
    name: &'static str,
    plan: Plan,
    /// Records that no source recognises go through the user's schema, as any log of theirs does.
    takes_unknown: bool,
}

fn ways() -> &'static [Way] {
    static WAYS: OnceLock<Vec<Way>> = OnceLock::new();
    WAYS.get_or_init(|| {
        let both = || vec!["udm".to_string(), "panther".to_string()];
        let source =
            |name: &str| Request { targets: both(), source: Some(name.into()), ..Request::default() };
        let schema = |text: &str| {
            let file = tempfile::Builder::new().suffix(".yml").tempfile().expect("a file");
            std::fs::write(file.path(), text).expect("a file");
            let (schemas, warnings) = logmill::catalog::load_schemas(&[file.path()]).expect("a schema");
            assert!(warnings.is_empty());
            Request { targets: both(), schemas, ..Request::default() }
        };
        let way = |name, request: Request| Way {
            name,
            takes_unknown: !request.schemas.is_empty(),
            plan: kit::compile(request),
        };
        vec![
            way("plain", Request { targets: both(), ..Request::default() }),
            way("--source openai_conversation", source("openai_conversation")),
            way("--source openai_audit", source("openai_audit")),
            way("--schema greedy", schema(GREEDY)),
            way("--schema whole", schema(WHOLE)),
        ]
    })
}

/// Every door of the library, searched for the mark.
fn assert_clean(way: &str, ran: &Ran) {
    let doors: Vec<(&str, Vec<u8>)> = vec![
        ("udm", ran.targets[0].clone()),
        ("panther", ran.targets[1].clone()),
        ("dead letters", ran.dead.clone()),
        ("metrics", serde_json::to_vec_pretty(&ran.metrics).expect("JSON")),
        ("summary", ran.summary.clone().into_bytes()),
    ];
    for (door, bytes) in doors {
        if let Some(line) = bytes.split(|b| *b == b'\n').find(|line| contains(line, MARKER)) {
            panic!("{way}: content in {door}: {}", String::from_utf8_lossy(line));
        }
    }
}

/// Runs records through every way; each is one line.
fn all_clean(records: &[Value]) {
    for way in ways() {
        let taken: Vec<Value> = match way.takes_unknown {
            true => records.iter().filter(|r| recognised(r)).cloned().collect(),
            false => records.to_vec(),
        };
        let settings = Settings { framing: Framing::Lines, ..kit::settings() };
        let ran = kit::run(&way.plan, &ndjson(&taken), &settings);
        assert_eq!(ran.counts.records as usize, taken.len());
        assert_clean(way.name, &ran);
    }
}

fn recognised(record: &Value) -> bool {
    record["object"] == "compliance.workspace.conversation"
}

// ------------------------------------------------------------------------------------- fixtures

#[test]
fn the_fixtures_hold_what_must_not_leave() {
    let full = kit::plan(&["udm", "panther"], Content::Full);
    let mut seen = 0;
    for input in kit::inputs("openai_conversation") {
        let bytes = kit::read(&input);
        assert!(contains(&bytes, MARKER));
        let ran = kit::run(&full, &bytes, &kit::settings());
        seen += contains(&ran.targets[0], MARKER) as usize;
        seen += contains(&ran.targets[1], MARKER) as usize;
    }
    assert!(seen >= 10, "full mode shows the mark, so looking for it means something: {seen}");
}

#[test]
fn fixtures_are_clean_in_every_way() {
    for input in kit::inputs("openai_conversation") {
        let bytes = kit::read(&input);
        for way in ways() {
            for framing in [Framing::Auto, Framing::Lines, Framing::Json] {
                let unknown = framing != Framing::Auto || input.to_string_lossy().contains("bad");
                if way.takes_unknown && unknown {
                    continue;
                }
                assert_clean(
                    way.name,
                    &kit::run(&way.plan, &bytes, &Settings { framing, ..kit::settings() }),
                );
            }
        }
    }
}

/// The plan itself reads no content: what is withheld was never compiled, and what is read is
/// declared metadata or a container of some. Writing is filtered too; this looks behind that.
#[test]
fn plans_read_only_what_is_declared() {
    let mut looked = 0;
    for way in ways() {
        let want = &way.plan.want;
        for (s, source) in way.plan.sources.iter().enumerate().filter(|(_, s)| s.filtered) {
            let deeds = source.deeds.as_ref().expect("not everything of it may leave");
            let shown = |node: usize| deeds.of(node as u32) != Deed::Hide;
            let mut holds_some: Vec<bool> = (0..want.len()).map(shown).collect();
            for node in (0..want.len()).filter(|n| shown(*n)) {
                let mut at = want.parent(node as u32);
                while let Some(above) = at {
                    holds_some[above as usize] = true;
                    at = want.parent(above);
                }
            }
            for route in &way.plan.lanes[s] {
                let Route::Lanes(lanes) = route else { continue };
                for lane in lanes {
                    for node in (0..want.len()).filter(|n| lane.consumed[*n]) {
                        let path = want.path(node as u32);
                        assert!(
                            holds_some[node],
                            "{}: {} reads {path} of {}",
                            way.name, lane.name, source.name
                        );
                        looked += 1;
                    }
                }
            }
        }
    }
    assert!(looked > 100, "{looked}");
    let withheld = |way: &Way, target: usize| -> Vec<String> {
        let s = way.plan.sources.iter().position(|s| s.name == "openai_conversation").expect("a source");
        let Route::Lanes(lanes) = &way.plan.lanes[s][target] else { panic!("lanes") };
        lanes[0].withheld.clone()
    };
    let plain = withheld(&ways()[0], 0);
    for path in ["principal.user.attribute.labels", "principal.resource.resource_subtype"] {
        assert!(plain.iter().any(|p| p == path), "{path} is withheld: {plain:?}");
    }
    let greedy = withheld(ways().iter().find(|w| w.name == "--schema greedy").expect("a way"), 1);
    for path in [
        "title",
        "note",
        "messages.data[].content.value",
        "messages.data[].content.model_context",
        "messages.data[].content.extra",
    ] {
        assert!(greedy.iter().any(|p| p == path), "{path} is withheld: {greedy:?}");
    }
}

#[test]
fn records_still_become_events() {
    let conversations = kit::values(&kit::fixture("openai_conversation/chats/input.ndjson"));
    for way in ways().iter().filter(|w| w.name != "--source openai_audit") {
        let ran = kit::run(&way.plan, &ndjson(&conversations), &kit::settings());
        for target in &ran.targets {
            let events = lines(target);
            assert_eq!(events.len(), conversations.len(), "{}", way.name);
            assert!(target.len() > 150 * events.len(), "{}: metadata is left", way.name);
        }
    }
    let other = ways().iter().find(|w| w.name == "--source openai_audit").expect("a way");
    let ran = kit::run(&other.plan, &ndjson(&conversations), &kit::settings());
    let letters = ran.letters();
    assert_eq!(letters.len(), conversations.len());
    for (letter, conversation) in letters.iter().zip(&conversations) {
        assert_eq!(letter["reason"], "other_source");
        assert_eq!(letter["record"], Value::Null);
        assert_eq!(letter["fields"]["id"], conversation["id"], "the allow-listed fields are kept");
    }
}

// ------------------------------------------------------------------------------------ mutations

/// One step of a path in a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Key(String),
    At(usize),
}

fn paths(value: &Value, here: &mut Vec<Step>, out: &mut Vec<(Vec<Step>, bool)>) {
    match value {
        Value::Object(map) => {
            out.push((here.clone(), true));
            for (key, inner) in map {
                here.push(Step::Key(key.clone()));
                paths(inner, here, out);
                here.pop();
            }
        }
        Value::Array(list) => {
            out.push((here.clone(), true));
            for (i, inner) in list.iter().enumerate() {
                here.push(Step::At(i));
                paths(inner, here, out);
                here.pop();
            }
        }
        _ => out.push((here.clone(), false)),
    }
}

/// All paths of a record (`true`: to an object or a list), one for each spelling without indexes.
fn distinct_paths(record: &Value) -> Vec<(Vec<Step>, bool)> {
    let mut all = Vec::new();
    paths(record, &mut Vec::new(), &mut all);
    let mut seen = BTreeSet::new();
    all.retain(|(path, composite)| {
        let plain: Vec<Step> =
            path.iter().map(|s| if let Step::At(_) = s { Step::At(0) } else { s.clone() }).collect();
        seen.insert((plain, *composite))
    });
    all
}

fn at<'a>(record: &'a mut Value, path: &[Step]) -> &'a mut Value {
    path.iter().fold(record, |value, step| match step {
        Step::Key(key) => &mut value[key],
        Step::At(i) => &mut value[i],
    })
}

#[test]
fn objects_and_lists_where_scalars_are_declared() {
    let mut mutants = Vec::new();
    for conversation in kit::conversations() {
        for (path, composite) in distinct_paths(&conversation) {
            if path.is_empty() {
                continue;
            }
            let forms = match composite {
                false => vec![json!({MARKER: MARKER}), json!([MARKER])],
                // A text where a container is declared says more than the container did.
                true => vec![json!(MARKER), json!([[MARKER]]), json!({MARKER: {MARKER: [MARKER]}})],
            };
            for form in forms {
                let mut mutant = conversation.clone();
                *at(&mut mutant, &path) = form;
                mutants.push(mutant);
            }
        }
    }
    assert!(mutants.len() > 1500, "{}", mutants.len());
    all_clean(&mutants);
}

#[test]
fn undeclared_members_everywhere() {
    let mut mutants = Vec::new();
    for conversation in kit::conversations() {
        for (path, _) in distinct_paths(&conversation) {
            let mut mutant = conversation.clone();
            match at(&mut mutant, &path) {
                Value::Object(map) => {
                    map.insert(MARKER.into(), MARKER.into());
                    map.insert("note".into(), json!({"type": MARKER, "id": [MARKER], "value": MARKER}));
                    map.insert("extra".into(), MARKER.into());
                }
                Value::Array(list) => {
                    list.push(MARKER.into());
                    list.push(json!([MARKER]));
                    list.push(json!({MARKER: MARKER}));
                }
                _ => continue,
            }
            mutants.push(mutant);
        }
    }
    all_clean(&mutants);
}

/// Without its mark of what it is, a conversation is unknown: nothing of it is shown.
#[test]
fn conversations_that_lost_their_kind() {
    let kinds = [
        Value::Null,
        json!("chat"),
        json!(7),
        json!({"kind": MARKER}),
        json!([MARKER]),
        json!("organization.audit"),
    ];
    let mut records = Vec::new();
    for conversation in kit::conversations() {
        for kind in &kinds {
            let mut lost = conversation.clone();
            lost["object"] = kind.clone();
            lost["effective_at"] = MARKER.into();
            lost["type"] = "chat".into();
            records.push(lost.clone());
            lost.as_object_mut().expect("an object").remove("object");
            records.push(lost);
        }
    }
    all_clean(&records);
}

/// A schema of the user's takes unknown records: what it declares is stored, and nothing else of
/// them is shown, neither the names of other members nor the values it refuses.
#[test]
fn unknown_records_show_only_what_a_schema_takes() {
    let schema = |text: &str| {
        let file = tempfile::Builder::new().suffix(".yml").tempfile().expect("a file");
        std::fs::write(file.path(), text).expect("a file");
        let (schemas, _) = logmill::catalog::load_schemas(&[file.path()]).expect("a schema");
        kit::compile(Request { targets: vec!["udm".into(), "panther".into()], schemas, ..Request::default() })
    };
    let mut records = Vec::new();
    for mut lost in kit::conversations() {
        lost.as_object_mut().expect("an object").remove("object");
        lost["title"] = MARKER.into();
        lost[MARKER] = MARKER.into();
        records.push(lost);
    }
    let settings = Settings { framing: Framing::Lines, ..kit::settings() };
    let takes = schema("schema: Mine.Some\nfields:\n  - {name: workspace_id, type: string}\n");
    let ran = kit::run(&takes, &ndjson(&records), &settings);
    assert_eq!(lines(&ran.targets[1]).len(), records.len());
    assert_clean("a schema without content", &ran);
    for field in ["{name: title, type: int}", "{name: title, type: string, validate: {allow: [x]}}"] {
        let refuses = schema(&format!("schema: Mine.Strict\nfields:\n  - {field}\n"));
        let ran = kit::run(&refuses, &ndjson(&records), &settings);
        assert_eq!(lines(&ran.targets[1]).len(), 0);
        assert_eq!(ran.letters().iter().filter(|l| l["target"] == "panther").count(), records.len());
        assert_clean(field, &ran);
    }
}

#[test]
fn truncated_conversations() {
    let mut texts = Vec::new();
    for conversation in kit::conversations() {
        let text = conversation.to_string();
        for end in (1..text.len()).step_by(61).filter(|i| text.is_char_boundary(*i)) {
            texts.push(text[..end].to_string());
        }
    }
    let joined = texts.join("\n");
    for way in ways() {
        let settings = Settings { framing: Framing::Lines, ..kit::settings() };
        let ran = kit::run(&way.plan, joined.as_bytes(), &settings);
        assert_eq!(ran.letters().len(), texts.len(), "{}", way.name);
        assert_clean(way.name, &ran);
        // Found out from the bytes, a text that does not end may swallow its neighbours.
        for text in texts.iter().step_by(23) {
            assert_clean(way.name, &kit::run(&way.plan, text.as_bytes(), &kit::settings()));
        }
    }
}

#[derive(Clone, Debug)]
enum Change {
    Set(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Insert(prop::sample::Index, u8),
    /// One value takes another's place; only content may go anywhere but to declared metadata.
    Wrap(prop::sample::Index),
}

fn form(kind: u8) -> Value {
    match kind % 6 {
        0 => json!({MARKER: MARKER}),
        1 => json!([MARKER]),
        2 => json!([{ "value": MARKER, "text": MARKER }]),
        3 => json!({"data": [{"value": MARKER, MARKER: 1}], "name": MARKER}),
        4 => Value::Null,
        _ => json!([[[[MARKER]]], {}]),
    }
}

fn change() -> impl Strategy<Value = Change> {
    let index = || any::<prop::sample::Index>();
    prop_oneof![
        3 => (index(), any::<u8>()).prop_map(|(i, k)| Change::Set(i, k)),
        1 => index().prop_map(Change::Remove),
        2 => (index(), any::<u8>()).prop_map(|(i, k)| Change::Insert(i, k)),
        1 => index().prop_map(Change::Wrap),
    ]
}

fn apply(record: &mut Value, change: &Change) {
    let mut all = Vec::new();
    paths(record, &mut Vec::new(), &mut all);
    let pick = |index: &prop::sample::Index| all[index.index(all.len())].0.clone();
    match change {
        Change::Set(i, kind) if !pick(i).is_empty() => *at(record, &pick(i)) = form(*kind),
        Change::Wrap(i) if !pick(i).is_empty() => {
            let place = at(record, &pick(i));
            *place = json!([place.take()]);
        }
        Change::Insert(i, kind) => {
            if let Value::Object(map) = at(record, &pick(i)) {
                map.insert(["zz", MARKER, "text", "parts"][*kind as usize % 4].into(), form(*kind));
            }
        }
        Change::Remove(i) => {
            let path = pick(i);
            let Some((last, above)) = path.split_last() else { return };
            match (at(record, above), last) {
                (Value::Object(map), Step::Key(key)) => drop(map.remove(key)),
                (Value::Array(list), Step::At(i)) => drop(list.remove(*i)),
                _ => {}
            }
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_conversations_stay_clean(
        picks in prop::collection::vec((any::<prop::sample::Index>(), prop::collection::vec(change(), 1..6)), 1..8),
    ) {
        let all = kit::conversations();
        let records: Vec<Value> = picks.iter().map(|(pick, changes)| {
            let mut record = all[pick.index(all.len())].clone();
            changes.iter().for_each(|c| apply(&mut record, c));
            record
        }).collect();
        all_clean(&records);
    }

    /// One byte of the text is another.
    #[test]
    fn broken_bytes_stay_clean(
        pick in any::<prop::sample::Index>(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let all = kit::conversations();
        let text = all[pick.index(all.len())].to_string().into_bytes();
        for way in ways().iter().filter(|w| !w.takes_unknown) {
            for (at, byte) in &flips {
                let mut broken = text.clone();
                broken[at.index(text.len())] = *byte;
                assert_clean(way.name, &kit::run(&way.plan, &broken, &kit::settings()));
            }
        }
    }
}

// ---------------------------------------------------------------------------------- other modes

#[test]
fn none_mode_drops_and_counts() {
    let plan = kit::plan(&["udm", "panther"], Content::None);
    let conversations = kit::conversations();
    let mixed = [conversations.clone(), kit::audits()].concat();
    let ran = kit::run(&plan, &ndjson(&mixed), &kit::settings());
    assert_clean("none", &ran);
    for (i, target) in ran.targets.iter().enumerate() {
        assert_eq!(lines(target).len(), kit::audits().len());
        assert!(!contains(target, "compliance.workspace"));
        for conversation in &conversations {
            let id = conversation["id"].as_str().unwrap_or("no id");
            assert!(!contains(target, id), "nothing of a conversation, not even {id}");
        }
        let rate = &logmill::metrics::rate(&plan, &ran.counts)[i];
        assert_eq!((rate.outcomes.dropped, rate.outcomes.dead()), (conversations.len() as u64, 0));
        assert_eq!(rate.percent, Some(100.0));
    }
    assert_eq!(ran.letters(), Vec::<Value>::new());
}

#[test]
fn full_mode_keeps_every_text_in_its_place() {
    let plan = kit::plan(&["udm", "panther"], Content::Full);
    let mut texts = 0;
    for conversation in kit::conversations() {
        let ran = kit::run(&plan, &ndjson(std::slice::from_ref(&conversation)), &kit::settings());
        let (udm, panther) = (lines(&ran.targets[0]), lines(&ran.targets[1]));
        if let [udm] = udm.as_slice() {
            let mut labels = Vec::new();
            for message in conversation["messages"]["data"].as_array().into_iter().flatten() {
                let (value, role) = (&message["content"]["value"], &message["author"]["role"]);
                if let (Some(value), Some(role)) = (value.as_str(), role.as_str())
                    && !value.is_empty()
                {
                    labels.push(json!({"key": role, "value": value}));
                    texts += 1;
                }
            }
            let found =
                udm["principal"]["user"]["attribute"]["labels"].as_array().cloned().unwrap_or_default();
            assert_eq!(found, labels, "one label for each message with a text, in order");
            let title = conversation["title"].as_str().filter(|t| !t.is_empty());
            assert_eq!(udm["principal"]["resource"]["resource_subtype"].as_str(), title);
        }
        if let [panther] = panther.as_slice() {
            assert_eq!(panther.get("title"), conversation.get("title").filter(|t| !t.is_null()));
            let (stored, given) = (&panther["messages"]["data"], &conversation["messages"]["data"]);
            for (stored, given) in
                stored.as_array().into_iter().flatten().zip(given.as_array().into_iter().flatten())
            {
                for key in ["value", "model_context", "annotations"] {
                    let wanted = &given["content"][key];
                    assert_eq!(&stored["content"][key], wanted, "{key}");
                }
                let names = |m: &Value| -> Vec<Value> {
                    m["files"]["data"].as_array().into_iter().flatten().map(|f| f["name"].clone()).collect()
                };
                assert_eq!(names(stored), names(given));
            }
        }
    }
    assert!(texts > 50, "{texts} texts");
}

#[test]
fn dead_letters_in_full_mode_hold_the_record() {
    let plan = kit::plan(&["udm", "panther"], Content::Full);
    let text = "{\"object\":\"compliance.workspace.conversation\",\"title\":\"zxqcontent\"}";
    let ran = kit::run(&plan, text.as_bytes(), &kit::settings());
    let letters = ran.letters();
    assert_eq!(letters.len(), 2);
    assert!(letters.iter().all(|l| l["record"] == text));
}

// --------------------------------------------------------------------------------- the program

#[cfg(feature = "cli")]
#[test]
fn the_program_is_clean_through_every_door() {
    let temp = tempfile::Builder::new().prefix("logmill-privacy-").tempdir().expect("a folder");
    let path = |name: &str| temp.path().join(name).display().to_string();
    std::fs::write(path("greedy.yml"), GREEDY).expect("a file");
    std::fs::write(path("whole.yml"), WHOLE).expect("a file");
    let greedy = format!("--schema {}", path("greedy.yml"));
    let whole = format!("--schema {}", path("whole.yml"));
    let inputs = kit::inputs("openai_conversation");
    let inputs: Vec<String> = inputs.iter().map(|p| p.display().to_string()).collect();
    let inputs = inputs.join(" ");
    let mut runs = 0;
    for way in
        ["", "--content metadata", &greedy, &whole, "--source openai_audit", "--source openai_conversation"]
    {
        let out = path("out");
        let (dead, metrics) = (path("out/dead"), path("out/metrics"));
        for line in [
            format!(
                "convert {inputs} {way} --to udm,panther -o {out}/ --dead-letters {dead} --metrics {metrics} --summary"
            ),
            format!("convert {inputs} {way} --to panther --dead-letters - --metrics - --summary"),
            format!("validate {inputs} {way}"),
        ] {
            std::fs::create_dir_all(&out).expect("a folder");
            let ran = assert_cmd::Command::new(env!("CARGO_BIN_EXE_logmill"))
                .args(line.split_whitespace())
                .output()
                .expect("it runs");
            runs += 1;
            assert_eq!(ran.status.code(), Some(1), "the bad ones are refused: {line}");
            assert!(!ran.stdout.is_empty() || !ran.stderr.is_empty(), "{line}");
            assert!(!contains(&ran.stdout, MARKER), "logmill {line}: stdout");
            assert!(!contains(&ran.stderr, MARKER), "logmill {line}: stderr");
            let entries: Vec<_> =
                std::fs::read_dir(&out).expect("a folder").map(|e| e.expect("an entry").path()).collect();
            assert_eq!(entries.len(), if line.contains(" -o ") { 4 } else { 0 });
            for entry in entries {
                assert!(!contains(&kit::read(&entry), MARKER), "logmill {line}: {}", entry.display());
            }
            std::fs::remove_dir_all(&out).expect("a folder");
        }
    }
    assert_eq!(runs, 18);
}
