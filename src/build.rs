//! Reads the built-in mapping files when the program is built: the trees of their YAML become part
//! of it, because reading the text at every start would cost more than all else that a start does.
//! A new or changed file builds the program anew; one that is no YAML ends the build.

#[allow(dead_code, reason = "the build needs the reader, and no other part of these modules")]
mod error;
#[allow(dead_code, reason = "the same")]
mod yaml;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    for path in ["mappings", "src/build.rs", "src/error.rs", "src/yaml.rs", "src/yaml"] {
        println!("cargo:rerun-if-changed={path}");
    }
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo")).join("mappings");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    let mut files = Vec::new();
    walk(&folder, &mut files);
    files.sort();
    let mut table = String::from("[");
    for (i, path) in files.iter().enumerate() {
        let name = path.strip_prefix(&folder).expect("below it").to_string_lossy().replace('\\', "/");
        let text = fs::read_to_string(path).expect("mapping files are UTF-8");
        let source = yaml::Source::new(&format!("mappings/{name}"), &text);
        let tree = yaml::parse(&source).unwrap_or_else(|wrong| {
            eprintln!("{}", error::Error::Mappings(wrong));
            std::process::exit(1);
        });
        fs::write(out.join(format!("{i}.tree")), yaml::tree::pack(&tree, &text))
            .expect("OUT_DIR is writable");
        // Not by where they stand now: a folder that was moved is built again without this program.
        let file = format!("concat!(env!(\"CARGO_MANIFEST_DIR\"), {:?})", format!("/mappings/{name}"));
        let packed = format!("concat!(env!(\"OUT_DIR\"), \"/{i}.tree\")");
        writeln!(table, "({name:?}, include_str!({file}), include_bytes!({packed})),").expect("a text");
    }
    table.push(']');
    fs::write(out.join("built_in.rs"), table).expect("OUT_DIR is writable");
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("mappings/ is readable") {
        let path = entry.expect("mappings/ is readable").path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|e| e == "yaml") {
            files.push(path);
        }
    }
}
