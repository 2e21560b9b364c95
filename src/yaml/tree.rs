//! A tree packed into bytes and unpacked again: what is read once, when the program is built, need
//! not be read at every start. Knows the tree, and nothing of YAML's grammar.

use std::borrow::Cow;
use std::ops::Range;

use super::{Key, Node, NodeKind};

/// What begins a node. A scalar that stands in the file as it reads is not said again.
const PLAIN: u8 = 0;
const PLAIN_TOLD: u8 = 1;
const QUOTED: u8 = 2;
const QUOTED_TOLD: u8 = 3;
const LIST: u8 = 4;
const MAP: u8 = 5;

/// The bytes of a tree that was read from `text`.
pub fn pack(node: &Node, text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    push_node(node, text, &mut out);
    out
}

/// The tree that was packed. It borrows its texts, so that nothing is copied.
///
/// # Panics
/// Where `bytes` were not packed from `text`: both are parts of one program.
pub fn unpack(bytes: &'static [u8], text: &'static str) -> Node {
    Packed { bytes, text }.node()
}

fn push_node(node: &Node, text: &str, out: &mut Vec<u8>) {
    match &node.kind {
        NodeKind::Scalar { text: scalar, plain } => push_scalar(scalar, *plain, &node.span, text, out),
        NodeKind::List(items) => {
            push_head(LIST, &node.span, out);
            push_number(items.len(), out);
            items.iter().for_each(|item| push_node(item, text, out));
        }
        NodeKind::Map(entries) => {
            push_head(MAP, &node.span, out);
            push_number(entries.len(), out);
            for (key, value) in entries {
                push_scalar(&key.text, true, &key.span, text, out);
                push_node(value, text, out);
            }
        }
    }
}

fn push_scalar(scalar: &str, plain: bool, span: &Range<usize>, text: &str, out: &mut Vec<u8>) {
    let (stands, told) = if plain { (PLAIN, PLAIN_TOLD) } else { (QUOTED, QUOTED_TOLD) };
    if spelled(text, span, plain) == Some(scalar) {
        return push_head(stands, span, out);
    }
    push_head(told, span, out);
    push_number(scalar.len(), out);
    out.extend_from_slice(scalar.as_bytes());
}

/// What stands in the file, the quotes left out.
fn spelled<'a>(text: &'a str, span: &Range<usize>, plain: bool) -> Option<&'a str> {
    let quote = !plain as usize;
    text.get(span.start + quote..span.end.checked_sub(quote)?)
}

fn push_head(head: u8, span: &Range<usize>, out: &mut Vec<u8>) {
    out.push(head);
    push_number(span.start, out);
    push_number(span.end - span.start, out);
}

/// Seven bits a byte, the lowest first; the last byte is below 128.
fn push_number(mut number: usize, out: &mut Vec<u8>) {
    while number >= 128 {
        out.push(number as u8 | 128);
        number >>= 7;
    }
    out.push(number as u8);
}

struct Packed {
    /// What is left of them.
    bytes: &'static [u8],
    text: &'static str,
}

impl Packed {
    fn node(&mut self) -> Node {
        let (head, span) = self.head();
        let kind = match head {
            LIST => NodeKind::List((0..self.number()).map(|_| self.node()).collect()),
            MAP => NodeKind::Map((0..self.number()).map(|_| (self.key(), self.node())).collect()),
            scalar => NodeKind::Scalar {
                text: self.scalar(scalar, &span),
                plain: matches!(scalar, PLAIN | PLAIN_TOLD),
            },
        };
        Node { kind, span }
    }

    fn key(&mut self) -> Key {
        let (head, span) = self.head();
        Key { text: self.scalar(head, &span), span }
    }

    fn scalar(&mut self, head: u8, span: &Range<usize>) -> Cow<'static, str> {
        let found = match head {
            PLAIN | QUOTED => spelled(self.text, span, head == PLAIN),
            _ => {
                let len = self.number();
                let (scalar, rest) = self.bytes.split_at(len);
                self.bytes = rest;
                std::str::from_utf8(scalar).ok()
            }
        };
        Cow::Borrowed(found.expect("packed from this text"))
    }

    fn head(&mut self) -> (u8, Range<usize>) {
        let head = self.byte();
        let start = self.number();
        (head, start..start + self.number())
    }

    fn number(&mut self) -> usize {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.byte();
            number |= (byte as usize & 127) << shift;
            shift += 7;
            if byte < 128 {
                return number;
            }
        }
    }

    fn byte(&mut self) -> u8 {
        let (first, rest) = self.bytes.split_first().expect("packed whole");
        self.bytes = rest;
        *first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Source, parse};

    #[test]
    fn a_tree_comes_back_as_it_was() {
        let text = "plain: a b\nquoted: 'a''b'\n\"k\\n\": \"a\\tb\"\nfolded: >\n  one\n  two\nnothing:\n\
                    list: [1, ~, \"\", 'é']\nbase: &b {x: [y]}\nalias: *b\nlines: one\n  two\n";
        let tree = parse(&Source::new("t", text)).expect("YAML");
        let packed = pack(&tree, text).leak();
        assert_eq!(unpack(packed, text), tree);
        // The plain texts stand in the file, the others are told.
        let holds = |part: &str| packed.windows(part.len()).any(|bytes| bytes == part.as_bytes());
        assert!(!holds("a b") && holds("a'b") && holds("a\tb") && holds("one two"));
    }
}
