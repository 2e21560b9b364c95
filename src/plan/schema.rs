//! A Panther schema as a lane: the output path is the input path, but where a transformation says
//! otherwise.

mod core;
mod drawn;

use super::privacy::{Access, Content, access, tokens};
use super::shape::{
    Coerce, Discovery, Embedded, Field, Leaf, LeafType, List, Object, Origin, Part, Read, Shape,
};
use super::sources::PathScope;
use super::{Draft, Events, Form, Lane, PayloadView, ReadAt, Standard};
use crate::error::Diagnostic;
use crate::json::{NodeId, Want, push_quoted, push_step};
use crate::ops::Step;
use crate::panther::{self, Parser, Schema, Type, Value};
use crate::table::{Head, Path, Seg};
use drawn::Drawn;

struct Build<'a> {
    scope: &'a PathScope<'a>,
    want: &'a mut Want,
    form: Form,
    discover: bool,
    leaves: Vec<String>,
    consumed: Vec<NodeId>,
    whole: Vec<NodeId>,
    withheld: Vec<String>,
    unpseudonymized: Vec<String>,
    embedded: Embedded,
}

/// An object of the record whose fields are compiled.
#[derive(Clone, Debug)]
struct Place {
    node: NodeId,
    path: Path,
    /// Its path in the output.
    shown: String,
    /// Scopes of the lists around it.
    lists: Vec<u16>,
}

/// A schema that cannot be run, for a reason that its text alone does not show.
pub(super) fn unsupported(schema: &Schema) -> Option<Diagnostic> {
    let Parser::Script(name) = &schema.parser else { return None };
    let message = format!("the parser `{}` is a program in Starlark, and no programs are run", name.is);
    let mut wrong = schema.at.complain(&name.span, message);
    wrong.help = Some("csv, fastmatch and regex take lines apart without a program".into());
    Some(wrong)
}

pub(super) fn compile(schema: &Schema, events: &Events, scope: &PathScope, want: &mut Want) -> Draft {
    let filtered = scope.mode.content != Content::Full && scope.def.is_some_and(|d| d.bears_content());
    let mut build = Build {
        scope,
        want,
        form: events.form,
        // An undeclared path of a source that bears content counts as content.
        discover: (events.discover || schema.discovery) && !filtered,
        leaves: Vec::new(),
        consumed: Vec::new(),
        whole: Vec::new(),
        withheld: Vec::new(),
        unpseudonymized: Vec::new(),
        embedded: Embedded::default(),
    };
    let path = Path { head: Head::Root, name: String::new(), segs: Vec::new() };
    let place = Place { node: 0, path, shown: String::new(), lists: Vec::new() };
    let mut root = build.object(&schema.fields, &place, None);
    if let Some(discovery) = &mut root.discovery {
        discovery.root = true;
    }
    let core = build.core(schema, &place);
    let Build { leaves, consumed, whole, withheld, unpseudonymized, embedded, discover, .. } = build;
    let lane = Lane {
        name: schema.name.clone(),
        root,
        each: None,
        leaves,
        ignored: Vec::new(),
        consumed: Vec::new(),
        whole: Vec::new(),
        payload_view: PayloadView::Named,
        rules: None,
        standard: Some(standard(schema, events, core)),
        text: schema.text.clone(),
        expected_rate: None,
        withheld,
        unpseudonymized,
        presences: 0,
        embedded: (!embedded.is_empty()).then_some(embedded),
        discovers: discover,
    };
    Draft { lane, consumed, whole }
}

fn standard(schema: &Schema, events: &Events, core: Option<Object>) -> Standard {
    let mut head = b",\"p_log_type\":".to_vec();
    push_quoted(&schema.name, &mut head);
    head.extend_from_slice(b",\"p_row_id\":\"");
    // Panther's test files were written before there was a version.
    let mut tail = match events.form {
        Form::Stored => format!("\",\"p_schema_version\":{}", schema.version).into_bytes(),
        Form::Test => b"\"".to_vec(),
    };
    for (key, value) in [("p_source_id", &events.source_id), ("p_source_label", &events.source_label)] {
        if let Some(value) = value.as_ref().filter(|v| !v.is_empty()) {
            tail.extend_from_slice(format!(",\"{key}\":").as_bytes());
            push_quoted(value, &mut tail);
        }
    }
    let (form, content_ids) = (events.form, events.deterministic);
    Standard { head: head.into(), tail: tail.into(), form, core, content_ids }
}

impl Build<'_> {
    /// The object at `place`; `strict` where it is a value that must be an object.
    fn object(&mut self, fields: &[panther::Field], place: &Place, strict: Option<Box<Read>>) -> Object {
        let mut out = Vec::new();
        for field in fields {
            let drawn = self.drawn(field, fields, place);
            let name = self.name(&field.name.is);
            let mut shown = place.shown.clone();
            push_step(&name, &mut shown);
            let Some(shape) = self.shape(&field.value, &drawn, &shown, &place.lists) else {
                continue;
            };
            out.push(Field::new(&name, shape, field.required, shown));
        }
        let discovery = self.discover.then(|| {
            Box::new(Discovery {
                read: fields.iter().filter_map(drawn::key_read).map(str::to_string).collect(),
                taken: fields.iter().map(|f| self.name(&f.name.is)).collect(),
                form: self.form,
                root: false,
            })
        });
        Object { discovery, ..Object::new(out, strict) }
    }

    /// What a field is called in the output.
    fn name(&self, name: &str) -> String {
        match self.form {
            Form::Stored => panther::stored_name(name),
            Form::Test => name.to_string(),
        }
    }

    /// `None` when nothing of the value may be read.
    fn shape(&mut self, value: &Value, drawn: &Drawn, shown: &str, lists: &[u16]) -> Option<Shape> {
        let (node, path) = drawn.one();
        if value.embedded {
            self.embedded.mark(&path.segs, &path.to_string());
            self.consumed.push(node);
        }
        match &value.ty {
            Type::Object(fields) => {
                let place = Place { node, path: path.clone(), shown: shown.into(), lists: lists.into() };
                let taken = |build: &Self| build.withheld.len() + build.unpseudonymized.len();
                let before = taken(self);
                let object = self.object(fields, &place, Some(Box::new(self.read(node, path, lists, &[]))));
                if object.fields.is_empty() && taken(self) > before {
                    return None;
                }
                Some(Shape::Object(object))
            }
            Type::Array(element) => {
                let inner = self.want.element(node);
                let mut below = path.clone();
                below.segs.push(Seg::Each);
                let scope = self.want.element_scope(node).unwrap_or(0);
                let inside: Vec<u16> = lists.iter().copied().chain([scope]).collect();
                let drawn_inside = Drawn::of(inner, below, drawn.steps.clone());
                let element = match &element.ty {
                    // Nothing is collected from the lists of a list.
                    Type::Array(texts) if !texts.indicators.is_empty() => &Value {
                        ty: Type::Array(Box::new(Value { indicators: Vec::new(), ..(**texts).clone() })),
                        ..(**element).clone()
                    },
                    _ => element,
                };
                let element = self.shape(element, &drawn_inside, &format!("{shown}[]"), &inside)?;
                let read = self.read(node, path, lists, &[]);
                let part =
                    Part::Each { list: read.clone(), scopes: [scope].into(), element: Box::new(element) };
                Some(Shape::List(List { parts: vec![part], strict: Some(Box::new(read)) }))
            }
            _ => {
                if !self.admitted(value, drawn, shown) {
                    return None;
                }
                Some(Shape::Leaf(vec![self.leaf(value, drawn, shown, lists)]))
            }
        }
    }

    /// Whether the value may leave; noted where it may not.
    fn admitted(&mut self, value: &Value, drawn: &Drawn, shown: &str) -> bool {
        let text = matches!(value.ty, Type::Json | Type::String);
        let whole = matches!(value.ty, Type::Json) && drawn.is_plain();
        let mode = self.scope.mode;
        let may_read = drawn.reads.iter().all(|(_, path)| match access(self.scope.classes, mode, path) {
            Access::Read => true,
            Access::Inside => whole,
            Access::Denied => false,
        });
        if !may_read {
            self.withheld.push(shown.to_string());
        } else if !text && self.is_pseudonym(drawn) {
            self.unpseudonymized.push(shown.to_string());
            return false;
        }
        may_read
    }

    fn is_pseudonym(&self, drawn: &Drawn) -> bool {
        drawn.reads.iter().any(|(_, path)| tokens(self.scope.classes, self.scope.mode, path))
    }

    /// The steps over what was read. Values as they stand become pseudonyms when they are written.
    fn steps(&self, drawn: &Drawn) -> Vec<Step> {
        let mut steps = drawn.steps.clone();
        let masked = matches!(steps.last(), Some(Step::Redact(_)));
        if let Some(pseudonyms) = &self.scope.mode.pseudonyms
            && !drawn.is_plain()
            && !masked
            && self.is_pseudonym(drawn)
        {
            steps.push(Step::Pseudonym(pseudonyms.clone()));
        }
        steps
    }

    fn leaf(&mut self, value: &Value, drawn: &Drawn, shown: &str, lists: &[u16]) -> Leaf {
        self.consumed.extend(drawn.reads.iter().map(|(node, _)| *node));
        if matches!(value.ty, Type::Json) {
            self.whole.push(drawn.one().0);
        }
        self.leaves.push(shown.to_string());
        let steps = self.steps(drawn);
        let origin = match &drawn.join {
            None => {
                let (node, path) = drawn.one();
                Origin::Reads(vec![self.read(node, path, lists, &steps)])
            }
            Some(by) => Origin::Joined {
                reads: drawn.reads.iter().map(|(node, path)| self.read(*node, path, lists, &[])).collect(),
                by: by.clone(),
                steps: steps.into(),
            },
        };
        Leaf {
            counter: self.leaves.len() as u32 - 1,
            origin,
            when: None,
            ty: LeafType::Panther(self.coerce(value)),
            list: None,
            distinct: false,
            label: None,
            plain: false,
            gives_type: false,
            settled: false,
        }
    }

    fn coerce(&self, value: &Value) -> Coerce {
        match &value.ty {
            Type::Int { min, max } => Coerce::Int { min: *min, max: *max },
            Type::Float => Coerce::Float,
            Type::Boolean => Coerce::Boolean,
            Type::Timestamp(formats) => Coerce::Timestamp {
                formats: self.scope.mode.formats(formats),
                is_event_time: value.is_event_time,
                // Of several formats none is the field's own.
                own_form: self.form == Form::Test && formats.len() == 1,
            },
            Type::Json => Coerce::Json,
            _ => Coerce::String { indicators: value.indicators.clone(), validate: value.validate.clone() },
        }
    }

    fn read(&self, node: NodeId, path: &Path, lists: &[u16], steps: &[Step]) -> Read {
        Read {
            at: ReadAt::Slot { slot: self.want.slot(node), node, lists: lists.into() },
            path: path.to_string(),
            steps: steps.into(),
        }
    }
}
