//! Golden files: every case of a fixtures folder against what it should become, in every content
//! mode; and writing down what it becomes now. Beside them, the test files of Panther schemas.

mod schema_tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::catalog::Catalog;
use crate::error::Error;
use crate::metrics::Reason;
use crate::normalize::{Dead, NamesOf};
use crate::ops::time::Instant;
use crate::plan::{Content, Plan, Request};
use crate::run::{Clock, From, Input, Settings, Sinks, run};

pub use schema_tests::Failed;

/// One case that is not as it should be.
#[derive(Clone, Debug)]
pub struct Difference {
    pub case: String,
    /// The file with the expectation.
    pub file: String,
    /// The first line that differs, 1-based, and both its forms.
    pub line: usize,
    pub expected: Option<String>,
    pub found: Option<String>,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (expected, found) = (self.expected.as_deref(), self.found.as_deref());
        // Events are long: what is shown begins shortly before the first character that differs.
        let same = match (expected, found) {
            (Some(a), Some(b)) => a.chars().zip(b.chars()).take_while(|(x, y)| x == y).count(),
            _ => 0,
        };
        let side = |text: Option<&str>| match text {
            None => "(no such line)".to_string(),
            Some(text) => {
                let cut: String = text.chars().skip(same.saturating_sub(40)).take(160).collect();
                let (before, behind) = (same > 40, text.chars().count() > same.saturating_sub(40) + 160);
                format!("{}{cut}{}", if before { "…" } else { "" }, if behind { "…" } else { "" })
            }
        };
        writeln!(f, "{}/{}:{}:{}: differs", self.case, self.file, self.line, same + 1)?;
        writeln!(f, "  expected {}", side(expected))?;
        write!(f, "  found    {}", side(found))
    }
}

#[derive(Clone, Debug, Default)]
pub struct Checked {
    pub cases: usize,
    pub files: usize,
    /// Files written or removed by blessing.
    pub blessed: usize,
    pub differences: Vec<Difference>,
    /// Tests of Panther schemas.
    pub tests: usize,
    pub failed: Vec<Failed>,
}

/// Checks every folder below `root` that has a file `input.*` (with `bless`, writes what is found),
/// and runs every test file of Panther schemas; `root` may be one such file. Tests name schemas:
/// those of `schemas`, those beside the test file, and those of the catalog.
pub fn check(catalog: &Catalog, root: &Path, schemas: &[PathBuf], bless: bool) -> Result<Checked, Error> {
    let (mut cases, mut tests) = (Vec::new(), Vec::new());
    if root.is_file() && schema_tests::is_test_file(root) {
        tests.push(root.to_path_buf());
    } else if root.is_file() {
        let what = "no test file: its name ends with _tests.yml or _tests.yaml";
        return Err(Error::Usage(format!("{}: {what}", root.display())));
    } else {
        find(root, &mut cases, &mut tests)?;
    }
    if cases.is_empty() && tests.is_empty() {
        return Err(Error::Usage(format!(
            "{}: no case: a case is a folder with a file named input.*, and a test file is named *_tests.yml",
            root.display()
        )));
    }
    let mut checked = Checked::default();
    if !cases.is_empty() {
        golden(catalog, root, &cases, bless, &mut checked)?;
    }
    if !tests.is_empty() {
        (checked.tests, checked.failed) = schema_tests::check(catalog, &tests, schemas)?;
    }
    Ok(checked)
}

fn golden(
    catalog: &Catalog,
    root: &Path,
    cases: &[PathBuf],
    bless: bool,
    checked: &mut Checked,
) -> Result<(), Error> {
    let mut targets: Vec<String> = catalog.mappings.keys().map(|(_, target)| target.clone()).collect();
    targets.sort();
    targets.dedup();
    for content in [Content::Metadata, Content::None, Content::Full] {
        let request = Request { targets: targets.clone(), content, ..Request::default() };
        let plan = Plan::compile(catalog, &request)?;
        for input in cases {
            case(&plan, root, input, content, bless, checked)?;
        }
    }
    checked.cases = cases.len();
    Ok(())
}

fn read_text(path: &Path) -> Result<String, Error> {
    let text =
        std::fs::read_to_string(path).map_err(|e| Error::io(format!("cannot read {}", path.display()), e))?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_string).unwrap_or(text))
}

fn find(folder: &Path, cases: &mut Vec<PathBuf>, tests: &mut Vec<PathBuf>) -> Result<(), Error> {
    let failed = |e| Error::io(format!("cannot read {}", folder.display()), e);
    let entries =
        std::fs::read_dir(folder).map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|e| e.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            find(&path, cases, tests)?;
        } else if schema_tests::is_test_file(&path) {
            tests.push(path);
        } else if path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("input.")) {
            if cases.last().is_some_and(|last| last.parent() == path.parent()) {
                return Err(Error::Usage(format!("{}: a case has one input", path.display())));
            }
            cases.push(path);
        }
    }
    Ok(())
}

/// The file with a case's expectation: metadata mode is the plain one, the other modes have their
/// own where they differ.
fn file_name(content: Content, output: &str) -> String {
    match content {
        Content::Metadata => format!("{output}.ndjson"),
        other => format!("{}.{output}.ndjson", other.name()),
    }
}

fn case(
    plan: &Plan,
    root: &Path,
    input: &Path,
    content: Content,
    bless: bool,
    checked: &mut Checked,
) -> Result<(), Error> {
    let folder = input.parent().unwrap_or(root);
    let name = folder.strip_prefix(root).unwrap_or(folder).display().to_string().replace('\\', "/");
    let outputs = normalized(plan, input, &name)?;
    for (output, found) in outputs {
        let plain = folder.join(file_name(Content::Metadata, &output));
        let own = folder.join(file_name(content, &output));
        let read = |path: &Path| match std::fs::read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Error::io(format!("cannot read {}", path.display()), e)),
        };
        let own_text = read(&own)?;
        let (path, expected) = match own_text {
            Some(text) => (&own, text),
            None => (&plain, read(&plain)?.unwrap_or_default()),
        };
        checked.files += 1;
        if bless {
            checked.blessed += bless_one(&plain, &own, &found, read(&own)?, read(&plain)?)? as usize;
        } else if expected != found {
            let file = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            let difference = first_difference(&name, &file, &expected, &found);
            // A file that serves several modes is told of once.
            if !checked.differences.iter().any(|d| d.case == name && d.file == file) {
                checked.differences.push(difference);
            }
        }
    }
    Ok(())
}

/// Writes an expectation; no file stands for no output, unless metadata mode has some.
fn bless_one(
    plain: &Path,
    own: &Path,
    found: &[u8],
    has: Option<Vec<u8>>,
    base: Option<Vec<u8>>,
) -> Result<bool, Error> {
    let wanted = if own == plain { !found.is_empty() } else { found != base.unwrap_or_default() };
    let failed = |e| Error::io(format!("cannot write {}", own.display()), e);
    match (wanted, has) {
        (true, Some(text)) if text == found => Ok(false),
        (true, _) => std::fs::write(own, found).map_err(failed).map(|()| true),
        (false, Some(_)) => std::fs::remove_file(own).map_err(failed).map(|()| true),
        (false, None) => Ok(false),
    }
}

/// What makes equal inputs give equal bytes.
fn fixed_settings() -> Settings {
    Settings {
        threads: 1,
        clock: Clock::Fixed(Instant { secs: 1_767_225_600, nanos: 0 }),
        seed: 0,
        ..Settings::default()
    }
}

/// Every output of one case, `dead` among them, with a fixed clock and fixed row ids.
fn normalized(plan: &Plan, input: &Path, name: &str) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let bytes = std::fs::read(input).map_err(|e| Error::io(format!("cannot read {}", input.display()), e))?;
    let file = input.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let inputs = vec![Input { name: format!("{name}/{file}"), from: From::Memory(bytes) }];
    let mut dead = Vec::new();
    let mut texts: Vec<Vec<u8>> = vec![Vec::new(); plan.targets.len()];
    let outcome = {
        let mut letter = |d: &Dead, names: &NamesOf| {
            // A source need not have a mapping to every target there is.
            if d.reason != Reason::NoMapping {
                d.write(names, &mut dead);
            }
            Ok(())
        };
        let targets = texts.iter_mut().map(|t| Some(Box::new(t) as Box<dyn std::io::Write + Send>)).collect();
        let mut sinks = Sinks { targets, dead: &mut letter, progress: &mut |_, _| {} };
        run(plan, inputs, &fixed_settings(), &mut sinks)?
    };
    if let Some(error) = outcome.inputs.iter().find_map(|i| i.error.as_ref()) {
        return Err(Error::Usage(format!("{}: {error}", input.display())));
    }
    let mut outputs: BTreeMap<String, Vec<u8>> =
        plan.targets.iter().map(|t| t.name.clone()).zip(texts).collect();
    outputs.insert("dead".into(), dead);
    Ok(outputs)
}

fn first_difference(case: &str, file: &str, expected: &[u8], found: &[u8]) -> Difference {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (expected, found) = (text(expected), text(found));
    let (mut a, mut b) = (expected.lines(), found.lines());
    let mut line = 1;
    loop {
        match (a.next(), b.next()) {
            (Some(x), Some(y)) if x == y => line += 1,
            (x, y) => {
                return Difference {
                    case: case.into(),
                    file: file.into(),
                    line,
                    expected: x.map(str::to_string),
                    found: y.map(str::to_string),
                };
            }
        }
    }
}
