//! Owns what was seen at each place of the records, in memory that does not grow with them;
//! refuses to know what a schema makes of it.

use indexmap::IndexMap;

use super::signs::{self, Signs};
use super::times::{Times, Units};
use super::{MAX_DEPTH, MAX_FIELDS, MAX_KEY, MAX_RECORD_FIELDS, MAX_VALUE, MAX_VALUES};
use crate::json::{self, Cell, Kind};

/// How many more places may be told apart.
#[derive(Debug)]
pub(super) struct Budget {
    places: usize,
    spent: bool,
    text: String,
    /// Texts of the record at hand may be kept, to be shown as values.
    pub(super) values: bool,
}

impl Budget {
    pub(super) fn new(places: usize) -> Budget {
        Budget { places, spent: false, text: String::new(), values: true }
    }

    /// Some object could not be told apart for want of places.
    pub(super) fn spent(&self) -> bool {
        self.spent
    }
}

/// Everything that stood at one place.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Values that are not null.
    pub(super) there: u64,
    pub(super) nulls: u64,
    pub(super) bools: u64,
    pub(super) numbers: Numbers,
    pub(super) texts: Option<Box<Texts>>,
    pub(super) object: Option<Box<Object>>,
    pub(super) arrays: u64,
    pub(super) element: Option<Box<Seen>>,
    /// The key stood twice in one object: whether its value is there is then hard to say.
    pub(super) repeated: bool,
    /// The object of this place that was last looked into.
    last: u64,
}

#[derive(Debug, Default)]
pub(super) struct Numbers {
    pub(super) count: u64,
    /// Written with a fraction or an exponent.
    pub(super) broken: u64,
    /// Integers beyond 64 bits.
    pub(super) wide: u64,
    /// Beyond what a float holds.
    pub(super) huge: u64,
    pub(super) units: Units,
}

#[derive(Debug)]
pub(super) struct Texts {
    pub(super) count: u64,
    pub(super) empty: u64,
    /// Those that spell an integer of 64 bits, in its one plain form.
    pub(super) integers: u64,
    pub(super) units: Units,
    pub(super) times: Times,
    pub(super) signs: Signs,
    /// The different texts, while they are few and short.
    pub(super) values: Option<Vec<(Box<str>, u64)>>,
}

#[derive(Debug, Default)]
pub(super) struct Object {
    pub(super) count: u64,
    /// In the order in which they were first met.
    pub(super) fields: IndexMap<Box<[u8]>, Seen>,
    /// Why its members are not told apart.
    pub(super) whole: Option<Whole>,
    /// Members of records that could not become fields.
    pub(super) left_out: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Whole {
    ManyFields,
    LongKey,
    Deep,
    NoPlace,
}

impl Seen {
    /// Learns from the value at `at` of a text that is known to be JSON; gives where it ends.
    pub(super) fn learn(&mut self, text: &[u8], at: usize, depth: usize, budget: &mut Budget) -> usize {
        match text[at] {
            b'{' => {
                self.there += 1;
                self.object.get_or_insert_default().learn(text, at, depth, budget)
            }
            b'[' => {
                self.there += 1;
                self.arrays += 1;
                let element = self.element.get_or_insert_default();
                if depth >= MAX_DEPTH {
                    element.there += 1;
                    let object = element.object.get_or_insert_default();
                    object.count += 1;
                    object.give_up(Whole::Deep, budget);
                    return json::cell_at(text, at).end as usize;
                }
                json::elements(text, at, &mut |i| element.learn(text, i, depth + 1, budget))
            }
            _ => {
                let cell = json::cell_at(text, at);
                self.scalar(cell, text, budget);
                (cell.end as usize).max(at + 1)
            }
        }
    }

    fn scalar(&mut self, cell: Cell, text: &[u8], budget: &mut Budget) {
        match cell.kind {
            Kind::Absent | Kind::Null => return self.nulls += 1,
            Kind::True | Kind::False => self.bools += 1,
            Kind::Number => self.numbers.learn(std::str::from_utf8(cell.raw(text)).unwrap_or("x")),
            Kind::String => match std::str::from_utf8(cell.inner(text)) {
                Ok(inner) => self.texts.get_or_insert_default().learn(inner, budget.values),
                Err(_) => self.texts.get_or_insert_default().learn("\u{fffd}", budget.values),
            },
            _ => {
                budget.text.clear();
                json::unescape(cell.inner(text), &mut budget.text);
                self.texts.get_or_insert_default().learn(&budget.text, budget.values);
            }
        }
        self.there += 1;
    }
}

impl Object {
    fn learn(&mut self, text: &[u8], at: usize, depth: usize, budget: &mut Budget) -> usize {
        self.count += 1;
        if depth >= MAX_DEPTH {
            self.give_up(Whole::Deep, budget);
        }
        // Records of one make have their keys in one order: the next key is mostly the next field.
        let mut next = 0;
        json::members(text, at, &mut |key, i| {
            let skip = || (json::cell_at(text, i).end as usize).max(i + 1);
            if self.whole.is_some() {
                return skip();
            }
            let mut plain = None;
            let mut key = key;
            if memchr::memchr(b'\\', key).is_some() {
                let mut characters = String::new();
                json::unescape(key, &mut characters);
                key = plain.insert(characters).as_bytes();
            }
            let field = match self.fields.get_index(next) {
                Some((known, _)) if **known == *key => next,
                _ => match self.fields.get_index_of(key) {
                    Some(index) => index,
                    None => match self.room(key, depth, budget) {
                        Ok(index) => index,
                        // The record itself cannot be of type json: it goes without the key.
                        Err(_) if depth == 0 => {
                            self.left_out += 1;
                            return skip();
                        }
                        Err(why) => {
                            self.give_up(why, budget);
                            return skip();
                        }
                    },
                },
            };
            next = field + 1;
            let seen = &mut self.fields[field];
            seen.repeated |= seen.last == self.count;
            seen.last = self.count;
            seen.learn(text, i, depth + 1, budget)
        })
    }

    fn room(&mut self, key: &[u8], depth: usize, budget: &mut Budget) -> Result<usize, Whole> {
        if key.len() > MAX_KEY {
            return Err(Whole::LongKey);
        }
        if self.fields.len() >= if depth == 0 { MAX_RECORD_FIELDS } else { MAX_FIELDS } {
            return Err(Whole::ManyFields);
        }
        if budget.places == 0 {
            budget.spent = true;
            return Err(Whole::NoPlace);
        }
        budget.places -= 1;
        Ok(self.fields.insert_full(key.into(), Seen::default()).0)
    }

    /// The members are no longer told apart; their places are free again.
    fn give_up(&mut self, why: Whole, budget: &mut Budget) {
        if self.whole.is_none() {
            self.whole = Some(why);
            budget.places += self.fields.values().map(Seen::places).sum::<usize>();
            self.fields = IndexMap::new();
        }
    }
}

impl Seen {
    fn places(&self) -> usize {
        let below = self.object.iter().flat_map(|o| o.fields.values()).map(Seen::places).sum::<usize>();
        1 + below + self.element.as_ref().map_or(0, |e| e.places() - 1)
    }
}

impl Numbers {
    fn learn(&mut self, text: &str) {
        self.count += 1;
        let whole = !text.bytes().any(|b| matches!(b, b'.' | b'e' | b'E'));
        if !whole {
            self.broken += 1;
        } else if text.parse::<i64>().is_err() {
            self.wide += 1;
        }
        match text.parse::<f64>() {
            Ok(n) if n.is_finite() => self.units.learn(n, whole),
            _ => {
                self.huge += 1;
                self.units.learn(-1.0, whole);
            }
        }
    }
}

impl Default for Texts {
    fn default() -> Texts {
        Texts {
            count: 0,
            empty: 0,
            integers: 0,
            units: Units::default(),
            times: Times::default(),
            signs: signs::ALL,
            values: Some(Vec::new()),
        }
    }
}

impl Texts {
    fn learn(&mut self, text: &str, keep: bool) {
        self.count += 1;
        if !keep {
            self.values = None;
        }
        if text.is_empty() {
            self.empty += 1;
            return;
        }
        self.integer(text);
        self.times.learn(text);
        signs::learn(&mut self.signs, text);
        let Some(values) = &mut self.values else { return };
        // The value of the record before is the likeliest.
        if let Some(at) = values.iter().position(|(known, _)| **known == *text) {
            values[at].1 += 1;
        } else if values.len() < MAX_VALUES && text.len() <= MAX_VALUE {
            values.push((text.into(), 1));
        } else {
            self.values = None;
        }
    }

    fn integer(&mut self, text: &str) {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let plain = !digits.is_empty()
            && digits.len() <= 19
            && digits.bytes().all(|b| b.is_ascii_digit())
            && (digits.len() == 1 || !digits.starts_with('0'));
        if let Some(n) = plain.then(|| text.parse::<i64>().ok()).flatten() {
            self.integers += 1;
            self.units.learn(n as f64, true);
        }
    }
}
