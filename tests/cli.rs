//! The program from outside: exit codes, doors, dead letters, metrics. What it says and does, not
//! how.

#![cfg(feature = "cli")]

#[path = "data/kit.rs"]
mod kit;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use kit::{fixture, lines, ndjson};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_logmill");

struct Said {
    code: i32,
    out: Vec<u8>,
    err: String,
}

impl Said {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }
}

/// Runs the program with nothing on stdin.
fn logmill<A: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = A>) -> Said {
    piped(args, b"")
}

fn piped<A: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = A>, stdin: &[u8]) -> Said {
    let output = assert_cmd::Command::new(PROGRAM).args(args).write_stdin(stdin).output().expect("it runs");
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!err.contains("panicked"), "{err}");
    Said { code: output.status.code().expect("no signal"), out: output.stdout, err }
}

/// Arguments split at blanks; paths of the tests hold none.
fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

fn folder() -> TempDir {
    tempfile::Builder::new().prefix("logmill-cli-").tempdir().expect("a folder")
}

fn put(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    std::fs::write(&path, bytes).expect("a file");
    path
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// A target whose every event needs only a time, and a table to it from the audit source.
const WRONG_TABLE: &str = "\
target: udm
rows:
  - {to: metadata.event_timestamp, from: $time}
  - {to: metadata.event_type, const: GENERIC_EVENT}
  - {to: pricipal.user.userid, from: id}
";

// ---------------------------------------------------------------------------------- exit codes

#[test]
fn exit_codes() {
    let temp = folder();
    let clean = fixture("openai_audit/events/input.ndjson");
    let bad = fixture("openai_audit/bad/input.ndjson");
    let (clean, bad) = (clean.display(), bad.display());
    let wrong = temp.path().join("wrong");
    put(&temp, "wrong/sources/openai_audit/udm.yaml", WRONG_TABLE.as_bytes());
    let cut = gzip(&kit::read(&fixture("openai_audit/events/input.ndjson")));
    let cut = put(&temp, "cut.gz", &cut[..cut.len() / 2]);
    let (wrong, cut) = (wrong.display(), cut.display());
    let occupied = put(&temp, "occupied", b"");
    let occupied = occupied.display();
    let empty = temp.path().join("empty");
    std::fs::create_dir(&empty).expect("a folder");
    let empty = empty.display();
    #[rustfmt::skip]
    let table: &[(i32, String, &str)] = &[
        (0, format!("convert {clean} --to udm"), ""),
        (0, format!("convert {clean} --to udm --min-rate 100"), ""),
        (0, format!("convert {clean} --to udm --min-rate 99%"), ""),
        (0, "list".into(), ""),
        (0, "--help".into(), ""),
        (0, "--version".into(), ""),
        (0, format!("validate {clean} --quiet"), ""),
        (0, format!("convert {empty} --to udm"), ""),
        (1, format!("convert {bad} --to udm"), ""),
        (1, format!("convert {bad} --to udm --min-rate 99"), "udm: 44.11 % normalized, wanted 99 %"),
        (1, format!("validate {bad} --quiet"), ""),
        (1, format!("convert {clean} --to udm --source openai_conversation"), ""),
        (2, "".into(), "Usage"),
        (2, format!("convert {clean} --to udm --no-such-flag"), "--no-such-flag"),
        (2, format!("convert {clean}"), "say what to convert to: --to panther | udm"),
        (2, format!("convert {clean} --to udn"), "no target `udn`; did you mean `udm`?"),
        (2, format!("convert {clean} --to zzzzz"), "no target `zzzzz`; known: panther, udm"),
        (2, format!("convert {clean} --to udm,udm -o x/"), "the target `udm` is named twice"),
        (2, format!("convert {clean} --to udm --source openai_audits"), "did you mean `openai_audit`?"),
        (2, format!("convert {clean} --to udm,panther"), "several targets need a folder"),
        (2, format!("convert {clean} --to udm,panther -o {occupied}"), "several targets need a folder"),
        (2, format!("convert {clean} --to udm --mappings {wrong}"), "did you mean `principal.user.userid`?"),
        (2, format!("convert {clean} --to udm --mappings /no/such/folder"), "/no/such/folder: not a folder"),
        (2, format!("convert {clean} --schema /no/such/schema.yml"), "/no/such/schema.yml"),
        (2, format!("convert /no/such/file {clean} --to udm"), "/no/such/file: no such file or folder"),
        (2, format!("convert {cut} --to udm"), "ends"),
        (2, format!("convert {bad} /no/such/file --to udm"), "/no/such/file"),
        (2, format!("convert {clean} --to udm --min-rate 101"), "a percentage from 0 to 100"),
        (2, format!("convert {clean} --to udm --threads 0"), "a number from 1 to 1024"),
        (2, format!("convert {clean} --to udm --max-depth 0"), "a number from 1 to"),
        (2, format!("convert {clean} --to udm --max-record 0"), "a size from 1 to 2G"),
        (2, format!("convert {clean} --to udm --content some"), "possible values: none, metadata, full"),
        (2, format!("convert {clean} --to udm --quiet --summary"), "cannot be used with"),
        (2, format!("convert {clean} --to udm -o /no/such/folder/file"), "cannot write /no/such/folder/file"),
        (2, format!("check {empty}"), "no case"),
        (2, "check /no/such/fixtures".into(), "/no/such/fixtures"),
    ];
    for (code, line, err) in table {
        let said = logmill(words(line));
        assert_eq!(said.code, *code, "logmill {line}\n{}", said.err);
        assert!(said.err.contains(err), "logmill {line}: no {err:?} in\n{}", said.err);
        let read_something = line.contains("/no/such/file") || line.contains("cut.gz");
        if *code == 2 && !read_something {
            assert!(said.out.is_empty(), "logmill {line}: wrong use writes nothing");
        }
    }
}

#[test]
fn a_met_rate_says_nothing_though_records_are_refused() {
    let bad = fixture("openai_audit/bad/input.ndjson");
    let said = logmill(words(&format!("convert {} --to udm --min-rate 44", bad.display())));
    assert_eq!(said.code, 1);
    assert_eq!(said.err, "");
}

#[test]
fn a_missing_file_costs_only_itself() {
    let good = fixture("openai_audit/events/input.ndjson").display().to_string();
    let more = fixture("openai_audit/times/input.ndjson").display().to_string();
    let both = logmill(words(&format!("convert {good} {more} --to udm")));
    let said = logmill(words(&format!("convert {good} /no/such/file {more} --to udm")));
    assert_eq!((said.code, both.code), (2, 0));
    assert_eq!(said.out, both.out, "all others are converted");
    assert_eq!(lines(&said.out).len(), 42);
    assert_eq!(said.err, "logmill: /no/such/file: no such file or folder\n");
}

#[test]
fn a_truncated_gzip_file_costs_only_itself() {
    let temp = folder();
    let good = fixture("openai_audit/events/input.ndjson");
    let whole = gzip(&kit::read(&good));
    let cut = put(&temp, "cut.gz", &whole[..whole.len() - 12]);
    let said = logmill(words(&format!("convert {} {} --to udm", cut.display(), good.display())));
    assert_eq!(said.code, 2);
    let events = lines(&said.out);
    assert!(events.len() >= 37, "the good file is whole: {}", events.len());
    assert!(said.err.contains("cut.gz"), "{}", said.err);
}

#[test]
fn wrong_mappings_stop_before_the_first_record() {
    let temp = folder();
    put(&temp, "m/sources/openai_audit/udm.yaml", WRONG_TABLE.as_bytes());
    let out = temp.path().join("out.ndjson");
    let line = format!(
        "convert {} --to udm --mappings {} -o {} --dead-letters {}",
        fixture("openai_audit/bad/input.ndjson").display(),
        temp.path().join("m").display(),
        out.display(),
        temp.path().join("dead").display()
    );
    let said = logmill(words(&line));
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("sources/openai_audit/udm.yaml:5:10: unknown field `pricipal.user.userid`"),
        "{}",
        said.err
    );
    assert!(said.err.contains("no record was read"), "{}", said.err);
    assert_eq!(names(temp.path()), ["m"], "nothing is left behind");
}

// ------------------------------------------------------------------- one input, many disguises

/// Good audit records with ids of their own, enough for several batches.
fn many(n: usize) -> Vec<Value> {
    let kinds = kit::audits();
    let numbered = (0..n).map(|i| {
        let mut record = kinds[i % kinds.len()].clone();
        record["id"] = format!("audit_log-{i:06}").into();
        record["effective_at"] = (1_749_600_000 + i).into();
        record
    });
    numbered.collect()
}

/// Row ids and times of parsing differ from run to run.
fn steady(bytes: &[u8]) -> String {
    let text = String::from_utf8(bytes.to_vec()).expect("UTF-8");
    let mut out = String::new();
    for line in text.lines() {
        let mut line = line.to_string();
        for (key, len) in [("\"p_row_id\":\"", 32), ("\"p_parse_time\":\"", 29)] {
            let at = line.find(key).unwrap_or_else(|| panic!("no {key} in {line}")) + key.len();
            line.replace_range(at..at + len, "…");
        }
        out += &line;
        out.push('\n');
    }
    out
}

fn disguises(temp: &TempDir, records: &[Value]) -> Vec<(String, PathBuf)> {
    let plain = ndjson(records);
    let texts: Vec<String> = records.iter().map(Value::to_string).collect();
    let pretty = serde_json::to_string_pretty(&records).expect("JSON");
    let pretty_each: Vec<String> =
        records.iter().map(|r| serde_json::to_string_pretty(r).expect("JSON")).collect();
    let half = records.len() / 2;
    let two_members = [gzip(&ndjson(&records[..half])), gzip(&ndjson(&records[half..]))].concat();
    let envelope = |list: &[String]| {
        format!("{{\"object\":\"list\",\"data\":[{}],\"first_id\":null,\"has_more\":false}}", list.join(","))
    };
    let pages: Vec<String> = texts.chunks(50).map(envelope).collect();
    let forms: Vec<(&str, Vec<u8>)> = vec![
        ("plain.ndjson", plain.clone()),
        ("unended.ndjson", plain.strip_suffix(b"\n").expect("a line end").to_vec()),
        ("crlf.ndjson", texts.join("\r\n").into_bytes()),
        ("marked.ndjson", [&b"\xef\xbb\xbf"[..], &plain].concat()),
        ("blanks.ndjson", texts.join("\n\n  \n").into_bytes()),
        ("one.gz", gzip(&plain)),
        ("two.gz", two_members),
        ("one.zst", zstd::encode_all(&plain[..], 1).expect("memory")),
        ("array.json", format!("[{}]", texts.join(",")).into_bytes()),
        ("array-pretty.json", pretty.into_bytes()),
        ("array-gz.json.gz", gzip(format!("[{}]", texts.join(",\n")).as_bytes())),
        ("envelope.json", envelope(&texts).into_bytes()),
        ("pages.ndjson", pages.join("\n").into_bytes()),
        ("pages-joined.json", pages.concat().into_bytes()),
        ("joined.json", texts.concat().into_bytes()),
        ("pretty.json", pretty_each.join("\n").into_bytes()),
        (
            "syslog.log",
            texts
                .iter()
                .map(|t| format!("<134>1 2025-06-12T01:19:01Z h app - - - {t}\n"))
                .collect::<String>()
                .into_bytes(),
        ),
    ];
    forms.into_iter().map(|(name, bytes)| (name.to_string(), put(temp, name, &bytes))).collect()
}

#[test]
fn every_disguise_gives_the_same_bytes() {
    let temp = folder();
    let records = many(450);
    let forms = disguises(&temp, &records);
    let expected = logmill(words(&format!("convert {} --to udm --threads 1", forms[0].1.display())));
    assert_eq!((expected.code, expected.err.as_str()), (0, ""));
    assert_eq!(lines(&expected.out).len(), records.len());
    for (i, (name, path)) in forms.iter().enumerate() {
        // Every form goes through every number of threads; the ways in take turns.
        for (j, threads) in [1, 2, 4].into_iter().enumerate() {
            let line = format!("convert --to udm --threads {threads}");
            let (way, said) = match (i + j) % 3 {
                0 => ("file", logmill(words(&format!("{line} {}", path.display())))),
                1 => ("mapped file", logmill(words(&format!("{line} --mmap {}", path.display())))),
                _ => ("stdin", piped(words(&format!("{line} -")), &kit::read(path))),
            };
            assert_eq!(said.code, 0, "{name} as {way}, {threads} threads: {}", said.err);
            assert!(said.out == expected.out, "{name} as {way}, {threads} threads: other bytes");
        }
    }
}

#[test]
fn every_disguise_gives_the_same_stored_events() {
    let temp = folder();
    let forms = disguises(&temp, &many(60));
    let expected = logmill(words(&format!("convert {} --to panther --threads 1", forms[0].1.display())));
    let expected = steady(&expected.out);
    for (name, path) in &forms {
        let said = logmill(words(&format!("convert {} --to panther --threads 2", path.display())));
        assert_eq!(said.code, 0, "{name}: {}", said.err);
        assert!(steady(&said.out) == expected, "{name}: other bytes");
    }
}

#[test]
fn told_framings_agree_with_the_found_one() {
    let plain = ndjson(&many(50));
    let found = piped(words("convert --to udm"), &plain);
    for framing in ["lines", "json", "auto"] {
        let said = piped(words(&format!("convert --to udm --framing {framing}")), &plain);
        assert!(said.code == 0 && said.out == found.out, "{framing}");
    }
}

#[test]
fn folders_are_read_sorted_and_hidden_files_are_not() {
    let temp = folder();
    let records = many(6);
    put(&temp, "logs/b.ndjson", &ndjson(&records[2..4]));
    put(&temp, "logs/a.ndjson", &ndjson(&records[0..2]));
    put(&temp, "logs/c/d.ndjson", &ndjson(&records[4..6]));
    put(&temp, "logs/.hidden.ndjson", &ndjson(&records[0..1]));
    let said = logmill(words(&format!("convert {} --to udm", temp.path().join("logs").display())));
    let ids: Vec<Value> = lines(&said.out).iter().map(|e| e["metadata"]["product_log_id"].clone()).collect();
    let expected: Vec<Value> = records.iter().map(|r| r["id"].clone()).collect();
    assert_eq!(ids, expected);
}

// --------------------------------------------------------------------------------------- outputs

#[test]
fn a_file_appears_when_it_is_complete() {
    let temp = folder();
    let input = fixture("openai_audit/events/input.ndjson");
    let streamed = logmill(words(&format!("convert {} --to udm", input.display())));
    let out = put(&temp, "out/events.ndjson", b"what was there before\n");
    let said = logmill(words(&format!("convert {} --to udm -o {}", input.display(), out.display())));
    assert_eq!((said.code, said.out.len()), (0, 0));
    assert!(kit::read(&out) == streamed.out);
    assert_eq!(names(&temp.path().join("out")), ["events.ndjson"], "no partial file is left");
    let dash = logmill(words(&format!("convert {} --to udm -o -", input.display())));
    assert!(dash.out == streamed.out);
}

/// The dead letters run into a full disk in the middle of the run.
#[cfg(target_os = "linux")]
#[test]
fn a_failing_run_leaves_no_file_and_no_partial_file() {
    let temp = folder();
    let mut text = ndjson(&many(400));
    text.extend("no record\n".repeat(3000).bytes());
    let input = put(&temp, "in/input.ndjson", &text);
    let kept = put(&temp, "out/kept.ndjson", b"what was there before\n");
    for (threads, name) in [(1, "new.ndjson"), (4, "new.ndjson"), (2, "kept.ndjson")] {
        let out = temp.path().join("out").join(name);
        let line = format!(
            "convert {} --to udm -o {} --dead-letters /dev/full --threads {threads}",
            input.display(),
            out.display()
        );
        let said = logmill(words(&line));
        assert_eq!(said.code, 2, "{}", said.err);
        assert!(said.err.contains("dead letters"), "{}", said.err);
        assert_eq!(names(&temp.path().join("out")), ["kept.ndjson"]);
        assert_eq!(kit::read(&kept), b"what was there before\n");
    }
    let line = format!(
        "convert {} --to udm,panther -o {}/ --dead-letters /dev/full",
        input.display(),
        temp.path().join("two").display()
    );
    assert_eq!(logmill(words(&line)).code, 2);
    assert!(names(&temp.path().join("two")).is_empty());
    // Stdout that is full is no closed pipe.
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a device");
    let status = std::process::Command::new(PROGRAM)
        .args(words(&format!("convert {} --to udm", input.display())))
        .stdout(full)
        .stderr(Stdio::null())
        .status()
        .expect("it runs");
    assert_eq!(status.code(), Some(2));
}

#[test]
fn an_output_is_no_input_and_no_other_output() {
    let temp = folder();
    put(&temp, "log.ndjson", &ndjson(&many(3)));
    let at = |name: &str| temp.path().join(name).display().to_string();
    let before = std::fs::read(at("log.ndjson")).expect("it was written");
    for (flags, why) in [
        (format!("-o {}", at("log.ndjson")), "is read in this run"),
        (format!("-o {} --dead-letters {}", at("out"), at("log.ndjson")), "is read in this run"),
        (format!("-o {} --metrics {}", at("out"), at("log.ndjson")), "is read in this run"),
        (format!("-o {0} --dead-letters {0}", at("out")), "cannot share a file"),
    ] {
        let said = logmill(words(&format!("convert {} --to udm {flags}", at("log.ndjson"))));
        assert_eq!(said.code, 2, "{flags}");
        assert!(said.err.contains(why), "{flags}: {}", said.err);
    }
    assert_eq!(std::fs::read(at("log.ndjson")).expect("it is still there"), before);
    assert!(!temp.path().join("out").exists());
}

/// What cannot be written is said before the run, not behind it.
#[test]
fn a_report_that_cannot_be_written_leaves_no_output() {
    let temp = folder();
    let input = fixture("openai_audit/events/input.ndjson");
    for flag in ["--metrics", "--dead-letters"] {
        let out = temp.path().join("out.ndjson");
        let line =
            format!("convert {} --to udm -o {} {flag} /no/such/folder/file", input.display(), out.display());
        let said = logmill(words(&line));
        assert_eq!(said.code, 2);
        assert!(said.err.contains("cannot write /no/such/folder/file"), "{}", said.err);
        assert!(names(temp.path()).is_empty(), "{flag}: {:?}", names(temp.path()));
    }
}

#[test]
fn several_targets_go_into_a_folder() {
    let temp = folder();
    let input = fixture("openai_audit/events/input.ndjson");
    let input = input.display();
    let out = temp.path().join("new/out");
    let said = logmill(words(&format!("convert {input} --to udm,panther -o {}/", out.display())));
    assert_eq!((said.code, said.out.len(), said.err.as_str()), (0, 0, ""));
    assert_eq!(names(&out), ["panther.ndjson", "udm.ndjson"]);
    let alone = logmill(words(&format!("convert {input} --to udm")));
    assert!(kit::read(&out.join("udm.ndjson")) == alone.out);
    let alone = logmill(words(&format!("convert {input} --to panther")));
    assert_eq!(steady(&kit::read(&out.join("panther.ndjson"))), steady(&alone.out));
    // One target and a folder: the same name inside.
    let said = logmill(words(&format!("convert {input} --to udm -o {}/", temp.path().join("one").display())));
    assert_eq!(said.code, 0);
    assert_eq!(names(&temp.path().join("one")), ["udm.ndjson"]);
}

/// The reader of our output goes away at once.
#[test]
fn a_closed_pipe_is_success() {
    let temp = folder();
    let input = put(&temp, "input.ndjson", &ndjson(&many(2500)));
    let bad = put(&temp, "bad.ndjson", "no record\n".repeat(20_000).as_bytes());
    for line in [
        format!("convert {} --to udm --threads 1", input.display()),
        format!("convert {} --to udm --threads 4", input.display()),
        format!("validate {} --quiet", bad.display()),
    ] {
        let mut child = std::process::Command::new(PROGRAM)
            .args(words(&line))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        drop(child.stdout.take());
        let mut err = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut err).expect("UTF-8");
        let status = child.wait().expect("it ends");
        assert_eq!((status.code(), err.as_str()), (Some(0), ""), "logmill {line}");
    }
}

#[test]
fn a_pipe_gets_no_progress_and_no_summary() {
    let input = fixture("openai_audit/events/input.ndjson");
    let input = input.display();
    assert_eq!(logmill(words(&format!("convert {input} --to udm"))).err, "");
    assert_eq!(logmill(words(&format!("convert {input} --to udm --quiet"))).err, "");
    let said = logmill(words(&format!("convert {input} --to udm --summary")));
    let err: Vec<&str> = said.err.lines().collect();
    assert_eq!(err.len(), 2, "{}", said.err);
    assert!(err[0].starts_with("37 records, ") && err[0].ends_with(", content metadata"), "{}", err[0]);
    assert_eq!(err[1].trim_start(), "udm: 100 % normalized, 37 events");
    assert!(!logmill(words(&format!("validate {input}"))).err.is_empty());
    assert_eq!(logmill(words(&format!("validate {input} --quiet"))).err, "");
    let bad = fixture("openai_audit/bad/input.ndjson");
    let said = logmill(words(&format!("convert {} --to udm --summary", bad.display())));
    let expected = "udm: 44.11 % normalized, 15 events, 19 dead [7 not_json, 2 not_utf8, 5 not_object, 1 too_deep, \
                    2 unknown, 1 missing, 1 bad_value]; expected at least 99 %";
    assert_eq!(said.err.lines().nth(1).map(str::trim), Some(expected));
}

#[test]
fn list_shows_what_there_is() {
    let said = logmill(["list"]);
    let text = said.text();
    let sections: Vec<&str> = text.lines().filter(|l| !l.starts_with(' ')).collect();
    assert_eq!(sections, ["sources", "targets", "mappings"]);
    for line in [
        "  openai_audit             OpenAI Platform audit log (organization.audit_log)",
        "  openai_conversation      ChatGPT Enterprise conversation (compliance.workspace.conversation) (bears content)",
        "  panther                  Panther data lake event, stored form, from a Panther log schema",
        "  udm                      Google SecOps Unified Data Model event (protobuf JSON, snake_case names)",
    ] {
        assert!(text.lines().any(|l| l == line), "no {line:?} in\n{text}");
    }
    for pair in [
        "openai_audit -> panther",
        "openai_audit -> udm",
        "openai_conversation -> panther",
        "openai_conversation -> udm",
    ] {
        assert!(said.text().contains(pair), "{pair}");
    }
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    // A laid-over folder shows.
    let temp = folder();
    let source = "source: door\ndescription: Door openings\nwhen: [{path: object, equals: door}]\n";
    put(&temp, "sources/door/source.yaml", source.as_bytes());
    let said = logmill(words(&format!("list --mappings {}", temp.path().display())));
    assert!(said.text().contains("  door                     Door openings\n"), "{}", said.text());
}

#[test]
fn check_compares_and_blesses() {
    let temp = folder();
    put(&temp, "cases/one/input.ndjson", &ndjson(&many(3)));
    let cases = temp.path().join("cases");
    let check = |flag: &str| logmill(words(&format!("check {} {flag}", cases.display())));
    let said = check("");
    assert_eq!(said.code, 1);
    let text = said.text();
    assert!(text.contains("one/udm.ndjson:1:"), "{text}");
    assert!(text.contains(": differs\n  expected (no such line)\n  found    {"), "{text}");
    assert!(text.contains("1 cases, 12 outputs, ") && !text.contains(" 0 differ"), "{text}");
    assert_eq!(check("--bless").code, 0);
    assert_eq!(names(&cases.join("one")), ["input.ndjson", "panther.ndjson", "udm.ndjson"]);
    let said = check("");
    assert_eq!((said.code, said.text().as_str()), (0, "1 cases, 12 outputs, 0 differ\n"));
    let mut udm = kit::read(&cases.join("one/udm.ndjson"));
    let at = udm.windows(3).position(|w| w == b"000").expect("an id");
    udm[at] = b'9';
    put(&temp, "cases/one/udm.ndjson", &udm);
    assert_eq!(check("").code, 1);
}

// ---------------------------------------------------------------------------------- dead letters

/// What stands between the good records, and what becomes of it.
struct Bad {
    text: Vec<u8>,
    reason: &'static str,
    /// Recognised, so it dies for the target and keeps its text.
    path: Option<&'static str>,
}

fn bad() -> Vec<Bad> {
    let good = kit::audits()[0].clone();
    let text = good.to_string();
    let bad = |text: &[u8], reason| Bad { text: text.to_vec(), reason, path: None };
    let mut soon = good.clone();
    soon["effective_at"] = "soon".into();
    let mut late = good.clone();
    late.as_object_mut().expect("an object").remove("effective_at");
    let deep =
        format!("{{\"object\":\"organization.audit_log\",\"x\":{}1{}}}", "[".repeat(200), "]".repeat(200));
    let mut utf8 = text.clone().into_bytes();
    let at = text.find("user-").expect("an id");
    utf8[at] = 0xff;
    vec![
        bad(&text.as_bytes()[..text.len() / 2], "not_json"),
        bad(&utf8, "not_utf8"),
        bad(b"42", "not_object"),
        bad(b"{\"kettle\":\"on\"}", "unknown"),
        Bad { path: Some("effective_at"), ..bad(soon.to_string().as_bytes(), "bad_value") },
        Bad { path: Some("effective_at"), ..bad(late.to_string().as_bytes(), "missing") },
        bad(deep.as_bytes(), "too_deep"),
        bad(b"", ""),
    ]
}

#[test]
fn dead_letters_say_where_what_and_why() {
    let temp = folder();
    let good = many(1000);
    let bad = bad();
    let (mut text, mut expected, mut index) = (Vec::new(), Vec::new(), 0);
    let path = temp.path().join("input.ndjson");
    for (i, record) in good.iter().enumerate() {
        if i % 125 == 60 {
            let one = &bad[i / 125];
            if !one.text.is_empty() {
                let hash: String = Sha256::digest(&one.text).iter().map(|b| format!("{b:02x}")).collect();
                let known = one.path.is_some();
                let mut letter = json!({
                    "input": path.display().to_string(),
                    "byte": text.len(),
                    "line": text.iter().filter(|b| **b == b'\n').count() + 1,
                    "index": index,
                    "source": known.then_some("openai_audit"),
                    "target": known.then_some("udm"),
                    "reason": one.reason,
                    "path": one.path,
                    "sha256": hash,
                });
                if known {
                    letter["record"] = String::from_utf8_lossy(&one.text).into();
                }
                expected.push(letter);
                index += 1;
            }
            text.extend_from_slice(&one.text);
            text.push(b'\n');
        }
        text.extend_from_slice(record.to_string().as_bytes());
        text.push(b'\n');
        index += 1;
    }
    std::fs::write(&path, &text).expect("a file");
    let ids: Vec<Value> = good.iter().map(|r| r["id"].clone()).collect();
    for threads in [1, 4] {
        let (dead, metrics) = (temp.path().join("dead.ndjson"), temp.path().join("metrics.json"));
        let line = format!(
            "convert {} --to udm --threads {threads} --dead-letters {} --metrics {}",
            path.display(),
            dead.display(),
            metrics.display()
        );
        let said = logmill(words(&line));
        assert_eq!((said.code, said.err.as_str()), (1, ""));
        let found: Vec<Value> =
            lines(&said.out).iter().map(|e| e["metadata"]["product_log_id"].clone()).collect();
        assert!(found == ids, "all good records, in order");
        let letters = lines(&kit::read(&dead));
        assert_eq!(letters.len(), expected.len());
        for (letter, expected) in letters.iter().zip(&expected) {
            let mut letter = letter.clone();
            let keys: Vec<String> = letter.as_object().expect("an object").keys().cloned().collect();
            let mut wanted = vec![
                "input", "byte", "line", "index", "source", "target", "reason", "path", "message", "sha256",
            ];
            wanted.extend(expected.get("record").map(|_| "record"));
            assert_eq!(keys, wanted, "the fields in their order");
            let message = letter.as_object_mut().expect("an object").remove("message");
            assert!(message.is_some_and(|m| !m.as_str().unwrap_or_default().is_empty()));
            // `serde_json` compares objects without their order, as is meant here.
            assert_eq!(&letter, expected);
        }
        let metrics: Value = serde_json::from_slice(&kit::read(&metrics)).expect("JSON");
        assert_eq!(metrics["records"], 1007);
        assert_eq!(metrics["blank_lines"], 1);
        let udm = &metrics["targets"]["udm"];
        assert_eq!(udm["log_entry_count"], 1007);
        assert_eq!(udm["successfully_normalized_log_count"], 1000);
        assert_eq!(udm["failed_log_count"], 7);
        let dead = json!({"not_json": 1, "not_utf8": 1, "not_object": 1, "too_deep": 1, "unknown": 1, "missing": 1, "bad_value": 1});
        assert_eq!(udm["dead"], dead);
        assert_eq!(metrics["sources"]["openai_audit"]["records"], 1002);
        assert_eq!(metrics["sources"]["(unrecognised)"]["records"], 5);
    }
    // The letters may go to stderr.
    let said = logmill(words(&format!("convert {} --to udm --dead-letters -", path.display())));
    assert_eq!(lines(said.err.as_bytes()).len(), expected.len());
}

#[test]
fn places_hold_in_every_framing() {
    let good: Vec<String> = many(3).iter().map(Value::to_string).collect();
    let letters = |text: &str| -> Vec<(Value, Value, Value, Value)> {
        let said = piped(words("convert --to udm --dead-letters -"), text.as_bytes());
        assert_eq!(said.code, 1, "{text}: {}", said.err);
        assert_eq!(lines(&said.out).len(), 3, "{text}");
        let letters = lines(said.err.as_bytes());
        letters
            .iter()
            .map(|l| (l["line"].clone(), l["byte"].clone(), l["index"].clone(), l["reason"].clone()))
            .collect()
    };
    let one = |line: usize, byte: usize, index: usize, reason: &str| {
        vec![(json!(line), json!(byte), json!(index), json!(reason))]
    };
    let [a, b, c] = [&good[0], &good[1], &good[2]];
    // An element of an array on its own line; of an array on one line; of an envelope.
    assert_eq!(letters(&format!("[{a},\n{b},\n  7,\n{c}]")), one(3, a.len() + b.len() + 7, 2, "not_object"));
    assert_eq!(letters(&format!("[{a},{{\"k\":1}},{b},{c}]\n")), one(1, a.len() + 2, 1, "unknown"));
    let envelope = format!("{{\"object\":\"list\",\"data\":[{a},\n[1],\n{b},{c}]}}");
    assert_eq!(letters(&envelope), one(2, a.len() + 27, 1, "not_object"));
    // Joined without anything between; behind CRLF, a BOM and blank lines.
    assert_eq!(letters(&format!("{a}{b}{{\"k\":1}}{c}")), one(1, a.len() + b.len(), 2, "unknown"));
    let text = format!("\u{feff}{a}\r\n\r\n\r\n{{\"k\":1}}\r\n{b}\r\n{c}");
    assert_eq!(letters(&text), one(4, a.len() + 9, 1, "unknown"));
}

#[test]
fn limits_cost_one_record() {
    let good: Vec<String> = many(4).iter().map(Value::to_string).collect();
    let mut big = many(1).remove(0);
    big["filler"] = "x".repeat(5000).into();
    let text = format!("{}\n{big}\n{}\n", good[0], good[1]);
    let said = piped(words("convert --to udm --max-record 4K --dead-letters -"), text.as_bytes());
    assert_eq!((said.code, lines(&said.out).len()), (1, 2));
    let letters = lines(said.err.as_bytes());
    assert_eq!(letters.len(), 1);
    assert_eq!(
        (&letters[0]["reason"], &letters[0]["line"], &letters[0]["record"]),
        (&json!("too_large"), &json!(2), &Value::Null)
    );
    let hash: String = Sha256::digest(big.to_string()).iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(letters[0]["sha256"], hash.as_str());
    let said = piped(words("convert --to udm --max-depth 3 --dead-letters -"), text.as_bytes());
    assert_eq!((said.code, lines(&said.out).len()), (1, 0));
    assert!(lines(said.err.as_bytes()).iter().all(|l| l["reason"] == "too_deep"));
}

#[test]
fn another_source_than_asked_for_is_refused() {
    let temp = folder();
    let mixed = [kit::audits()[..2].to_vec(), kit::conversations()[..1].to_vec()].concat();
    let input = put(&temp, "input.ndjson", &ndjson(&mixed));
    let line = format!("convert {} --to udm --source openai_audit --dead-letters -", input.display());
    let said = logmill(words(&line));
    assert_eq!((said.code, lines(&said.out).len()), (1, 2));
    let letters = lines(said.err.as_bytes());
    assert_eq!(letters.len(), 1);
    assert_eq!(
        (letters[0]["reason"].as_str(), letters[0]["source"].as_str()),
        (Some("other_source"), Some("openai_conversation"))
    );
    assert_eq!((&letters[0]["target"], &letters[0]["index"]), (&Value::Null, &json!(2)));
}

// ------------------------------------------------------------------------------------- validate

#[test]
fn validate_says_place_target_reason_and_path() {
    let temp = folder();
    let mut soon = many(1).remove(0);
    soon["effective_at"] = "soon".into();
    let mut nameless = many(1).remove(0);
    nameless.as_object_mut().expect("an object").remove("id");
    let text = format!("{}\n{soon}\n\nnot json\n{nameless}\n{{}}\n", many(1)[0]);
    let input = put(&temp, "input.ndjson", text.as_bytes());
    let input = input.display();
    let said = logmill(words(&format!("validate {input} --quiet")));
    let expected = format!(
        "\
{input}:2: panther: bad_value: effective_at: expected a time in the declared format, found \"soon\"
{input}:2: udm: bad_value: effective_at: `metadata.event_timestamp` cannot be made of this value, found \"soon\"
{input}:4: not_json: not JSON: not a JSON literal (true, false, null) (byte 0 of the record)
{input}:5: panther: missing: id: `id` is required and absent
{input}:6: unknown: no source recognises this record
"
    );
    assert_eq!(said.text(), expected);
    assert_eq!((said.code, said.err.as_str()), (1, ""));
    // Only the target asked for; and a schema of the user's.
    let said = logmill(words(&format!("validate {input} --quiet --to udm")));
    assert_eq!(said.text().lines().count(), 3, "{}", said.text());
    let schema = "schema: My.Strict\nfields:\n  - {name: id, type: string, required: true}\n  - {name: kettle, type: boolean, required: true}\n";
    let schema = put(&temp, "strict.yml", schema.as_bytes());
    let said = logmill(words(&format!("validate {input} --quiet --schema {}", schema.display())));
    let last = said.text().lines().last().unwrap_or_default().to_string();
    assert_eq!(last, format!("{input}:6: panther: missing: id: `id` is required and absent"));
    assert_eq!(said.text().lines().count(), 5, "{}", said.text());
}

#[test]
fn what_is_printed_of_a_record_cannot_steer_a_terminal() {
    let mut record = many(1).remove(0);
    record["effective_at"] = "\u{1b}[31mred\u{7}\u{9b}".into();
    // Raw C1 controls are allowed in JSON text; raw C0 are not, so they come escaped.
    let said = piped(words("validate --quiet"), record.to_string().as_bytes());
    assert_eq!(said.code, 1);
    assert!(said.text().contains("effective_at"));
    assert!(!said.text().chars().any(|c| c.is_control() && c != '\n'), "{:?}", said.text());
}

// -------------------------------------------------------------------------------------- metrics

fn metrics(line: &str, stdin: &[u8]) -> Value {
    let temp = folder();
    let path = temp.path().join("metrics.json");
    let out = temp.path().join("out");
    piped(words(&format!("{line} -o {}/ --metrics {}", out.display(), path.display())), stdin);
    serde_json::from_slice(&kit::read(&path)).expect("JSON")
}

fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or_else(|| panic!("{key} is no count: {value}"))
}

fn sum(map: &Value) -> u64 {
    map.as_object().expect("a map").values().map(|v| v.as_u64().expect("a count")).sum()
}

fn all_fixtures() -> Vec<u8> {
    let mut all = Vec::new();
    for input in kit::inputs("") {
        all.extend(kit::read(&input));
        all.extend(b"\n\n");
    }
    all
}

#[test]
fn metrics_add_up() {
    for content in ["none", "metadata", "full"] {
        let doc = metrics(&format!("convert --to udm,panther --content {content}"), &all_fixtures());
        assert_eq!(doc["content"], content);
        let records = number(&doc, "records");
        assert!(records > 150, "{records}");
        let sources = doc["sources"].as_object().expect("a map");
        assert_eq!(sources.values().map(|s| number(s, "records")).sum::<u64>(), records);
        assert_eq!(doc["inputs"].as_array().map(Vec::len), Some(1));
        assert_eq!(number(&doc["inputs"][0], "records"), records);
        for target in ["udm", "panther"] {
            let t = &doc["targets"][target];
            let [entries, good, failed, invalid, events, generic] = [
                "log_entry_count",
                "successfully_normalized_log_count",
                "failed_log_count",
                "invalid_log_count",
                "event_count",
                "generic_event_count",
            ]
            .map(|key| number(t, key));
            assert_eq!(entries, records);
            assert_eq!(good + failed + invalid, entries, "{target}, {content}");
            assert_eq!(failed, sum(&t["dead"]));
            assert!(events >= good && generic <= events);
            assert_eq!(invalid > 0, content == "none");
            let rate = t["normalization_percentage"].as_f64().expect("a rate");
            assert!((rate - good as f64 * 100.0 / (entries - invalid) as f64).abs() < 0.011, "{rate}");
            let rate = t["generic_event_percentage"].as_f64().expect("a rate");
            assert!((rate - generic as f64 * 100.0 / events as f64).abs() < 0.011, "{rate}");
            // The types of all sources are the total.
            let mut totals = [0; 5];
            for source in sources.values() {
                let types = source["types"].as_object().expect("a map");
                assert_eq!(
                    types.values().map(|k| number(k, "records")).sum::<u64>(),
                    number(source, "records")
                );
                for kind in types.values() {
                    let o = &kind["targets"][target];
                    let row = [
                        number(o, "normalized"),
                        sum(&o["dead"]),
                        number(o, "dropped"),
                        number(o, "events"),
                        number(o, "generic_events"),
                    ];
                    assert_eq!(row[0] + row[1] + row[2], number(kind, "records"));
                    totals.iter_mut().zip(row).for_each(|(a, b)| *a += b);
                }
            }
            assert_eq!(totals, [good, failed, invalid, events, generic]);
            let mappings = t["mappings"].as_object().expect("a map");
            assert_eq!(mappings.values().map(|m| number(m, "events")).sum::<u64>(), events);
            for (name, m) in mappings {
                let mut all = 0;
                for part in ["consumed", "ignored", "unmapped"] {
                    let leaves = number(m, &format!("leaves_{part}"));
                    assert_eq!(sum(&m[part]), leaves, "{name}: {part}");
                    all += leaves;
                }
                assert_eq!(all, number(m, "leaves_present"), "{name}");
                let both: Vec<&String> = m["consumed"]
                    .as_object()
                    .expect("a map")
                    .keys()
                    .filter(|k| m["unmapped"].get(k.as_str()).is_some())
                    .collect();
                assert!(both.is_empty(), "{name}: consumed and unmapped: {both:?}");
            }
        }
    }
}

/// Leaves by an oracle of its own.
fn leaves(value: &Value) -> u64 {
    match value {
        Value::Null => 0,
        Value::Array(list) => list.iter().map(leaves).sum(),
        Value::Object(map) => map.values().map(leaves).sum(),
        _ => 1,
    }
}

#[test]
fn present_leaves_are_all_leaves() {
    let audits = kit::audits();
    let doc = metrics("convert --to udm,panther", &ndjson(&audits));
    for target in ["udm", "panther"] {
        let found = number(&doc["targets"][target]["mappings"]["openai_audit"], "leaves_present");
        assert_eq!(found, audits.iter().map(leaves).sum::<u64>(), "{target}");
    }
    let conversations = kit::values(&fixture("openai_conversation/chats/input.ndjson"));
    let doc = metrics("convert --to udm", &ndjson(&conversations));
    let m = &doc["targets"]["udm"]["mappings"]["openai_conversation"];
    assert_eq!(number(m, "leaves_present"), conversations.iter().map(leaves).sum::<u64>());
}

/// Content that may not be read is not counted as read.
#[test]
fn withheld_paths_are_not_consumed() {
    let conversations = kit::values(&fixture("openai_conversation/chats/input.ndjson"));
    let doc = metrics("convert --to udm,panther", &ndjson(&conversations));
    for target in ["udm", "panther"] {
        let m = &doc["targets"][target]["mappings"]["openai_conversation"];
        let consumed: Vec<&String> = m["consumed"].as_object().expect("a map").keys().collect();
        let content = |key: &&&String| {
            key.ends_with("title") || key.contains("content.value") || key.ends_with("model_context")
        };
        assert!(!consumed.iter().any(|k| content(&k)), "{target} says it read {consumed:?}");
        assert!(!m["withheld_by_content_mode"].as_array().expect("a list").is_empty());
    }
}

#[test]
fn metrics_are_the_same_for_every_way_in() {
    let temp = folder();
    let mut records = many(60);
    records.extend(kit::conversations());
    let forms = disguises(&temp, &records);
    let strip = |mut doc: Value| {
        let top = doc.as_object_mut().expect("a map");
        assert!(top.remove("run").is_some_and(|r| r["seconds"].is_number() && r["threads"].is_number()));
        // Names and lengths of inputs differ, and so do lines between records.
        top.remove("inputs");
        top.remove("blank_lines");
        kit::without_places(&mut doc);
        doc
    };
    let expected =
        strip(metrics(&format!("convert {} --to udm,panther --threads 1", forms[0].1.display()), b""));
    for (name, path) in &forms {
        let doc = strip(metrics(&format!("convert {} --to udm,panther --threads 4", path.display()), b""));
        // As texts: the order of keys counts too.
        let (doc, expected) = (doc.to_string(), expected.to_string());
        assert!(doc == expected, "{name}: other metrics");
    }
    let run = metrics(&format!("convert {} --to udm --threads 3", forms[0].1.display()), b"");
    let keys: Vec<&String> = run["run"].as_object().expect("a map").keys().collect();
    assert_eq!(keys, ["started", "seconds", "threads", "bytes", "bytes_per_second", "records_per_second"]);
    assert_eq!(run["run"]["threads"], 3);
}

#[test]
fn none_mode_drops_conversations_by_rule() {
    let conversations = kit::values(&fixture("openai_conversation/chats/input.ndjson"));
    let mixed = [kit::audits(), conversations.clone()].concat();
    let said = piped(words("convert --to udm --content none --summary"), &ndjson(&mixed));
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(lines(&said.out).len(), kit::audits().len());
    assert!(said.err.contains("100 % normalized") && said.err.contains("6 dropped by rule"), "{}", said.err);
    let doc = metrics("convert --to udm,panther --content none", &ndjson(&mixed));
    for target in ["udm", "panther"] {
        assert_eq!(number(&doc["targets"][target], "invalid_log_count"), conversations.len() as u64);
        assert_eq!(number(&doc["targets"][target], "failed_log_count"), 0);
    }
}

// ------------------------------------------------------------------------ records like one another

/// What is known of records of one structure is known of all their fields: each time is that of its own
/// column, in its own day, and each text is its own.
#[test]
fn records_like_one_another_keep_their_values() {
    let temp = folder();
    // More than is written at once.
    let many: Vec<String> = (0..90).map(|n| format!("field_{n:02}")).collect();
    let types: String = many.iter().map(|name| format!(", {name}: string")).collect();
    let target = format!(
        "target: two\nroot: Two\ntypes:\n  Two: {{id: string, first: time, second: time, third: time, names: [string], note: string{types}}}\n"
    );
    put(&temp, "m/targets/two.yaml", target.as_bytes());
    put(
        &temp,
        "m/sources/two/source.yaml",
        b"source: two\nwhen: {path: kind, equals: two}\ntime: {path: a, format: unix}\n",
    );
    let more: String = many.iter().map(|name| format!("  - {{to: {name}, from: more}}\n")).collect();
    let rows = format!(
        "target: two\nrows:\n  - {{to: id, from: id}}\n  - {{to: first, from: a, as: {{time: unix}}}}\n  - {{to: second, from: b, as: {{time: unix}}}}\n  \
        - {{to: third, from: b, as: {{time: unix}}}}\n  - {{to: names, from: who.name}}\n  - {{to: note, from: note}}\n{more}"
    );
    put(&temp, "m/sources/two/two.yaml", rows.as_bytes());
    let (mut records, mut expected) = (String::new(), String::new());
    for n in 0..24 {
        let (day, second) = (1 + n % 9, 10 + n);
        let note = match n % 6 {
            3 => r"caf\u00e9 \n".to_string(),
            5 => "long ".repeat(30),
            _ => "plain".to_string(),
        };
        // No time at all now and then, which is no string of another form.
        let b = if n % 5 == 4 { i64::MAX } else { 1_577_836_800 + (day - 1) * 86_400 + second };
        let more = format!("{n:045}");
        records += &format!(
            "{{\"kind\":\"two\",\"id\":\"r{n}\",\"a\":{n},\"b\":{b},\"who\":{{\"name\":\"N{n}\",\"groups\":[\"x\",[{n}]]}},\"note\":\"{note}\",\"more\":\"{more}\"}}\n"
        );
        let later = match n % 5 {
            4 => String::new(),
            _ => {
                let later = format!("2020-01-{day:02}T00:00:{second:02}Z");
                format!("\"second\":\"{later}\",\"third\":\"{later}\",")
            }
        };
        let more: String = many.iter().map(|name| format!(",\"{name}\":\"{more}\"")).collect();
        expected += &format!(
            "{{\"id\":\"r{n}\",\"first\":\"1970-01-01T00:00:{n:02}Z\",{later}\"names\":[\"N{n}\"],\"note\":\"{note}\"{more}}}\n"
        );
    }
    let mappings = temp.path().join("m");
    let said =
        piped(words(&format!("convert - --mappings {} --to two", mappings.display())), records.as_bytes());
    assert_eq!((said.code, said.text()), (0, expected), "{}", said.err);
}
