//! Paths as mappings write them: `a.b`, `list[].x`, `"dotted.key".id`, `$name`, `$payload.id`,
//! `@syslog.host`.

use smol_str::{SmolStr, SmolStrBuilder};

/// Where a path begins.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Head {
    /// The record.
    Root,
    /// The payload that the source's `payload` chooses.
    Payload,
    /// A fact of the line around the record.
    Fact,
    /// A named value of the source.
    Named,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Seg {
    /// Mappings hold thousands of them, nearly all short enough to need no memory of their own.
    Key(SmolStr),
    /// Every element of a list.
    Each,
    /// One element of a list of the target (`about[0]`).
    At(usize),
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Path {
    pub head: Head,
    /// The name behind `$` for [`Head::Named`], the fact for [`Head::Fact`]; empty otherwise.
    pub name: String,
    pub segs: Vec<Seg>,
}

impl Path {
    pub fn keys(keys: &[&str]) -> Path {
        let segs = keys.iter().map(|k| Seg::Key(SmolStr::new(k))).collect();
        Path { head: Head::Root, name: String::new(), segs }
    }

    /// The path as it is written.
    pub fn text(&self) -> String {
        let begin = match self.head {
            Head::Root => "",
            Head::Payload => "$payload",
            Head::Named => "$",
            Head::Fact => "",
        };
        let keys = self.segs.iter().map(|seg| if let Seg::Key(key) = seg { key.len() + 1 } else { 2 });
        let mut text = String::with_capacity(begin.len() + self.name.len() + keys.sum::<usize>());
        text.push_str(begin);
        text.push_str(&self.name);
        for seg in &self.segs {
            match seg {
                Seg::Key(key) => crate::json::push_step(key, &mut text),
                Seg::Each => text.push_str("[]"),
                Seg::At(n) => text.push_str(&format!("[{n}]")),
            }
        }
        text
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text())
    }
}

/// Reads a path of the record; the error says what is wrong and at which byte of `text`.
pub fn parse_path(text: &str) -> Result<Path, (usize, String)> {
    if let Some(fact) = crate::ops::words::FACT.iter().find(|f| **f == text) {
        return Ok(Path { head: Head::Fact, name: fact.to_string(), segs: Vec::new() });
    }
    if text.starts_with('@') && (text.contains("syslog") || text.starts_with("@run")) {
        return Err((0, format!("no such fact; known: {}", crate::ops::words::FACT.join(", "))));
    }
    if let Some(name) = text.strip_prefix('$') {
        if let Some(rest) = name.strip_prefix("payload") {
            if rest.is_empty() {
                return Ok(Path { head: Head::Payload, name: String::new(), segs: Vec::new() });
            }
            if rest.starts_with(['.', '[']) {
                let (skip, rest) = if let Some(r) = rest.strip_prefix('.') { (9, r) } else { (8, rest) };
                let segs = segments(rest).map_err(|(at, m)| (at + skip, m))?;
                return Ok(Path { head: Head::Payload, name: String::new(), segs });
            }
        }
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err((0, "a name behind `$` has letters, digits and `_` only".into()));
        }
        return Ok(Path { head: Head::Named, name: name.to_string(), segs: Vec::new() });
    }
    let segs = segments(text)?;
    if let Some(i) = segs.iter().position(|s| matches!(s, Seg::At(_))) {
        let _ = i;
        return Err((0, "a path of the record takes `[]` (every element), not a number; the steps `first` and `last` pick one".into()));
    }
    Ok(Path { head: Head::Root, name: String::new(), segs })
}

/// Reads a path of a target, where `[0]` names one element.
pub fn parse_target_path(text: &str) -> Result<Vec<Seg>, (usize, String)> {
    segments(text)
}

fn segments(text: &str) -> Result<Vec<Seg>, (usize, String)> {
    let bytes = text.as_bytes();
    let mut segs = Vec::with_capacity(1 + bytes.iter().filter(|b| matches!(b, b'.' | b'[')).count());
    let mut i = 0;
    let mut need_key = true;
    while i < bytes.len() || need_key {
        match bytes.get(i) {
            None => {
                return Err((i.saturating_sub(1), "the path ends where a key should stand".into()));
            }
            Some(b'[') => {
                let close = text[i..].find(']').ok_or((i, "`[` without `]`".to_string()))? + i;
                let inside = &text[i + 1..close];
                if inside.is_empty() {
                    segs.push(Seg::Each);
                } else if let Ok(n) = inside.parse() {
                    segs.push(Seg::At(n));
                } else {
                    return Err((i, "only `[]` or a number in brackets".into()));
                }
                i = close + 1;
                need_key = false;
            }
            Some(b'.') => {
                if need_key {
                    return Err((i, "a key should stand before this dot".into()));
                }
                i += 1;
                need_key = true;
            }
            Some(b'"') if need_key => {
                let mut key = SmolStrBuilder::new();
                let mut chars = text[i + 1..].char_indices();
                let end = loop {
                    match chars.next() {
                        Some((_, '\\')) => chars.next().into_iter().for_each(|(_, c)| key.push(c)),
                        Some((at, '"')) => break i + 1 + at + 1,
                        Some((_, c)) => key.push(c),
                        None => return Err((i, "a quote that does not close".into())),
                    }
                };
                segs.push(Seg::Key(key.finish()));
                i = end;
                need_key = false;
            }
            Some(_) if need_key => {
                let ends = |b: &u8| matches!(b, b'.' | b'[' | b'"');
                let end = bytes[i..].iter().position(ends).map_or(text.len(), |n| i + n);
                segs.push(Seg::Key(text[i..end].into()));
                i = end;
                need_key = false;
            }
            Some(_) => return Err((i, "a `.` should stand here".into())),
        }
    }
    Ok(segs)
}
