//! Walking `mappings/`: which sources and targets there are. The folders are the registry: a new
//! source or target is files, and no name of one stands here.

use std::collections::BTreeMap;
use std::path::Path;

use indexmap::IndexMap;

use crate::error::{Diagnostic, Error, Text};
use crate::panther::{self, Schema};
use crate::table::{Dialect, SourceDef, Table, TargetDef};
use crate::yaml::{self, Source};

/// The files below `mappings/`, in the order of their names: path, text and the packed tree of it.
static BUILT_IN: &[(&str, &str, &[u8])] = &include!(concat!(env!("OUT_DIR"), "/built_in.rs"));

/// Everything the mapping files say.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// By name, in the order of the names.
    pub targets: IndexMap<String, TargetDef>,
    pub sources: IndexMap<String, SourceDef>,
    /// The mapping of a source to a target: (source, target).
    pub mappings: IndexMap<(String, String), Mapping>,
    /// Complaints that stop a run: collected, so that a plan can say them with its own.
    pub wrong: Vec<Diagnostic>,
    /// Complaints that do not stop a run.
    pub warnings: Vec<Diagnostic>,
}

#[derive(Clone, Debug)]
pub enum Mapping {
    Table(Table),
    Schema(Schema),
}

/// The built-in mapping files and, laid over them, those of the user's folders: a file of the same
/// name takes the place of the built-in one. What is wrong with them stands in the catalog; a plan
/// compiled from it says it.
pub fn load(folders: &[&Path]) -> Result<Catalog, Error> {
    load_for(folders, &[])
}

/// What a run to these targets needs: of the built-in files, those of other targets stay unread. No
/// target, or one that has no file, means all.
pub fn load_for(folders: &[&Path], targets: &[String]) -> Result<Catalog, Error> {
    let mut files: BTreeMap<String, File> = BUILT_IN.iter().map(built_in).collect();
    let has_file = |target: &String| files.contains_key(&format!("targets/{}.yaml", base_target(target)));
    if !targets.is_empty() && targets.iter().all(has_file) {
        files.retain(|path, _| {
            let file = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".yaml");
            match file_kind(path) {
                Some(FileKind::Target) => targets.iter().any(|t| base_target(t) == file),
                Some(FileKind::Mapping) => targets.iter().any(|t| t == file),
                _ => true,
            }
        });
    }
    for folder in folders {
        if !folder.is_dir() {
            return Err(Error::Usage(format!("--mappings {}: not a folder", folder.display())));
        }
        let found = read_folder(folder, folder, &mut files)?;
        if found == 0 {
            let what = "no mapping in it: sources/NAME/*.yaml and targets/*.yaml are looked for";
            return Err(Error::Usage(format!("--mappings {}: {what}", folder.display())));
        }
    }
    let mut catalog = Catalog::default();
    let mut wrong = Vec::new();
    let mut failed: Vec<&str> = Vec::new();
    for kind in [FileKind::Target, FileKind::Source, FileKind::Mapping] {
        for (path, file) in files.iter().filter(|(path, _)| file_kind(path) == Some(kind)) {
            // A mapping beside a source or target that is wrong cannot be judged.
            let known = |name: Option<String>| name.is_some_and(|name| failed.contains(&name.as_str()));
            if kind == FileKind::Mapping && (known(source_file(path)) || known(target_file(path))) {
                continue;
            }
            let read = file.tree().and_then(|root| read_file(kind, path, &file.source, &root, &mut catalog));
            if let Err(list) = read {
                wrong.extend(list);
                failed.push(path);
            }
        }
    }
    catalog.wrong.extend(wrong);
    Ok(catalog)
}

/// Reads schema files given by the user.
pub fn load_schemas(paths: &[&Path]) -> Result<(Vec<Schema>, Vec<Diagnostic>), Error> {
    let (mut schemas, mut warnings, mut wrong) = (Vec::<Schema>::new(), Vec::new(), Vec::new());
    for path in paths {
        let source = read_source(path, &path.display().to_string())?;
        match yaml::parse(&source).and_then(|root| panther::parse(&source, &root)) {
            Ok((schema, warned)) => {
                if let Some(other) = schemas.iter().find(|s| s.name == schema.name) {
                    wrong.push(source.complain(
                        &(0..1),
                        format!("the schema `{}` is also in {}", schema.name, other.at.file),
                    ));
                }
                schemas.push(schema);
                warnings.extend(warned);
            }
            Err(list) => wrong.extend(list),
        }
    }
    if wrong.is_empty() { Ok((schemas, warnings)) } else { Err(Error::Mappings(wrong)) }
}

fn read_source(path: &Path, name: &str) -> Result<Source, Error> {
    let bytes = std::fs::read(path).map_err(|e| Error::io(format!("cannot read {name}"), e))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source::new(name, text.strip_prefix('\u{feff}').unwrap_or(&text))),
        Err(_) => Err(Error::Usage(format!("{name}: not UTF-8 text"))),
    }
}

struct File {
    source: Source,
    /// The tree of an embedded file, packed when the program was built.
    packed: &'static [u8],
}

impl File {
    fn tree(&self) -> Result<yaml::Node, Vec<Diagnostic>> {
        match self.source.text {
            Text::Embedded(text) => Ok(yaml::tree::unpack(self.packed, text)),
            Text::Read(_) => yaml::parse(&self.source),
        }
    }
}

fn built_in(&(path, text, packed): &(&str, &'static str, &'static [u8])) -> (String, File) {
    (path.to_string(), File { source: Source::embedded(&format!("mappings/{path}"), text), packed })
}

/// Adds the mapping files below a folder; how many there were.
fn read_folder(root: &Path, folder: &Path, files: &mut BTreeMap<String, File>) -> Result<usize, Error> {
    let failed = |e| Error::io(format!("cannot read {}", folder.display()), e);
    let mut found = 0;
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            found += read_folder(root, &path, files)?;
            continue;
        }
        let relative = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        if file_kind(&relative).is_some() {
            let source = read_source(&path, &path.display().to_string())?;
            files.insert(relative, File { source, packed: &[] });
            found += 1;
        }
    }
    Ok(found)
}

/// The source file beside a mapping.
fn source_file(mapping: &str) -> Option<String> {
    mapping.rsplit_once('/').map(|(folder, _)| format!("{folder}/source.yaml"))
}

/// The target file of a mapping.
fn target_file(mapping: &str) -> Option<String> {
    let stem = mapping.rsplit_once('/')?.1.trim_end_matches(".yaml");
    Some(format!("targets/{}.yaml", base_target(stem)))
}

/// A mapping of the name `target.form` is a further table of the source to that target.
pub fn base_target(stem: &str) -> &str {
    stem.split_once('.').map_or(stem, |(base, _)| base)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum FileKind {
    Target,
    Source,
    Mapping,
}

/// What a file is, by its place: `targets/T.yaml`, `sources/S/source.yaml`, `sources/S/T.yaml`.
fn file_kind(path: &str) -> Option<FileKind> {
    let steps: Vec<&str> = path.split('/').collect();
    match steps.as_slice() {
        ["targets", file] if file.ends_with(".yaml") => Some(FileKind::Target),
        ["sources", _, "source.yaml"] => Some(FileKind::Source),
        ["sources", _, file] if file.ends_with(".yaml") => Some(FileKind::Mapping),
        _ => None,
    }
}

fn read_file(
    kind: FileKind,
    path: &str,
    source: &Source,
    root: &yaml::Node,
    catalog: &mut Catalog,
) -> Result<(), Vec<Diagnostic>> {
    let stem = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".yaml");
    let named =
        |name: &str, expected: &str, key: &str| {
            if name == expected {
                return Ok(());
            }
            let span = root.get(key).map_or(0..1, |n| n.span.clone());
            Err(vec![source.complain(
                &span,
                format!("this file is `{path}`: `{key}` should be `{expected}`, not `{name}`"),
            )])
        };
    match kind {
        FileKind::Target => {
            let target = TargetDef::parse(source, root)?;
            named(&target.name, stem, "target")?;
            catalog.targets.insert(target.name.clone(), target);
        }
        FileKind::Source => {
            let def = SourceDef::parse(source, root)?;
            let folder = path.split('/').nth(1).unwrap_or_default();
            named(&def.name, folder, "source")?;
            catalog.sources.insert(def.name.clone(), def);
        }
        FileKind::Mapping => {
            let folder = path.split('/').nth(1).unwrap_or_default();
            if !catalog.sources.contains_key(folder) {
                return Err(vec![
                    source.complain(&(0..1), format!("there is no `sources/{folder}/source.yaml`")),
                ]);
            }
            let base = base_target(stem);
            if base != stem
                && !catalog.targets.contains_key(stem)
                && let Some(target) = catalog.targets.get(base).map(|target| target.form(stem))
            {
                catalog.targets.insert(stem.to_string(), target);
            }
            let Some(target) = catalog.targets.get(stem) else {
                let help = crate::error::did_you_mean(stem, catalog.targets.keys().map(String::as_str));
                let mut wrong =
                    source.complain(&(0..1), format!("there is no target `{stem}` (`targets/{stem}.yaml`)"));
                wrong.help = help;
                return Err(vec![wrong]);
            };
            let mapping = match target.dialect {
                Dialect::Tables => {
                    let table = Table::parse(source, root)?;
                    catalog.wrong.extend(table.wrong.iter().cloned());
                    named(&table.target.is, stem, "target")?;
                    Mapping::Table(table)
                }
                Dialect::Panther => {
                    let (schema, warnings) = panther::parse(source, root)?;
                    catalog.warnings.extend(warnings);
                    Mapping::Schema(schema)
                }
            };
            catalog.mappings.insert((folder.to_string(), stem.to_string()), mapping);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packed_trees_are_what_the_texts_say() {
        assert!(BUILT_IN.len() > 50, "{}", BUILT_IN.len());
        for (path, file) in BUILT_IN.iter().map(built_in) {
            let said = yaml::parse(&file.source).expect("the build read it");
            assert_eq!(file.tree().expect("packed"), said, "{path}");
        }
    }

    #[test]
    fn what_is_built_in_is_held_to_all_that_a_folder_is() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings");
        let given = load(&[&folder]).expect("mapping files");
        let said: Vec<String> = given.wrong.iter().map(ToString::to_string).collect();
        assert_eq!(said, [""; 0]);
        let names = |catalog: &Catalog| catalog.mappings.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&given), names(&load(&[]).expect("built in")));
    }
}
