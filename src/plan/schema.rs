//! A Panther schema as a lane: the output path is the input path.

use super::privacy::{Access, access, tokens};
use super::shape::{Coerce, Field, Leaf, LeafType, List, Object, Origin, Part, Read, Shape};
use super::sources::PathScope;
use super::{Lane, PayloadView, ReadAt, Standard};
use crate::json::{NodeId, Want, push_step};
use crate::panther::{self, Schema, Type, Value};
use crate::table::{Head, Path, Seg};

struct Build<'a> {
    scope: &'a PathScope<'a>,
    want: &'a mut Want,
    leaves: Vec<String>,
    consumed: Vec<NodeId>,
    whole: Vec<NodeId>,
    withheld: Vec<String>,
    unpseudonymized: Vec<String>,
}

pub(super) fn compile(schema: &Schema, scope: &PathScope, want: &mut Want) -> Lane {
    let mut build = Build {
        scope,
        want,
        leaves: Vec::new(),
        consumed: Vec::new(),
        whole: Vec::new(),
        withheld: Vec::new(),
        unpseudonymized: Vec::new(),
    };
    let root = Path { head: Head::Root, name: String::new(), segs: Vec::new() };
    let fields = build.fields(&schema.fields, 0, &root, "", &[]);
    let Build { leaves, consumed: read, whole: copied, withheld, unpseudonymized, .. } = build;
    let (mut consumed, mut whole) = (vec![false; want.len()], vec![false; want.len()]);
    read.iter().for_each(|node| consumed[*node as usize] = true);
    copied.iter().for_each(|node| whole[*node as usize] = true);
    Lane {
        name: schema.name.clone(),
        root: Object::new(fields, None),
        each: None,
        leaves,
        ignored: vec![false; consumed.len()],
        consumed,
        whole,
        payload_view: PayloadView::Named,
        rules: None,
        standard: Some(Standard::new(&schema.name, schema.version)),
        expected_rate: None,
        withheld,
        unpseudonymized,
        presences: 0,
    }
}

impl Build<'_> {
    fn fields(
        &mut self,
        fields: &[panther::Field],
        parent: NodeId,
        path: &Path,
        shown: &str,
        lists: &[u16],
    ) -> Vec<Field> {
        let mut out = Vec::new();
        for field in fields {
            let node = self.want.child(parent, &field.name.is);
            let mut path = path.clone();
            path.segs.push(Seg::Key(field.name.is.clone()));
            let name = panther::stored_name(&field.name.is);
            let mut shown = shown.to_string();
            push_step(&name, &mut shown);
            let Some(shape) = self.shape(&field.value, node, &path, &shown, lists) else {
                continue;
            };
            out.push(Field::new(&name, shape, field.required, shown, self.want));
        }
        out
    }

    /// `None` when nothing of the value may be read.
    fn shape(
        &mut self,
        value: &Value,
        node: NodeId,
        path: &Path,
        shown: &str,
        lists: &[u16],
    ) -> Option<Shape> {
        let read = Read {
            at: ReadAt::Slot { slot: self.want.slot(node), node, lists: lists.into() },
            path: path.to_string(),
            // Pseudonyms are written by the type, which checks the value first.
            steps: [].into(),
        };
        match &value.ty {
            Type::Object(fields) => {
                let taken = |build: &Self| build.withheld.len() + build.unpseudonymized.len();
                let before = taken(self);
                let fields = self.fields(fields, node, path, shown, lists);
                if fields.is_empty() && taken(self) > before {
                    return None;
                }
                Some(Shape::Object(Object::new(fields, Some(read))))
            }
            Type::Array(element) => {
                let inner = self.want.element(node);
                let mut path = path.clone();
                path.segs.push(Seg::Each);
                let scope = self.want.element_scope(node).unwrap_or(0);
                let lists: Vec<u16> = lists.iter().copied().chain([scope]).collect();
                let element = self.shape(element, inner, &path, &format!("{shown}[]"), &lists)?;
                let part = Part::Each { list: read.clone(), scopes: [scope].into(), element: Box::new(element) };
                Some(Shape::List(List { parts: vec![part], strict: Some(read) }))
            }
            scalar => {
                let allowed = match access(self.scope.def, self.scope.mode, path) {
                    Access::Read => true,
                    Access::Inside => matches!(scalar, Type::Json),
                    Access::Denied => false,
                };
                if !allowed {
                    self.withheld.push(shown.to_string());
                    return None;
                }
                let takes_text = matches!(scalar, Type::Json | Type::String);
                if !takes_text && tokens(self.scope.def, self.scope.mode, path) {
                    self.unpseudonymized.push(shown.to_string());
                    return None;
                }
                self.consumed.push(node);
                if matches!(scalar, Type::Json) {
                    self.whole.push(node);
                }
                let coerce = match scalar {
                    Type::Int { min, max } => Coerce::Int { min: *min, max: *max },
                    Type::Float => Coerce::Float,
                    Type::Boolean => Coerce::Boolean,
                    Type::Timestamp(formats) => Coerce::Timestamp {
                        formats: self.scope.mode.formats(formats),
                        is_event_time: value.is_event_time,
                    },
                    Type::Json => Coerce::Json,
                    _ => Coerce::String {
                        indicators: value.indicators.clone(),
                        validate: value.validate.clone(),
                    },
                };
                self.leaves.push(shown.to_string());
                Some(Shape::Leaf(vec![Leaf {
                    counter: self.leaves.len() as u32 - 1,
                    origin: Origin::Reads(vec![read]),
                    when: None,
                    ty: LeafType::Panther(coerce),
                    list: None,
                    distinct: false,
                    label: None,
                    plain: false,
                    gives_type: false,
                }]))
            }
        }
    }
}
