//! Owns what an expression of Go's `regexp` is in the syntax of the crate `regex`: the two differ
//! in classes, braces and brackets. Refuses to know named patterns.

/// The same expression for the crate. Classes such as `\d` are of ASCII in Go.
pub(super) fn translate(source: &str) -> String {
    let mut out = String::with_capacity(source.len() + 16);
    let mut rest = source;
    let mut class = false;
    while let Some(c) = rest.chars().next() {
        let behind = &rest[c.len_utf8()..];
        let taken = match c {
            '\\' => escape(behind, class, &mut out),
            '[' if !class => {
                class = true;
                out.push('[');
                // A caret, and a closing bracket right at the start, belong to the opening one.
                let caret = behind.starts_with('^') as usize;
                out.push_str(&behind[..caret]);
                match behind[caret..].starts_with(']') {
                    true => {
                        out.push_str("\\]");
                        caret + 1
                    }
                    false => caret,
                }
            }
            '[' => match behind.strip_prefix(':').and_then(|b| b.find(":]")) {
                Some(len) => {
                    out.push('[');
                    out.push_str(&behind[..len + 3]);
                    len + 3
                }
                None => {
                    out.push_str("\\[");
                    0
                }
            },
            ']' if class => {
                class = false;
                out.push(']');
                0
            }
            // Operations on sets, which Go does not know.
            '&' | '~' if class => {
                out.push('\\');
                out.push(c);
                0
            }
            '-' if class && behind.starts_with('-') => {
                out.push_str("\\-");
                0
            }
            '{' if !class && !repeats(behind) => {
                out.push_str("\\{");
                0
            }
            c => {
                out.push(c);
                0
            }
        };
        rest = &behind[taken..];
    }
    out
}

/// What stands behind a backslash; how many bytes it takes.
fn escape(text: &str, class: bool, out: &mut String) -> usize {
    let Some(c) = text.chars().next() else {
        out.push('\\');
        return 0;
    };
    let ascii = match (c, class) {
        ('d', false) => "[0-9]",
        ('d', true) => "0-9",
        ('D', _) => "[^0-9]",
        ('w', false) => "[0-9A-Za-z_]",
        ('w', true) => "0-9A-Za-z_",
        ('W', _) => "[^0-9A-Za-z_]",
        ('s', false) => "[\\t\\n\\x0C\\r ]",
        ('s', true) => "\\t\\n\\x0C\\r ",
        ('S', _) => "[^\\t\\n\\x0C\\r ]",
        ('b', false) => "(?-u:\\b)",
        // Half a character is no place between words, and the crate refuses to look for it.
        ('B', false) => "\\B",
        ('Q', false) => {
            let inner = &text[1..];
            let (literal, len) = match inner.find("\\E") {
                Some(end) => (&inner[..end], end + 3),
                None => (inner, inner.len() + 1),
            };
            out.push_str(&regex::escape(literal));
            return len;
        }
        _ => {
            out.push('\\');
            out.push(c);
            return c.len_utf8();
        }
    };
    out.push_str(ascii);
    c.len_utf8()
}

/// Whether a brace and what follows it is a repetition: `{2}`, `{2,}`, `{2,5}`.
fn repeats(behind: &str) -> bool {
    let Some((inner, _)) = behind.split_once('}') else { return false };
    let (first, second) = inner.split_once(',').unwrap_or((inner, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    !first.is_empty() && digits(first) && digits(second)
}
