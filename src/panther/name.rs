//! Owns the names under which fields are stored; refuses to know where a field stands.

/// The name under which Panther stores a field: letters, digits, `_` and `-` stay, some signs are
/// spelled out with `_` as glue, other letters are written in ASCII, anything else becomes `_`.
pub fn stored_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut glue = false;
    for c in name.chars() {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' => {
                if std::mem::take(&mut glue) {
                    out.push('_');
                }
                out.push(c);
            }
            c => match word(c) {
                Some(word) => {
                    if !out.is_empty() && !out.ends_with('_') {
                        out.push('_');
                    }
                    out.push_str(word);
                    glue = true;
                }
                None => {
                    let letters = any_ascii::any_ascii_char(c);
                    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
                    if !c.is_ascii() && !letters.is_empty() && letters.bytes().all(plain) {
                        if std::mem::take(&mut glue) {
                            out.push('_');
                        }
                        out.push_str(letters);
                    } else {
                        glue = false;
                        out.push('_');
                    }
                }
            },
        }
    }
    out
}

/// Signs that have a word of their own.
fn word(sign: char) -> Option<&'static str> {
    Some(match sign {
        '@' => "at_sign",
        ',' => "comma",
        '`' => "backtick",
        '\'' => "apostrophe",
        '$' => "dollar_sign",
        '*' => "asterisk",
        '&' => "ampersand",
        '!' => "exclamation",
        '%' => "percent",
        '+' => "plus",
        '/' => "slash",
        '\\' => "backslash",
        '#' => "hash",
        '~' => "tilde",
        '=' => "eq",
        _ => return None,
    })
}
