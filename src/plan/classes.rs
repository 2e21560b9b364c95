//! The classes that a source declares, by path. Knows what is declared of a path, above it and
//! below it, and nothing of what a mode makes of that.

use super::privacy::payload_part;
use crate::json;
use crate::table::{Class, Head, Path, Seg, SourceDef};

/// The declarations as trees, so that a path is looked up in its own length.
pub(super) struct Classes<'a> {
    /// See [`SourceDef::bears_content`].
    pub(super) content: bool,
    /// By where a path begins: the head, and the name behind it.
    own: Vec<((Head, &'a str), TreeAt)>,
    /// Of the payload of one kind, by its key.
    kinds: Vec<(&'a str, TreeAt)>,
    /// All trees.
    all: Vec<Tree<'a>>,
}

/// A place among all trees.
type TreeAt = u32;

/// Few have many branches: those are gone through one by one.
struct Tree<'a> {
    class: Option<Class>,
    /// Something below is declared and is no content.
    shows: bool,
    /// The step that leads here from the tree around it; none leads to a root.
    step: Option<&'a Seg>,
    /// Of the step: tells most of them apart at a glance.
    glance: u32,
    /// The first branch, and the one behind this.
    below: Option<TreeAt>,
    next: Option<TreeAt>,
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

impl<'a> Classes<'a> {
    pub(super) fn new(def: &'a SourceDef) -> Classes<'a> {
        let (own, kinds) = (Vec::new(), Vec::new());
        let all = Vec::with_capacity(2 * def.classes.len());
        let mut classes = Classes { content: def.bears_content(), own, kinds, all };
        for (path, class) in &def.classes {
            let Path { head, name, segs } = &path.is;
            classes.declare((*head, name), segs, *class);
            // The payloads of all kinds are read as one.
            if let Some((key, inside)) = payload_part(&path.is).filter(|_| def.payload.is_some()) {
                classes.declare((Head::Payload, ""), inside, *class);
                let root = classes.kind(key).unwrap_or_else(|| {
                    let root = plant(&mut classes.all, None);
                    classes.kinds.push((key, root));
                    root
                });
                classes.grow(root, inside, *class);
            }
        }
        classes
    }

    pub(super) fn of(&self, path: &Path) -> Declared {
        let mut declared = Declared::default();
        let mut own = self.begin((path.head, &path.name));
        let mut kind = None;
        declared.meet(self.tree(own), self.tree(kind));
        for (i, seg) in path.segs.iter().enumerate() {
            own = own.and_then(|at| self.branch(at, seg));
            kind = match seg {
                Seg::Key(key) if i == 0 && path.head == Head::Root => self.kind(key),
                seg => kind.and_then(|at| self.branch(at, seg)),
            };
            declared.meet(self.tree(own), self.tree(kind));
        }
        declared.shows = self.tree(own).is_some_and(|tree| tree.shows);
        declared
    }

    fn tree(&self, at: Option<TreeAt>) -> Option<&Tree<'a>> {
        Some(&self.all[at? as usize])
    }

    fn begin(&self, begin: (Head, &str)) -> Option<TreeAt> {
        self.own.iter().find(|(at, _)| *at == begin).map(|(_, root)| *root)
    }

    /// The payload of a kind goes by its key with underscores for dots, too.
    fn kind(&self, key: &str) -> Option<TreeAt> {
        let folded = |byte: u8| if byte == b'.' { b'_' } else { byte };
        let same =
            |known: &str| known.len() == key.len() && known.bytes().map(folded).eq(key.bytes().map(folded));
        self.kinds.iter().find(|(known, _)| same(known)).map(|(_, root)| *root)
    }

    fn branch(&self, tree: TreeAt, seg: &Seg) -> Option<TreeAt> {
        let (glance, mut branch) = (glance(seg), self.all[tree as usize].below);
        while let Some(at) = branch {
            let tree = &self.all[at as usize];
            if tree.glance == glance && tree.step == Some(seg) {
                break;
            }
            branch = tree.next;
        }
        branch
    }

    fn declare(&mut self, begin: (Head, &'a str), segs: &'a [Seg], class: Class) {
        let root = self.begin(begin).unwrap_or_else(|| {
            let root = plant(&mut self.all, None);
            self.own.push((begin, root));
            root
        });
        self.grow(root, segs, class);
    }

    fn grow(&mut self, root: TreeAt, segs: &'a [Seg], class: Class) {
        let mut at = root;
        for seg in segs {
            self.all[at as usize].shows |= matches!(class, Class::Meta | Class::Pii);
            at = self.branch(at, seg).unwrap_or_else(|| {
                let new = plant(&mut self.all, Some(seg));
                self.all[new as usize].next = self.all[at as usize].below.replace(new);
                new
            });
        }
        let tree = &mut self.all[at as usize];
        tree.class = tree.class.max(Some(class));
    }
}

fn plant<'a>(all: &mut Vec<Tree<'a>>, step: Option<&'a Seg>) -> TreeAt {
    let glance = step.map_or(0, glance);
    all.push(Tree { class: None, shows: false, step, glance, below: None, next: None });
    all.len() as TreeAt - 1
}

fn glance(step: &Seg) -> u32 {
    match step {
        Seg::Key(key) => json::glance(key),
        Seg::Each | Seg::At(_) => 0,
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
