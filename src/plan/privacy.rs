//! What may be read in which content mode: a property of the Plan, not a filter behind it.

use crate::table::{Class, Path, Seg, SourceDef};

/// How much of conversation content leaves the program.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Content {
    /// Records of sources that bear content are dropped by rule.
    None,
    /// Only declared metadata and personal identifiers are read.
    #[default]
    Metadata,
    /// Everything.
    Full,
}

impl Content {
    pub const ALL: [Content; 3] = [Content::None, Content::Metadata, Content::Full];

    pub fn name(self) -> &'static str {
        match self {
            Content::None => "none",
            Content::Metadata => "metadata",
            Content::Full => "full",
        }
    }
}

/// What a row may do with a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Access {
    Read,
    /// Only its presence, its elements' number and an allow-listed copy.
    Inside,
    Denied,
}

/// The access to a path of a source in a content mode. In metadata mode, what a source that bears
/// content does not declare counts as content: a text field added upstream must not leak.
pub(super) fn access(def: Option<&SourceDef>, content: Content, path: &Path) -> Access {
    let Some(def) = def.filter(|d| d.bears_content() && content != Content::Full) else {
        return Access::Read;
    };
    let declared = def.classes.iter().find(|(p, _)| p.is == *path).map(|(_, class)| *class);
    match declared {
        Some(Class::Meta | Class::Pii) => Access::Read,
        Some(Class::Content) => Access::Denied,
        None if inside(def, path) => Access::Inside,
        None => Access::Denied,
    }
}

/// Something below the path is declared and is no content.
fn inside(def: &SourceDef, path: &Path) -> bool {
    def.classes.iter().any(|(p, class)| {
        *class != Class::Content
            && p.is.head == path.head
            && p.is.segs.len() > path.segs.len()
            && starts(&p.is.segs, &path.segs)
    })
}

fn starts(long: &[Seg], short: &[Seg]) -> bool {
    long[..short.len()] == *short
}
