//! The classes that a source declares, by path. Knows what is declared of a path, above it and
//! below it, and nothing of what a mode makes of that.

use foldhash::HashMap;

use super::privacy::payload_part;
use crate::table::{Class, Head, Path, Seg, SourceDef};

/// The declarations as trees, so that a path is looked up in its own length.
#[derive(Default)]
pub(super) struct Classes {
    /// See [`SourceDef::bears_content`].
    pub(super) content: bool,
    /// By where a path begins: the head, and the name behind it.
    own: HashMap<(Head, String), Tree>,
    /// Of the payload of one kind, by its key with dots as underscores.
    kinds: HashMap<String, Tree>,
}

#[derive(Default)]
struct Tree {
    class: Option<Class>,
    /// Something below is declared and is no content.
    shows: bool,
    below: HashMap<Seg, Tree>,
}

/// What is declared of a path.
#[derive(Default)]
pub(super) struct Declared {
    /// Its own class: the strictest of what is declared for it.
    pub(super) class: Option<Class>,
    /// It, or a path above it, has this class.
    pub(super) secret: bool,
    pub(super) pii: bool,
    /// Something below it is declared and is no content.
    pub(super) shows: bool,
}

impl Classes {
    pub(super) fn new(def: &SourceDef) -> Classes {
        let mut classes = Classes { content: def.bears_content(), ..Classes::default() };
        for (path, class) in &def.classes {
            let Path { head, name, segs } = &path.is;
            classes.own.entry((*head, name.clone())).or_default().declare(segs, *class);
            // The payloads of all kinds are read as one.
            if let Some((key, inside)) = payload_part(&path.is).filter(|_| def.payload.is_some()) {
                classes.own.entry((Head::Payload, String::new())).or_default().declare(inside, *class);
                classes.kinds.entry(key.replace('.', "_")).or_default().declare(inside, *class);
            }
        }
        classes
    }

    pub(super) fn of(&self, path: &Path) -> Declared {
        let mut declared = Declared::default();
        let mut own = self.own.get(&(path.head, path.name.clone()));
        let mut kind = None;
        declared.meet(own, kind);
        for (i, seg) in path.segs.iter().enumerate() {
            own = own.and_then(|tree| tree.below.get(seg));
            kind = match seg {
                Seg::Key(key) if i == 0 && path.head == Head::Root && !self.kinds.is_empty() => {
                    self.kinds.get(&key.replace('.', "_"))
                }
                seg => kind.and_then(|tree: &Tree| tree.below.get(seg)),
            };
            declared.meet(own, kind);
        }
        declared.shows = own.is_some_and(|tree| tree.shows);
        declared
    }
}

impl Declared {
    /// One step further down, as the path itself and as one of a payload.
    fn meet(&mut self, own: Option<&Tree>, kind: Option<&Tree>) {
        self.class = own.and_then(|tree| tree.class).max(kind.and_then(|tree| tree.class));
        self.secret |= self.class == Some(Class::Secret);
        self.pii |= self.class == Some(Class::Pii);
    }
}

impl Tree {
    fn declare(&mut self, segs: &[Seg], class: Class) {
        let mut tree = self;
        for seg in segs {
            tree.shows |= matches!(class, Class::Meta | Class::Pii);
            if !tree.below.contains_key(seg) {
                tree.below.insert(seg.clone(), Tree::default());
            }
            tree = tree.below.get_mut(seg).expect("just put there");
        }
        tree.class = tree.class.max(Some(class));
    }
}
