//! The floors of `src/lib.rs`, and what only certain modules may do. The table and the sentence
//! about uses inside a floor are read from the code map itself, so the map cannot lie.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

const ROOF: usize = 6;

#[derive(Default)]
struct File {
    /// Relative to `src`, with `/`.
    path: String,
    raw: String,
    /// Without comments and with emptied literals.
    code: String,
    /// The string literals: line and text.
    literals: Vec<(usize, String)>,
}

impl File {
    /// The steps of the module's path below the crate: `plan/tables.rs` is `[plan, tables]`.
    fn module(&self) -> Vec<&str> {
        self.path.trim_end_matches(".rs").split('/').collect()
    }

    fn top(&self) -> &str {
        self.module()[0]
    }
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every file of the crate (the build script beside it is none).
fn files() -> &'static [File] {
    static FILES: OnceLock<Vec<File>> = OnceLock::new();
    FILES.get_or_init(read_files)
}

fn read_files() -> Vec<File> {
    fn walk(folder: &Path, out: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("src is readable") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, out);
            } else if path.extension().is_some_and(|e| e == "rs") {
                out.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    walk(&src(), &mut paths);
    paths.sort();
    let files = paths.iter().map(|path| {
        let raw = std::fs::read_to_string(path).expect("UTF-8");
        let path = path.strip_prefix(src()).expect("below src").to_string_lossy().replace('\\', "/");
        let (code, literals) = strip(&raw);
        File { path, raw, code, literals }
    });
    files.filter(|f| f.path != "build.rs").collect()
}

/// Code without comments, with literals emptied; and the string literals with their lines.
fn strip(text: &str) -> (String, Vec<(usize, String)>) {
    let bytes = text.as_bytes();
    let (mut code, mut literals) = (Vec::new(), Vec::new());
    let (mut counted, mut newlines) = (0, 0);
    let mut line = |at: usize| {
        newlines += bytes[counted..at].iter().filter(|b| **b == b'\n').count();
        counted = at;
        newlines + 1
    };
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let mut i = 0;
    while i < bytes.len() {
        let rest = &bytes[i..];
        if rest.starts_with(b"//") {
            while i < bytes.len() && bytes[i] != b'\n' {
                i += 1;
            }
        } else if rest.starts_with(b"/*") {
            let mut depth = 0;
            while i < bytes.len() {
                if bytes[i..].starts_with(b"/*") {
                    depth += 1;
                    i += 2;
                } else if bytes[i..].starts_with(b"*/") {
                    depth -= 1;
                    i += 2;
                    if depth == 0 {
                        break;
                    }
                } else {
                    i += 1;
                }
            }
        } else if (rest.starts_with(b"r\"")
            || rest.starts_with(b"r#")
            || rest.starts_with(b"br\"")
            || rest.starts_with(b"br#"))
            && (i == 0 || !word(bytes[i - 1]))
            && raw_string(rest).is_some()
        {
            let (start, end, len) = raw_string(rest).expect("just looked");
            literals.push((line(i), String::from_utf8_lossy(&rest[start..end]).into_owned()));
            code.extend_from_slice(b"\"\"");
            i += len;
        } else if bytes[i] == b'"' {
            let start = i + 1;
            i = start;
            while i < bytes.len() && bytes[i] != b'"' {
                i += 1 + (bytes[i] == b'\\') as usize;
            }
            literals.push((line(start), String::from_utf8_lossy(&bytes[start..i]).into_owned()));
            code.extend_from_slice(b"\"\"");
            i += 1;
        } else if bytes[i] == b'\'' && char_literal(rest).is_some() {
            code.extend_from_slice(b"' '");
            i += char_literal(rest).expect("just looked");
        } else {
            code.push(bytes[i]);
            i += 1;
        }
    }
    (String::from_utf8_lossy(&code).into_owned(), literals)
}

/// Start and end of the text of a raw string, and the length of the whole literal.
fn raw_string(rest: &[u8]) -> Option<(usize, usize, usize)> {
    let r = rest.iter().position(|b| *b == b'r')?;
    let hashes = rest[r + 1..].iter().take_while(|b| **b == b'#').count();
    let start = r + 1 + hashes;
    if rest.get(start) != Some(&b'"') {
        return None;
    }
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let end = rest[start + 1..].windows(close.len()).position(|w| w == close)? + start + 1;
    Some((start + 1, end, end + close.len()))
}

/// The length of a char literal; a lifetime is none.
fn char_literal(rest: &[u8]) -> Option<usize> {
    if rest.get(1) == Some(&b'\\') {
        return rest[3..].iter().position(|b| *b == b'\'').map(|n| n + 4);
    }
    let text = std::str::from_utf8(&rest[1..rest.len().min(8)])
        .or_else(|e| std::str::from_utf8(&rest[1..1 + e.valid_up_to()]))
        .ok()?;
    let first = text.chars().next()?.len_utf8();
    (rest.get(1 + first) == Some(&b'\'')).then_some(first + 2)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Offsets of a whole word.
fn words(code: &str, word: &str) -> Vec<usize> {
    let found = code.match_indices(word).filter(|(i, _)| {
        let before = code[..*i].chars().next_back().is_none_or(|c| !is_word(c));
        let behind = code[i + word.len()..].chars().next().is_none_or(|c| !is_word(c));
        before && behind
    });
    found.map(|(i, _)| i).collect()
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

fn has_word(text: &str, word: &str) -> bool {
    !words(text, word).is_empty()
}

/// The names between backticks.
fn ticked(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

struct Map {
    floors: BTreeMap<String, usize>,
    /// User and used, of one floor.
    beside: BTreeSet<(String, String)>,
}

/// The table of floors and the sentence about uses inside a floor.
fn code_map() -> Map {
    let text = std::fs::read_to_string(src().join("lib.rs")).expect("lib.rs");
    let doc: Vec<&str> = text.lines().filter_map(|l| l.strip_prefix("//!")).map(str::trim).collect();
    let mut floors = BTreeMap::new();
    for row in doc.iter().filter(|l| l.starts_with('|')) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let Ok(floor) = cells[1].parse::<usize>() else {
            continue;
        };
        for name in ticked(cells[2]) {
            assert_eq!(floors.insert(name.to_string(), floor), None, "`{name}` stands on two floors");
        }
    }
    let prose = doc.join(" ");
    let inside = prose.split("Inside a floor,").nth(1).expect("the sentence about uses inside a floor");
    let inside = inside.split(": never").next().expect("a part");
    let mut beside = BTreeSet::new();
    let mut user = "";
    for (i, piece) in inside.split('`').enumerate() {
        let before = inside.split('`').nth(i.saturating_sub(1)).unwrap_or_default();
        if i % 2 == 1 {
            if before.ends_with("uses ") || before.trim() == "and" {
                beside.insert((user.to_string(), piece.to_string()));
            } else {
                user = piece;
            }
        }
    }
    Map { floors, beside }
}

/// Modules at the root of the crate that a file names: through `crate::`, and through `super::`
/// where that leads out of the file's own module.
fn used(file: &File) -> BTreeSet<(usize, String)> {
    let code = &file.code;
    let mut out = BTreeSet::new();
    let mut note = |at: usize, rest: &str| {
        let rest = rest.trim_start();
        let ident = |text: &str| text.trim_start().chars().take_while(|c| is_word(*c)).collect::<String>();
        let Some(group) = rest.strip_prefix('{') else {
            out.insert((line_of(code, at), ident(rest)));
            return;
        };
        // The first step of every item of the group.
        let (mut depth, mut fresh) = (0, true);
        for (i, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => fresh = true,
                c if c.is_whitespace() => {}
                _ if fresh => {
                    out.insert((line_of(code, at), ident(&group[i..])));
                    fresh = false;
                }
                _ => {}
            }
        }
    };
    for at in words(code, "crate") {
        if let Some(rest) = code[at + 5..].strip_prefix("::") {
            note(at, rest);
        }
    }
    for at in words(code, "super") {
        if code[..at].ends_with("::") {
            continue;
        }
        let mut rest = &code[at..];
        let mut ups = 0;
        while let Some(next) = rest.strip_prefix("super::") {
            ups += 1;
            rest = next;
        }
        if ups >= file.module().len() {
            // A test module inside the file is one level deeper and means the file itself.
            if !code[..at].contains("mod tests") {
                note(at, rest);
            }
        }
    }
    out
}

#[test]
fn the_code_map_names_every_module() {
    let map = code_map();
    let (code, _) = strip(&std::fs::read_to_string(src().join("lib.rs")).expect("lib.rs"));
    let declared: BTreeSet<String> = code
        .lines()
        .filter_map(|l| l.trim().strip_prefix("pub mod ").or(l.trim().strip_prefix("mod ")))
        .map(|l| l.trim_end_matches([';', ' ', '{']).to_string())
        .collect();
    assert!(declared.len() >= 13, "{declared:?}");
    assert_eq!(declared, map.floors.keys().cloned().collect(), "lib.rs declares what its table shows");
    let on_disk: BTreeSet<String> = files()
        .iter()
        .map(|f| f.top().to_string())
        .filter(|top| !matches!(top.as_str(), "lib" | "main" | "cli"))
        .collect();
    assert_eq!(declared, on_disk);
    assert!(map.beside.len() >= 5, "{:?}", map.beside);
    for (user, used) in &map.beside {
        assert_eq!(map.floors[user], map.floors[used], "`{user}` and `{used}` share a floor");
        assert!(!map.beside.contains(&(used.clone(), user.clone())), "`{user}` and `{used}` use each other");
    }
}

#[test]
fn modules_use_only_lower_floors() {
    let map = code_map();
    let mut wrong = Vec::new();
    let mut uses = 0;
    for file in files() {
        let top = file.top().to_string();
        if matches!(top.as_str(), "lib" | "main" | "cli") {
            continue;
        }
        let own = map.floors[&top];
        for (line, name) in used(file) {
            if name == top {
                continue;
            }
            let Some(&floor) = map.floors.get(&name) else {
                wrong.push(format!("src/{}:{line}: `crate::{name}` is no module of the table", file.path));
                continue;
            };
            uses += 1;
            if floor >= own && !map.beside.contains(&(top.clone(), name.clone())) {
                wrong.push(format!(
                    "src/{}:{line}: `{top}` (floor {own}) uses `{name}` (floor {floor})",
                    file.path
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(uses > 40, "the scan sees the uses: {uses}");
}

#[test]
fn the_roof_is_used_by_nobody() {
    let map = code_map();
    assert!(map.floors.values().all(|f| *f < ROOF));
    for file in files() {
        if matches!(file.top(), "main" | "cli") {
            continue;
        }
        for word in ["clap", "indicatif"] {
            assert!(!has_word(&file.code, word), "src/{} knows the command line ({word})", file.path);
        }
    }
}

/// Every whole word of `list` outside the files that `may` allows.
fn only(list: &[&str], may: impl Fn(&File) -> bool, what: &str) {
    let mut allowed = 0;
    let mut wrong = Vec::new();
    for file in files() {
        for word in list {
            for at in words(&file.code, word) {
                if may(file) {
                    allowed += 1;
                } else {
                    wrong.push(format!("src/{}:{}: {what}: `{word}`", file.path, line_of(&file.code, at)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(allowed > 0, "the scan sees those that may: {list:?}");
}

#[test]
fn only_the_program_prints() {
    let roof = |f: &File| matches!(f.top(), "main" | "cli");
    only(&["println", "eprintln", "print", "eprint", "stdout", "stderr"], roof, "only the program prints");
    for file in files() {
        assert!(!has_word(&file.code, "dbg"), "src/{}: dbg", file.path);
    }
}

#[test]
fn only_few_open_files() {
    let may = |f: &File| matches!(f.top(), "input" | "catalog" | "check") || f.path == "cli/outputs.rs";
    only(&["fs", "OpenOptions", "memmap2"], may, "opens no files");
}

#[test]
fn unsafe_stays_where_its_proofs_are() {
    only(&["unsafe"], |f| f.top() == "json" || f.path == "input.rs", "no unsafe here");
    for file in files() {
        for at in words(&file.code, "unsafe") {
            // The proof stands in the lines right above (comments are only in the raw text).
            let block = line_of(&file.code, at);
            let raw: Vec<&str> = file.raw.lines().collect();
            let above = &raw[block.saturating_sub(14)..block.min(raw.len())];
            assert!(
                above.iter().any(|l| l.contains("SAFETY:") || l.contains("# Safety")),
                "src/{}:{block}: unsafe without its proof",
                file.path
            );
        }
    }
}

#[test]
fn nothing_unfinished() {
    for file in files() {
        for word in ["todo", "unimplemented"] {
            for at in words(&file.code, word) {
                let call = file.code[at + word.len()..].starts_with('!');
                assert!(!call, "src/{}:{}: {word}!", file.path, line_of(&file.code, at));
            }
        }
        for word in ["FIXME", "TODO", "XXX"] {
            assert!(!has_word(&file.raw, word), "src/{}: {word}", file.path);
        }
    }
}

#[test]
fn no_file_is_named_after_nothing() {
    for file in files() {
        for step in file.module() {
            let vague = ["utils", "util", "helpers", "helper", "common", "manager", "context", "misc"];
            assert!(!vague.contains(&step), "src/{}: a name that says nothing", file.path);
        }
    }
}

/// Names of sources and targets, from the folders that are their registry.
fn registry() -> (Vec<String>, Vec<String>) {
    let mappings = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings");
    let names = |below: &str| -> Vec<String> {
        let entries = std::fs::read_dir(mappings.join(below)).expect("mappings");
        let names = entries.map(|e| e.expect("an entry").path());
        names.filter_map(|p| p.file_stem().map(|s| s.to_string_lossy().into_owned())).collect()
    };
    (names("sources"), names("targets"))
}

#[test]
fn no_module_names_a_source_or_target() {
    let (sources, targets) = registry();
    assert!(sources.len() >= 2 && targets.len() >= 2);
    let mut wrong = Vec::new();
    for file in files() {
        for (line, literal) in &file.literals {
            for name in sources.iter().chain(&targets) {
                // The dialect's own word, and the key of that schema language for core fields.
                let dialect = name == "panther" && matches!(file.top(), "panther" | "table");
                let schemas = matches!(file.path.as_str(), "panther/read.rs" | "panther/core.rs");
                let key_of_schemas = name == "udm" && schemas;
                if has_word(literal, name) && !dialect && !key_of_schemas {
                    wrong.push(format!("src/{}:{line}: names `{name}`: {literal}", file.path));
                }
            }
        }
        for name in &sources {
            assert!(!has_word(&file.code, name), "src/{}: names the source `{name}`", file.path);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_scanner_reads_rust() {
    let text = r###"
        use crate::{json::{self, Want}, error}; // crate::run
        /* println!("x") /* nested */ unsafe */
        let a = "println!(\"udm\")"; let b = r#"raw "quoted" text"#; let c = 'u'; let d = '\''; let e = '…';
        fn f<'a>(x: &'a str) { super::super::plan::x(); super::inner(); }
    "###;
    let (code, literals) = strip(text);
    assert!(!code.contains("println") && !code.contains("unsafe") && !code.contains("crate::run"));
    assert!(code.contains("fn f<'a>(x: &'a str)"), "{code}");
    let texts: Vec<&str> = literals.iter().map(|(_, t)| t.as_str()).collect();
    assert_eq!(texts, [r#"println!(\"udm\")"#, r#"raw "quoted" text"#]);
    let file = File { path: "ops/time.rs".into(), code, ..File::default() };
    let names: Vec<String> = used(&file).into_iter().map(|(_, n)| n).collect();
    assert_eq!(names, ["error", "json", "plan"]);
}
