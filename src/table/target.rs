//! `mappings/targets/*.yaml`: the closed, typed list of a target's fields in output order.

use std::collections::HashSet;
use std::sync::Arc;

use foldhash::fast::FixedState;
use foldhash::{HashMap, HashMapExt};
use indexmap::IndexMap;
use smol_str::SmolStr;

use super::{At, Seg, each_text, need_map, need_text, one_text, only_keys, parse_target_path, texts};
use crate::error::{Diagnostic, did_you_mean};
use crate::yaml::{Complaints, Key, Node, Source};

/// What the mapping files of a target are written in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    Tables,
    Panther,
}

#[derive(Clone, Debug)]
pub struct TargetDef {
    pub at: Source,
    pub name: String,
    pub description: String,
    pub dialect: Dialect,
    root: Arc<str>,
    types: Types,
    enums: HashMap<String, Arc<Values>>,
    /// Paths every event must have.
    pub required: Vec<String>,
    /// Paths no table may fill, as written.
    pub forbidden: Vec<String>,
    pub max_bytes: HashMap<String, usize>,
    /// The field that the rules below speak of.
    pub event_type: Option<String>,
    pub generic: Option<String>,
    /// What is tried, in order, when an event lacks what its type needs.
    pub fallback: Vec<String>,
    pub rules: HashMap<String, Vec<Need>>,
    /// Fields that the settings of a run fill, by the name of the setting.
    pub settings: HashMap<String, At<Vec<Seg>>>,
}

type Types = IndexMap<String, IndexMap<SmolStr, FieldType, FixedState>, FixedState>;

/// The values of an enum.
pub type Values = HashSet<SmolStr, FixedState>;

/// The settings of a run that a target can have a field for.
pub const SETTINGS: &[&str] = &["site", "timezone"];

/// One of these paths must be present.
pub type Need = Vec<String>;

#[derive(Clone, Debug)]
pub struct FieldType {
    pub base: Base,
    pub repeated: bool,
    /// A map from any text to `base`.
    pub map: bool,
    pub deprecated: bool,
}

impl FieldType {
    fn one(base: Base) -> FieldType {
        FieldType { base, repeated: false, map: false, deprecated: false }
    }
}

#[derive(Clone, PartialEq, Debug)]
pub enum Base {
    String,
    /// Smallest and largest value, and whether JSON spells it as a string.
    Int {
        min: i64,
        max: u64,
        quoted: bool,
    },
    Float,
    Bool,
    Bytes,
    /// An IP address of either family.
    Ip,
    Time,
    Duration,
    /// Any JSON object.
    Object,
    Enum(Arc<str>),
    Message(Arc<str>),
    /// Below an object: any JSON value.
    Any,
}

/// One step of a path that was found in the target.
#[derive(Clone, Debug)]
pub struct TargetSeg {
    pub key: SmolStr,
    /// The field's place among its siblings; dynamic keys come in the order of the table.
    pub order: Option<usize>,
    pub field: FieldType,
    /// `[]` or `[n]` behind the key.
    pub index: Option<Seg>,
}

const KEYS: &[&str] = &[
    "target",
    "description",
    "dialect",
    "root",
    "generic",
    "event_type",
    "required",
    "max_bytes",
    "forbidden",
    "fallback",
    "rules",
    "types",
    "enums",
    "deprecated",
    "settings",
];

impl TargetDef {
    pub fn parse(at: &Source, root: &Node) -> Result<TargetDef, Vec<Diagnostic>> {
        let mut out = Complaints::new(at);
        let def = read(at, root, &mut out);
        match def {
            Some(def) if out.list.is_empty() => Ok(def),
            _ => Err(out.list),
        }
    }

    /// The same target under the name of a further form of its events, as `target.form`.
    pub fn form(&self, name: &str) -> TargetDef {
        let form = name.split_once('.').map_or(name, |(_, form)| form);
        let description = format!("{}, one table more: {form}", self.description);
        TargetDef { name: name.to_string(), description, ..self.clone() }
    }

    /// Finds a path, or says which step is wrong and what was probably meant.
    pub fn resolve(&self, segs: &[Seg]) -> Result<Vec<TargetSeg>, (String, Option<String>)> {
        let mut found = Vec::with_capacity(segs.len());
        let mut here = Some(FieldType::one(Base::Message(self.root.clone())));
        let mut i = 0;
        while i < segs.len() {
            let Seg::Key(key) = &segs[i] else {
                return Err(("a path begins with a key".into(), None));
            };
            let parent = here.take();
            let index = segs.get(i + 1).filter(|s| !matches!(s, Seg::Key(_))).cloned();
            let (order, field) = match parent.as_ref().map(|p| (&p.base, p.map)) {
                Some((base, true)) => (None, FieldType::one(base.clone())),
                Some((Base::Message(name), false)) => {
                    match self.types.get(&**name).and_then(|t| t.get_full(key)) {
                        Some((order, _, field)) => (Some(order), field.clone()),
                        None => return Err(self.unknown_key(name, segs, i, &found)),
                    }
                }
                Some((Base::Object | Base::Any, false)) => (None, FieldType::one(Base::Any)),
                _ => {
                    let above = found.last().map_or("", |s: &TargetSeg| s.key.as_str());
                    return Err((format!("`{above}` is a scalar and has no field `{key}`"), None));
                }
            };
            if index.is_some() && !field.repeated && field.base != Base::Any {
                return Err((format!("`{key}` is not repeated: no brackets"), None));
            }
            i += 1 + index.is_some() as usize;
            here = Some(field.clone());
            found.push(TargetSeg { key: key.clone(), order, field, index });
        }
        Ok(found)
    }

    fn unknown_key(
        &self,
        type_name: &str,
        segs: &[Seg],
        i: usize,
        found: &[TargetSeg],
    ) -> (String, Option<String>) {
        let written = written(segs);
        let Seg::Key(wrong) = &segs[i] else {
            return (written, None);
        };
        let fields = self.types.get(type_name);
        let names = fields.iter().flat_map(|f| f.keys().map(SmolStr::as_str));
        // Only a suggestion that holds to its end is worth printing.
        let mut scored: Vec<(f64, &str)> = names
            .map(|n| (strsim::jaro_winkler(&wrong.to_lowercase(), &n.to_lowercase()), n))
            .filter(|(score, _)| *score > 0.75)
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        let whole = scored.iter().find_map(|(_, name)| {
            let mut fixed = segs.to_vec();
            fixed[i] = Seg::Key((*name).into());
            match self.resolve(&fixed) {
                Ok(_) => Some(self::written(&fixed)),
                Err((_, Some(help))) => help.split('`').nth(1).map(str::to_string),
                Err(_) => None,
            }
        });
        // The very same key one message deeper is a better guess than a similar one here.
        let whole = self.elsewhere(wrong, found).or(whole).filter(|path| !self.forbidden.contains(path));
        let message =
            format!("unknown field `{written}` of target `{}`: `{type_name}` has no `{wrong}`", self.name);
        (message, whole.map(|name| format!("did you mean `{name}`?")))
    }

    /// The same key one message deeper, as in `principal.email_addresses` for
    /// `principal.user.email_addresses`.
    fn elsewhere(&self, key: &str, found: &[TargetSeg]) -> Option<String> {
        let parent = match found.last().map(|s| &s.field.base) {
            Some(Base::Message(name)) => &**name,
            None => &self.root,
            _ => return None,
        };
        let mut path: Vec<SmolStr> = found.iter().map(|s| s.key.clone()).collect();
        for (name, field) in self.types.get(parent)? {
            if let Base::Message(inner) = &field.base
                && self.types.get(&**inner).is_some_and(|t| t.contains_key(key))
            {
                path.extend([name.clone(), key.into()]);
                return Some(path.join("."));
            }
        }
        None
    }

    /// The named type has the fields of a label.
    pub fn is_label(&self, base: &Base) -> bool {
        let Base::Message(name) = base else {
            return false;
        };
        self.types.get(&**name).is_some_and(|t| t.contains_key("key") && t.contains_key("value"))
    }

    pub fn enum_values(&self, name: &str) -> Option<&Arc<Values>> {
        self.enums.get(name)
    }

    pub fn root(&self) -> &str {
        &self.root
    }

    /// Numbers of types, fields and enums.
    pub fn size(&self) -> (usize, usize, usize) {
        (self.types.len(), self.types.values().map(|t| t.len()).sum(), self.enums.len())
    }
}

fn written(segs: &[Seg]) -> String {
    let mut text = String::new();
    for seg in segs {
        match seg {
            Seg::Key(key) => crate::json::push_step(key, &mut text),
            Seg::Each => text.push_str("[]"),
            Seg::At(n) => text.push_str(&format!("[{n}]")),
        }
    }
    text
}

fn read(at: &Source, root: &Node, out: &mut Complaints) -> Option<TargetDef> {
    if root.map().is_none() {
        out.add(&root.span, "a target is a map of keys");
        return None;
    }
    only_keys(root, "a target", KEYS, out);
    let name = need_text(root, "a target", "target", out)?;
    let text = |key: &str| root.get(key).and_then(Node::text).map(str::to_string);
    let dialect = match text("dialect").as_deref() {
        None | Some("tables") => Dialect::Tables,
        Some("panther") => Dialect::Panther,
        Some(other) => {
            out.unknown(&root.get("dialect")?.span, "dialect", other, &["tables", "panther"]);
            return None;
        }
    };
    let mut def = TargetDef {
        at: at.clone(),
        name: name.is,
        description: text("description").unwrap_or_default(),
        dialect,
        root: text("root").unwrap_or_default().into(),
        types: Types::default(),
        enums: HashMap::new(),
        required: Vec::new(),
        forbidden: Vec::new(),
        max_bytes: HashMap::new(),
        event_type: text("event_type"),
        generic: text("generic"),
        fallback: Vec::new(),
        rules: HashMap::new(),
        settings: HashMap::new(),
    };
    if dialect == Dialect::Panther {
        return Some(def);
    }
    for (key, values) in map_of(root, "enums", out) {
        let values: Values = each_text(values, out).map(|(text, _)| SmolStr::new(text)).collect();
        def.enums.insert(key.text.to_string(), values.into());
    }
    let errors = out.list.len();
    read_types(root, &mut def, out);
    if out.list.len() > errors {
        // Paths through types that were not understood would only be complained of again.
        return None;
    }
    let list = |key: &str, out: &mut Complaints| root.get(key).map(|n| texts(n, out)).unwrap_or_default();
    for field in list("deprecated", out) {
        let found = field.is.split_once('.').and_then(|(ty, key)| def.types.get_mut(ty)?.get_mut(key));
        found.into_iter().for_each(|field| field.deprecated = true);
    }
    def.required = checked_paths(&def, list("required", out), out);
    def.forbidden = checked_paths(&def, list("forbidden", out), out);
    def.fallback = list("fallback", out).into_iter().map(|t| t.is).collect();
    for (key, value) in map_of(root, "max_bytes", out) {
        match value.text().and_then(|t| t.parse().ok()) {
            Some(n) => {
                checked_paths(&def, vec![At::new(key.text.to_string(), key.span.clone())], out);
                def.max_bytes.insert(key.text.to_string(), n);
            }
            None => {
                out.add(&value.span, "a number of bytes");
            }
        }
    }
    for (key, value) in map_of(root, "settings", out) {
        if !SETTINGS.contains(&&*key.text) {
            out.unknown(&key.span, "setting of a run", &key.text, SETTINGS);
        } else if let Some(path) = one_text(value, out) {
            let path = checked_paths(&def, vec![path], out).remove(0);
            let segs = parse_target_path(&path).unwrap_or_default();
            let base =
                def.resolve(&segs).ok().and_then(|found| found.last().map(|seg| seg.field.base.clone()));
            if base.is_some_and(|base| !matches!(base, Base::String | Base::Any)) {
                out.add(&value.span, format!("a setting is a text, and `{path}` is none"));
                continue;
            }
            def.settings.insert(key.text.to_string(), At::new(segs, value.span.clone()));
        }
    }
    for (key, needs) in map_of(root, "rules", out) {
        let mut list = Vec::new();
        let Some(needed) = needs.list() else {
            out.add(&needs.span, format!("a list of needs, not {}", needs.what()));
            continue;
        };
        for need in needed {
            let any = texts(need, out);
            list.push(checked_paths(&def, any, out));
        }
        def.rules.insert(key.text.to_string(), list);
    }
    check_event_types(root, &def, out);
    Some(def)
}

fn map_of<'a>(root: &'a Node, key: &str, out: &mut Complaints) -> &'a [(Key, Node)] {
    root.get(key).and_then(|node| need_map(node, key, out)).unwrap_or_default()
}

fn read_types(root: &Node, def: &mut TargetDef, out: &mut Complaints) {
    let Some(types) = root.get("types").and_then(Node::map) else {
        out.add(&(root.span.start..root.span.start + 1), "a target needs `types`");
        return;
    };
    let names: HashSet<&str> = types.iter().map(|(k, _)| &*k.text).collect();
    for (key, fields) in types {
        let mut read = IndexMap::default();
        for (field, ty) in need_map(fields, &key.text, out).unwrap_or_default() {
            let (inner, repeated, map) = match (ty.list(), ty.map()) {
                (Some([one]), _) => (one, true, false),
                (_, Some([(_, value)])) => (value, false, true),
                _ => (ty, false, false),
            };
            let Some(name) = inner.text() else {
                out.add(&ty.span, "a type: name, [name] (repeated) or {string: name} (map)");
                continue;
            };
            let base = match scalar(name) {
                Some(base) => base,
                None if names.contains(name) => Base::Message(name.into()),
                None if def.enums.contains_key(name) => Base::Enum(name.into()),
                None => {
                    let enums = def.enums.keys().map(String::as_str);
                    let help = did_you_mean(name, types.iter().map(|(k, _)| &*k.text).chain(enums));
                    out.add(&inner.span, format!("unknown type `{name}`")).help = help;
                    continue;
                }
            };
            read.insert(SmolStr::new(&field.text), FieldType { base, repeated, map, deprecated: false });
        }
        def.types.insert(key.text.to_string(), read);
    }
    if !def.types.contains_key(&*def.root) {
        let span = root.get("root").map_or(root.span.start..root.span.start + 1, |n| n.span.clone());
        out.add(&span, format!("`root` names a type: there is no `{}`", def.root));
    }
}

fn scalar(name: &str) -> Option<Base> {
    let int = |min: i64, max: u64, quoted| Base::Int { min, max, quoted };
    Some(match name {
        "string" => Base::String,
        "int32" => int(i32::MIN as i64, i32::MAX as u64, false),
        "uint32" => int(0, u32::MAX as u64, false),
        "int64" => int(i64::MIN, i64::MAX as u64, true),
        "uint64" => int(0, u64::MAX, true),
        "float" | "double" => Base::Float,
        "bool" => Base::Bool,
        "bytes" => Base::Bytes,
        "ip" => Base::Ip,
        "time" => Base::Time,
        "duration" => Base::Duration,
        "object" => Base::Object,
        _ => return None,
    })
}

fn checked_paths(def: &TargetDef, paths: Vec<At<String>>, out: &mut Complaints) -> Vec<String> {
    for path in &paths {
        let found =
            parse_target_path(&path.is).map_err(|(_, m)| (m, None)).and_then(|segs| def.resolve(&segs));
        if let Err((message, help)) = found {
            out.add(&path.span, message).help = help;
        }
    }
    paths.into_iter().map(|p| p.is).collect()
}

/// The names in `rules`, `fallback` and `generic` are values of the event type's enum.
fn check_event_types(root: &Node, def: &TargetDef, out: &mut Complaints) {
    let Some(event_type) = &def.event_type else {
        return;
    };
    let found = parse_target_path(event_type).ok().and_then(|segs| def.resolve(&segs).ok());
    let Some(Base::Enum(name)) = found.and_then(|f| f.last().map(|s| s.field.base.clone())) else {
        let span = root.get("event_type").map_or(0..1, |n| n.span.clone());
        out.add(&span, "`event_type` names a field whose type is an enum");
        return;
    };
    let values = &def.enums[&*name];
    let mut check = |text: &str, span: &std::ops::Range<usize>| {
        if !values.contains(text) {
            let help = did_you_mean(text, values.iter().map(SmolStr::as_str));
            out.add(span, format!("`{text}` is no value of {name}")).help = help;
        }
    };
    for (key, _) in root.get("rules").and_then(Node::map).unwrap_or_default() {
        check(&key.text, &key.span);
    }
    for node in [root.get("fallback"), root.get("generic")].into_iter().flatten() {
        for item in node.list().unwrap_or(std::slice::from_ref(node)) {
            check(item.text().unwrap_or_default(), &item.span);
        }
    }
}
