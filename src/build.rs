//! Mapping files are embedded: a new or changed one builds the program anew.
fn main() {
    println!("cargo:rerun-if-changed=mappings");
}
