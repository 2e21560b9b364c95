//! Sources: paths to slots, and the rules by which records are recognised.

use std::collections::BTreeSet;

use super::classes::Classes;
use super::privacy::{Access, Content, Deeds, Mode, access, nodes, payload_part, tokens};
use super::{Check, Payload, Read, ReadAt, Request, Rule, SourcePlan, Steps};
use crate::catalog::Catalog;
use crate::error::Diagnostic;
use crate::json::{NodeId, Want};
use crate::ops::{Step, Test};
use crate::table::{At, Cond, Head, Path, Seg, SourceDef};

/// What paths mean in one source.
pub(super) struct PathScope<'a> {
    pub def: Option<&'a SourceDef>,
    pub classes: Option<&'a Classes<'a>>,
    pub payload: Option<NodeId>,
    pub mode: &'a Mode,
}

/// Told of a path that is wrong: the complaint, and a suggestion.
type Complain<'a> = dyn FnMut(&At<Path>, String, Option<String>) + 'a;

/// Why a path gives no reads.
pub(super) enum NoRead {
    /// Complaint and suggestion.
    Wrong(String, Option<String>),
    /// The content mode does not allow it.
    Withheld,
}

impl PathScope<'_> {
    /// The node of a path, grown if need be, and the lists on the way.
    pub(super) fn node(&self, path: &Path, want: &mut Want) -> Result<(NodeId, Vec<NodeId>), NoRead> {
        let mut node = match path.head {
            Head::Payload => match self.payload {
                Some(root) => root,
                None => {
                    return Err(NoRead::Wrong("this source declares no `payload`".into(), None));
                }
            },
            _ => 0,
        };
        let mut lists = Vec::new();
        for seg in &path.segs {
            node = match seg {
                Seg::Key(key) => want.child(node, key),
                Seg::Each | Seg::At(_) => {
                    lists.push(node);
                    want.element(node)
                }
            };
        }
        Ok((node, lists))
    }

    /// Adds the reads of one written path: several for a named value.
    pub(super) fn reads(
        &self,
        path: &At<Path>,
        steps: &[Step],
        want: &mut Want,
        reads: &mut Vec<Read>,
    ) -> Result<(), NoRead> {
        match path.is.head {
            Head::Fact => {
                let fact = crate::ops::words::FACT.iter().position(|f| **f == path.is.name).unwrap_or(0);
                reads.push(Read {
                    at: ReadAt::Fact(fact),
                    path: path.is.name.clone(),
                    steps: self.mode.steps(steps).into(),
                });
                Ok(())
            }
            Head::Named => {
                let lets = self.def.map(|d| &d.lets);
                let Some(found) = lets.and_then(|l| l.get(&path.is.name)) else {
                    let known =
                        lets.into_iter().flat_map(|l| l.keys().map(String::as_str)).chain(["payload"]);
                    let help = crate::error::did_you_mean(&path.is.name, known);
                    let help = help.map(|h| h.replacen("did you mean `", "did you mean `$", 1));
                    return Err(NoRead::Wrong(format!("the source names no `${}`", path.is.name), help));
                };
                let before = reads.len();
                for (inner, own) in &found.paths {
                    let all: Vec<Step> = own.iter().chain(&found.steps).chain(steps).cloned().collect();
                    match self.one(&inner.is, &all, want) {
                        Ok(read) => reads.push(read),
                        Err(NoRead::Withheld) => {}
                        Err(wrong) => {
                            reads.truncate(before);
                            return Err(wrong);
                        }
                    }
                }
                if reads.len() == before { Err(NoRead::Withheld) } else { Ok(()) }
            }
            _ => {
                reads.push(self.one(&path.is, steps, want)?);
                Ok(())
            }
        }
    }

    fn one(&self, path: &Path, steps: &[Step], want: &mut Want) -> Result<Read, NoRead> {
        match access(self.classes, self.mode, path) {
            Access::Denied => return Err(NoRead::Withheld),
            // A converted copy of a composite would be text of everything below it.
            Access::Inside if !steps.is_empty() => return Err(NoRead::Withheld),
            _ => {}
        }
        let (node, lists) = self.node(path, want)?;
        let scopes = lists.iter().map(|&l| want.element_scope(l).unwrap_or(0)).collect();
        let at = ReadAt::Slot { slot: want.slot(node), node, lists: scopes };
        // What a lookup gives is the mapping's own text.
        let looked_up = steps.iter().any(|step| matches!(step, Step::Lookup(_)));
        let mut steps = self.mode.steps(steps);
        if let Some(pseudonyms) = &self.mode.pseudonyms
            && !looked_up
            && tokens(self.classes, self.mode, path)
        {
            steps.push(Step::Pseudonym(pseudonyms.clone()));
        }
        let steps = if steps.is_empty() { Steps::default() } else { steps.into() };
        Ok(Read { at, path: path.text(), steps })
    }

    /// A condition; one that would read what may not be read gives [`NoRead::Withheld`].
    pub(super) fn check(&self, cond: &Cond, want: &mut Want, wrong: &mut Complain<'_>) -> Option<Check> {
        let mut list = |items: &[Cond], want: &mut Want| {
            items.iter().map(|c| self.check(c, want, wrong)).collect::<Option<Vec<_>>>()
        };
        Some(match cond {
            Cond::Any(items) => Check::Any(list(items, want)?),
            Cond::All(items) => Check::All(list(items, want)?),
            Cond::Not(inner) => Check::Not(Box::new(self.check(inner, want, wrong)?)),
            Cond::Test { path, test } => {
                let mut reads = Vec::with_capacity(1);
                match self.reads(path, &[], want, &mut reads) {
                    Ok(()) => {}
                    Err(NoRead::Withheld) => return None,
                    Err(NoRead::Wrong(message, help)) => {
                        wrong(path, message, help);
                        return None;
                    }
                }
                // A test is on the value itself; nothing of it leaves.
                Check::Test { reads: reads.into_iter().map(bare).collect(), test: test.clone() }
            }
        })
    }
}

fn bare(read: Read) -> Read {
    let steps = if read.pseudonymous() { read.steps[..read.steps.len() - 1].into() } else { read.steps };
    Read { steps, ..read }
}

/// A source whose slots have no numbers yet.
pub(super) struct Draft<'a> {
    def: &'a SourceDef,
    /// The root of its payloads.
    pub(super) payload: Option<NodeId>,
    kind: Option<NodeId>,
    payload_key: Option<NodeId>,
    /// The alternatives by which it is recognised, each with its strength.
    rules: Vec<(usize, Vec<(Check, bool)>)>,
}

/// Grows everything that a source says of its records.
pub(super) fn draft<'a>(
    def: &'a SourceDef,
    classes: &Classes,
    payload: Option<NodeId>,
    want: &mut Want,
    wrong: &mut Vec<Diagnostic>,
) -> Draft<'a> {
    // A source's own description of itself is read in every mode.
    let full = Mode { content: Content::Full, keep_secrets: true, ..Mode::default() };
    let open = PathScope { def: Some(def), classes: Some(classes), payload, mode: &full };
    let mut complain = |path: &At<Path>, message: String, help: Option<String>| {
        wrong.push(Diagnostic { help, ..def.at.complain(&path.span, message) });
    };
    let grow = |path: &At<Path>, want: &mut Want| open.node(&path.is, want).ok().map(|(node, _)| node);
    let kind = def.kind.as_ref().and_then(|path| grow(path, want));
    let payload_key = def.payload.as_ref().and_then(|path| grow(path, want));
    for (path, _) in &def.classes {
        // The payloads of all kinds are walked as one: so is what is documented of them.
        let walked = payload_part(&path.is).filter(|_| def.payload.is_some()).map(|(_, rest)| Path {
            head: Head::Payload,
            name: String::new(),
            segs: rest.to_vec(),
        });
        if let Err(NoRead::Wrong(message, help)) = open.node(walked.as_ref().unwrap_or(&path.is), want) {
            complain(path, message, help);
        }
    }
    if let Some(kind) = &def.kind
        && def.bears_content()
        && access(Some(classes), &Mode::default(), &kind.is) != Access::Read
    {
        let message = "the record type is shown in every mode: its path must be of class meta";
        complain(kind, message.into(), None);
    }
    let rules = normal_form(&def.when).into_iter().map(|tests| {
        let score = tests.iter().map(|(_, test, positive)| strength(test, *positive)).sum();
        let tests = tests.into_iter().filter_map(|(path, test, positive)| {
            let cond = Cond::Test { path: path.clone(), test: test.clone() };
            open.check(&cond, want, &mut complain).map(|check| (check, positive))
        });
        (score, tests.collect())
    });
    let rules = rules.collect();
    Draft { def, payload, kind, payload_key, rules }
}

/// The sources with the numbers of their slots, and the rules of all of them.
pub(super) fn settle(drafts: Vec<Draft>, request: &Request, want: &Want) -> (Vec<SourcePlan>, Vec<Rule>) {
    let mut sources = Vec::new();
    let mut rules: Vec<(usize, Rule)> = Vec::new();
    for (i, Draft { def, payload, kind, payload_key, rules: own }) in drafts.into_iter().enumerate() {
        for (score, mut tests) in own {
            tests.iter_mut().for_each(|(check, _)| check.settle(want));
            rules.push((score, rule(i, tests)));
        }
        let mut declared = vec![false; want.len()];
        // A payload of which nothing but its being an object is documented says nothing of the others.
        let says = |path: &Path| payload_part(path).is_none_or(|(_, inside)| !inside.is_empty());
        for (path, _) in def.classes.iter().filter(|(path, _)| says(&path.is)) {
            nodes(&path.is, payload, want).for_each(|node| declared[node as usize] = true);
        }
        sources.push(SourcePlan {
            name: def.name.clone(),
            kind: kind.map(|node| want.slot(node)),
            payload: payload.zip(payload_key).map(|(root, key)| Payload {
                key: want.slot(key),
                root,
                root_read: true,
            }),
            bears_content: def.bears_content(),
            filtered: def.bears_content() && request.content == Content::Metadata,
            dropped: def.bears_content() && request.content == Content::None,
            deeds: Deeds::new(def, &request.mode(), payload, want),
            declared,
            documents: !def.classes.is_empty(),
            kinds: def.kinds.clone(),
        });
    }
    // The strongest rule first; equals in the order of the sources.
    rules.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    (sources, rules.into_iter().map(|(_, rule)| rule).collect())
}

fn rule(source: usize, tests: Vec<(Check, bool)>) -> Rule {
    let positive = || tests.iter().filter(|(_, holds)| *holds);
    let needs = crate::json::masks(positive().filter_map(needed));
    let exact = positive().filter_map(|test| match (needed(test)?, &test.0) {
        (column, Check::Test { reads, test: Test::OneOf(texts) }) if reads[0].steps.is_empty() => {
            Some((column, texts.clone()))
        }
        _ => None,
    });
    let exact = exact.collect();
    Rule { source, needs, exact, tests }
}

/// The column that a test must find something in, if it is one of the record's own.
fn needed((check, _): &(Check, bool)) -> Option<u16> {
    match check {
        Check::Test { reads, .. } => match reads.as_slice() {
            [Read { at: ReadAt::Slot { slot, lists, .. }, .. }] if slot.scope == 0 && lists.is_empty() => {
                Some(slot.column)
            }
            _ => None,
        },
        _ => None,
    }
}

pub(super) type Atom<'a> = (&'a At<Path>, &'a Test, bool);

/// The condition as alternatives, each a list of tests that must all hold (or fail).
pub(super) fn normal_form(cond: &Cond) -> Vec<Vec<Atom<'_>>> {
    fn form(cond: &Cond, positive: bool) -> Vec<Vec<Atom<'_>>> {
        match (cond, positive) {
            (Cond::Test { path, test }, _) => vec![vec![(path, test, positive)]],
            (Cond::Not(inner), _) => form(inner, !positive),
            (Cond::Any(list), true) | (Cond::All(list), false) => {
                list.iter().flat_map(|c| form(c, positive)).collect()
            }
            (Cond::All(list), true) | (Cond::Any(list), false) => {
                list.iter().fold(vec![Vec::new()], |all, c| {
                    let next = form(c, positive);
                    all.iter()
                        .flat_map(|a| next.iter().map(|n| a.iter().chain(n).cloned().collect()))
                        .collect()
                })
            }
        }
    }
    form(cond, true)
}

/// An exact text says more about a record than a pattern, and a pattern more than a presence.
fn strength(test: &Test, positive: bool) -> usize {
    match test {
        _ if !positive => 1,
        Test::OneOf(_) => 100,
        Test::Glob(_) | Test::Regex(_) => 10,
        Test::Exists => 2,
    }
}

/// The alternatives of a source's condition with what every pair of sources compares of them.
fn weighed(def: &SourceDef) -> Vec<(usize, BTreeSet<String>, Vec<Atom<'_>>)> {
    let score = |atoms: &[Atom]| atoms.iter().map(|(_, t, p)| strength(t, *p)).sum::<usize>();
    normal_form(&def.when).into_iter().map(|atoms| (score(&atoms), exact(&atoms), atoms)).collect()
}

/// Two sources of the same strength that one record could satisfy cannot be told apart.
pub(super) fn told_apart(catalog: &Catalog, wrong: &mut Vec<Diagnostic>) {
    let defs: Vec<_> = catalog.sources.values().map(|def| (def, weighed(def))).collect();
    for (i, (a, of_a)) in defs.iter().enumerate() {
        for (b, of_b) in &defs[i + 1..] {
            let clash = of_a.iter().any(|(score, exact, x)| {
                of_b.iter().any(|(s, e, y)| s == score && e == exact && !contradict(x, y))
            });
            if clash {
                let message = format!(
                    "records of `{}` and `{}` cannot be told apart: no test of one excludes the other",
                    a.name, b.name
                );
                let mut diagnostic = b.at.complain(&b.when_span, message);
                diagnostic.help = Some(format!(
                    "add a test that excludes the records of {}, as {{path: …, exists: false}}",
                    a.at.file
                ));
                wrong.push(diagnostic);
            }
        }
    }
}

/// The paths whose exact text a rule wants. Rules that want texts of different paths speak of
/// records of different make; the order of the sources decides about one that satisfies both.
fn exact(atoms: &[Atom]) -> BTreeSet<String> {
    let exact = atoms.iter().filter(|(_, test, positive)| *positive && matches!(test, Test::OneOf(_)));
    exact.map(|(path, ..)| path.is.to_string()).collect()
}

pub(super) fn contradict(a: &[Atom], b: &[Atom]) -> bool {
    a.iter().any(|(path, test, positive)| {
        b.iter().any(|(other_path, other, other_positive)| {
            if path.is != other_path.is {
                return false;
            }
            match (test, positive, other, other_positive) {
                (Test::OneOf(x), true, Test::OneOf(y), true) => !x.iter().any(|t| y.contains(t)),
                (Test::OneOf(list), true, pattern, true) | (pattern, true, Test::OneOf(list), true) => {
                    !list.iter().any(|text| pattern.holds(Some(text)))
                }
                (_, true, Test::Exists, false) | (Test::Exists, false, _, true) => true,
                (Test::OneOf(list), true, pattern, false) | (pattern, false, Test::OneOf(list), true) => {
                    list.iter().all(|text| pattern.holds(Some(text)))
                }
                _ => false,
            }
        })
    })
}
