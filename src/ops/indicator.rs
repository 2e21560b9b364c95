//! Owns what an indicator takes from one string and which `p_any` field it goes to; refuses to
//! know records, schemas and how the values of an event are gathered, sorted and made distinct.

use std::borrow::Cow;

use super::net;

/// A scanner that a schema names for a string field.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Indicator {
    Ip,
    Domain,
    Hostname,
    Url,
    NetAddr,
    Md5,
    Sha1,
    Sha256,
    TraceId,
    Username,
    Email,
    AwsArn,
    AwsArnOnly,
    AwsAccountId,
    AwsInstanceId,
    AwsTag,
    ActorId,
    Mac,
    SerialNumber,
}

/// Every indicator under the name a schema writes.
const NAMED: [(&str, Indicator); 19] = [
    ("ip", Indicator::Ip),
    ("domain", Indicator::Domain),
    ("hostname", Indicator::Hostname),
    ("url", Indicator::Url),
    ("net_addr", Indicator::NetAddr),
    ("md5", Indicator::Md5),
    ("sha1", Indicator::Sha1),
    ("sha256", Indicator::Sha256),
    ("trace_id", Indicator::TraceId),
    ("username", Indicator::Username),
    ("email", Indicator::Email),
    ("aws_arn", Indicator::AwsArn),
    ("aws_arn_only", Indicator::AwsArnOnly),
    ("aws_account_id", Indicator::AwsAccountId),
    ("aws_instance_id", Indicator::AwsInstanceId),
    ("aws_tag", Indicator::AwsTag),
    ("actor_id", Indicator::ActorId),
    ("mac", Indicator::Mac),
    ("serial_number", Indicator::SerialNumber),
];

/// The names `Indicator::parse` takes.
pub const NAMES: [&str; NAMED.len()] = {
    let mut names = [""; NAMED.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = NAMED[at].0;
        at += 1;
    }
    names
};

impl Indicator {
    pub fn parse(name: &str) -> Option<Indicator> {
        NAMED.iter().find(|(known, _)| *known == name).map(|(_, indicator)| *indicator)
    }
}

/// A field of an event that gathers values of one kind from the whole event. The order is that of
/// the names in bytes, and so is the order of `ALL`: output does not depend on a schema's order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AnyField {
    ActorIds,
    AwsAccountIds,
    AwsArns,
    AwsInstanceIds,
    AwsTags,
    DomainNames,
    Emails,
    IpAddresses,
    MacAddresses,
    Md5Hashes,
    SerialNumbers,
    Sha1Hashes,
    Sha256Hashes,
    TraceIds,
    Usernames,
}

impl AnyField {
    /// In the order in which an event carries them.
    pub const ALL: [AnyField; 15] = [
        AnyField::ActorIds,
        AnyField::AwsAccountIds,
        AnyField::AwsArns,
        AnyField::AwsInstanceIds,
        AnyField::AwsTags,
        AnyField::DomainNames,
        AnyField::Emails,
        AnyField::IpAddresses,
        AnyField::MacAddresses,
        AnyField::Md5Hashes,
        AnyField::SerialNumbers,
        AnyField::Sha1Hashes,
        AnyField::Sha256Hashes,
        AnyField::TraceIds,
        AnyField::Usernames,
    ];

    pub fn name(self) -> &'static str {
        match self {
            AnyField::ActorIds => "p_any_actor_ids",
            AnyField::AwsAccountIds => "p_any_aws_account_ids",
            AnyField::AwsArns => "p_any_aws_arns",
            AnyField::AwsInstanceIds => "p_any_aws_instance_ids",
            AnyField::AwsTags => "p_any_aws_tags",
            AnyField::DomainNames => "p_any_domain_names",
            AnyField::Emails => "p_any_emails",
            AnyField::IpAddresses => "p_any_ip_addresses",
            AnyField::MacAddresses => "p_any_mac_addresses",
            AnyField::Md5Hashes => "p_any_md5_hashes",
            AnyField::SerialNumbers => "p_any_serial_numbers",
            AnyField::Sha1Hashes => "p_any_sha1_hashes",
            AnyField::Sha256Hashes => "p_any_sha256_hashes",
            AnyField::TraceIds => "p_any_trace_ids",
            AnyField::Usernames => "p_any_usernames",
        }
    }
}

/// Hands `sink` each value the indicator takes from the text; none of them is empty. A value that
/// does not fit its indicator gives nothing: an indicator never fails a record.
pub fn collect(indicator: Indicator, value: &str, sink: &mut impl FnMut(AnyField, &str)) {
    let text = value.trim();
    match indicator {
        Indicator::Ip => {
            if net::ip_family(text).is_some() {
                sink(AnyField::IpAddresses, text);
            }
        }
        Indicator::Domain => domain(text, sink),
        Indicator::Hostname => hostname(text, sink),
        // The text is not trimmed here: Go refuses a URL with a blank before its scheme.
        Indicator::Url => {
            if let Some(host) = url_host(value) {
                hostname(&host, sink);
            }
        }
        Indicator::NetAddr => hostname(host_before_port(text).unwrap_or(text), sink),
        Indicator::Md5 => hash::<32>(AnyField::Md5Hashes, text, sink),
        Indicator::Sha1 => hash::<40>(AnyField::Sha1Hashes, text, sink),
        Indicator::Sha256 => hash::<64>(AnyField::Sha256Hashes, text, sink),
        Indicator::TraceId => non_empty(AnyField::TraceIds, text, sink),
        Indicator::Username => non_empty(AnyField::Usernames, text, sink),
        Indicator::Email => {
            if let Some(local) = mailbox_local(text) {
                sink(AnyField::Emails, text);
                sink(AnyField::Usernames, local);
            }
        }
        Indicator::AwsArn => arn(text, sink),
        Indicator::AwsArnOnly => {
            if arn_parts(text).is_some() {
                sink(AnyField::AwsArns, text);
            }
        }
        Indicator::AwsAccountId => {
            if is_aws_account(text) {
                sink(AnyField::AwsAccountIds, text);
            }
        }
        Indicator::AwsInstanceId => {
            if text.starts_with("i-") {
                sink(AnyField::AwsInstanceIds, text);
            }
        }
        // A tag is a key with a value, and blanks are part of both.
        Indicator::AwsTag => non_empty(AnyField::AwsTags, value, sink),
        Indicator::ActorId => non_empty(AnyField::ActorIds, text, sink),
        Indicator::Mac => {
            if net::mac(text).is_some() {
                sink(AnyField::MacAddresses, text);
            }
        }
        Indicator::SerialNumber => non_empty(AnyField::SerialNumbers, text, sink),
    }
}

fn non_empty(field: AnyField, text: &str, sink: &mut impl FnMut(AnyField, &str)) {
    if !text.is_empty() {
        sink(field, text);
    }
}

fn hash<const LENGTH: usize>(field: AnyField, text: &str, sink: &mut impl FnMut(AnyField, &str)) {
    let Ok(mut digits) = <[u8; LENGTH]>::try_from(text.as_bytes()) else {
        return;
    };
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return;
    }
    digits.make_ascii_lowercase();
    if let Ok(lower) = std::str::from_utf8(&digits) {
        sink(field, lower);
    }
}

fn hostname(text: &str, sink: &mut impl FnMut(AnyField, &str)) {
    let text = text.trim();
    if net::ip_family(text).is_some() {
        sink(AnyField::IpAddresses, text);
    } else {
        domain(text, sink);
    }
}

/// Any text is a domain name. Only a name that begins with an encoded label is decoded, and then
/// in all its labels.
fn domain(text: &str, sink: &mut impl FnMut(AnyField, &str)) {
    if text.starts_with(ENCODED_LABEL)
        && let Some(decoded) = decode_labels(text)
    {
        sink(AnyField::DomainNames, &decoded);
    } else {
        non_empty(AnyField::DomainNames, text, sink);
    }
}

// ---- e-mail -------------------------------------------------------------------------------

/// The part before the `@` of a plain address. Display names, quoted local parts, comments and
/// address literals are refused: none of them names one mailbox the way an account does.
fn mailbox_local(text: &str) -> Option<&str> {
    // Nearly every address is one of plain characters, and every plain one has this form.
    if text.is_ascii() {
        return ascii_mailbox(text.as_bytes()).map(|at| &text[..at]);
    }
    any_mailbox(text)
}

fn any_mailbox(text: &str) -> Option<&str> {
    let (local, domain) = text.split_once('@')?;
    let atom = |atom: &str| !atom.is_empty() && atom.chars().all(is_atom_char);
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(is_label_char)
    };
    if local.split('.').all(atom) && domain.split('.').all(label) { Some(local) } else { None }
}

/// The place of the `@` in an address of ASCII characters.
fn ascii_mailbox(text: &[u8]) -> Option<usize> {
    const ATOM: u8 = 1;
    const LABEL: u8 = 2;
    const OF: [u8; 128] = {
        let mut of = [0; 128];
        let mut i = 0;
        while i < 128 {
            let c = i as u8;
            if c.is_ascii_alphanumeric() || c == b'-' || c == b'_' {
                of[i] = ATOM | LABEL;
            }
            i += 1;
        }
        let others = b"!#$%&'*+/=?^`{|}~";
        let mut i = 0;
        while i < others.len() {
            of[others[i] as usize] = ATOM;
            i += 1;
        }
        of
    };
    // What stands before decides whether a dot, an `@` or the end may follow, and a hyphen too.
    let (mut at, mut before) = (None, b'.');
    for (i, &c) in text.iter().enumerate() {
        let fits = match c {
            b'.' => before != b'.' && !(at.is_some() && before == b'-'),
            b'@' if at.is_none() => before != b'.',
            b'-' if at.is_some() => before != b'.',
            _ => OF[c as usize] & if at.is_some() { LABEL } else { ATOM } != 0,
        };
        if !fits {
            return None;
        }
        before = c;
        if c == b'@' {
            at = Some(i);
            before = b'.';
        }
    }
    at.filter(|_| before != b'.' && before != b'-')
}

fn is_atom_char(c: char) -> bool {
    is_label_char(c) || "!#$%&'*+/=?^`{|}~".contains(c)
}

fn is_label_char(c: char) -> bool {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' => true,
        c => !c.is_ascii() && !c.is_whitespace() && !c.is_control(),
    }
}

// ---- aws ----------------------------------------------------------------------------------

struct Arn<'a> {
    account: &'a str,
    resource: &'a str,
}

/// `arn:partition:service:region:account:resource`, where the resource may have more colons.
fn arn_parts(text: &str) -> Option<Arn<'_>> {
    let mut sections = text.strip_prefix("arn:")?.splitn(5, ':').skip(3);
    Some(Arn { account: sections.next()?, resource: sections.next()? })
}

fn arn(text: &str, sink: &mut impl FnMut(AnyField, &str)) {
    let Some(Arn { account, resource }) = arn_parts(text) else {
        return;
    };
    sink(AnyField::AwsArns, text);
    if is_aws_account(account) {
        sink(AnyField::AwsAccountIds, account);
    }
    if let Some(instance) = resource.strip_prefix("instance/")
        && instance.starts_with("i-")
    {
        sink(AnyField::AwsInstanceIds, instance);
    }
    // A federated session is named by whoever opens it, most often by e-mail address.
    if let Some((_, session)) = resource.strip_prefix("assumed-role/").and_then(|role| role.rsplit_once('/'))
        && mailbox_local(session).is_some()
    {
        sink(AnyField::Emails, session);
    }
}

fn is_aws_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

// ---- hosts --------------------------------------------------------------------------------

/// Go's net.SplitHostPort, where a port is any text at all: `mailto:x` has the host `mailto`.
fn host_before_port(text: &str) -> Option<&str> {
    let (before, port) = text.rsplit_once(':')?;
    let host = match before.strip_prefix('[') {
        Some(inside) => inside.strip_suffix(']')?,
        None if before.contains(':') => return None,
        None => before,
    };
    if host.contains(['[', ']']) || port.contains(['[', ']']) { None } else { Some(host) }
}

/// The host of a URL as Go's net/url reads it, without user, port and brackets. Nothing where Go
/// refuses the URL or the URL has no host.
fn url_host(text: &str) -> Option<Cow<'_, str>> {
    let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
    if text.bytes().any(|byte| byte.is_ascii_control()) {
        return None;
    }
    let (scheme, rest) = url_scheme(text)?;
    let (rest, _query) = rest.split_once('?').unwrap_or((rest, ""));
    // Without a scheme, three slashes still leave an empty authority before the path.
    let after = rest.strip_prefix("//")?;
    if !scheme && after.starts_with('/') {
        return None;
    }
    let (authority, path) = match after.find('/') {
        Some(at) => after.split_at(at),
        None => (after, ""),
    };
    if !escapes_are_whole(path) || !escapes_are_whole(fragment) {
        return None;
    }
    let host = match authority.rsplit_once('@') {
        Some((user, host)) => {
            if !user.bytes().all(is_user_byte) || !escapes_are_whole(user) {
                return None;
            }
            host
        }
        None => authority,
    };
    let host = authority_host(host)?;
    if host.is_empty() { None } else { Some(host) }
}

/// Whether the URL has a scheme, and what follows it. A colon first is an error.
fn url_scheme(text: &str) -> Option<(bool, &str)> {
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at > 0 => return Some((true, &text[at + 1..])),
            b':' => return None,
            _ => return Some((false, text)),
        }
    }
    Some((false, text))
}

fn authority_host(host: &str) -> Option<Cow<'_, str>> {
    if host.starts_with('[') {
        let close = host.rfind(']')?;
        let (bracketed, port) = host.split_at(close + 1);
        if !is_optional_port(port) {
            return None;
        }
        let inside = &bracketed[1..close];
        let (address, zone) = match inside.find("%25") {
            Some(at) => inside.split_at(at),
            None => (inside, ""),
        };
        return match (unescape_host(address, false)?, unescape_host(zone, true)?) {
            (address, zone) if zone.is_empty() => Some(address),
            (address, zone) => Some(Cow::Owned(format!("{address}{zone}"))),
        };
    }
    let host = match host.rfind(':') {
        Some(at) if is_optional_port(&host[at..]) => &host[..at],
        Some(_) => return None,
        None => host,
    };
    unescape_host(host, false)
}

fn is_optional_port(text: &str) -> bool {
    match text.strip_prefix(':') {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_digit()),
        None => text.is_empty(),
    }
}

/// A host may escape bytes beyond ASCII, and a zone also the percent sign and blanks.
fn unescape_host(text: &str, zone: bool) -> Option<Cow<'_, str>> {
    if !text.bytes().all(|byte| byte == b'%' || byte >= 0x80 || is_host_byte(byte)) {
        return None;
    }
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first != b'%' {
            bytes.push(*first);
            rest = tail;
            continue;
        }
        let byte = escaped_byte(rest)?;
        let allowed = byte == b'%' || if zone { byte == b' ' || is_host_byte(byte) } else { byte >= 0x80 };
        if !allowed {
            return None;
        }
        bytes.push(byte);
        rest = &rest[3..];
    }
    // Escapes that are no UTF-8 have no text form; the host is then kept as it was spelled.
    Some(String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned))
}

fn escaped_byte(bytes: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = *bytes else {
        return None;
    };
    let high = char::from(high).to_digit(16)?;
    let low = char::from(low).to_digit(16)?;
    u8::try_from(high * 16 + low).ok()
}

fn escapes_are_whole(text: &str) -> bool {
    let bytes = text.as_bytes();
    (0..bytes.len()).all(|at| bytes[at] != b'%' || escaped_byte(&bytes[at..]).is_some())
}

fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~!$&'()*+,;=:[]<>\"".contains(&byte)
}

fn is_user_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte)
}

// ---- punycode -----------------------------------------------------------------------------

const ENCODED_LABEL: &str = "xn--";

/// Decodes every encoded label, or nothing if one of them does not decode. This is written out
/// because the IDNA crates also map, validate and fold, and the value must only be decoded.
fn decode_labels(text: &str) -> Option<String> {
    let mut decoded = String::with_capacity(text.len());
    for (index, label) in text.split('.').enumerate() {
        if index > 0 {
            decoded.push('.');
        }
        match label.strip_prefix(ENCODED_LABEL) {
            Some(encoded) => decode_punycode(encoded, &mut decoded)?,
            None => decoded.push_str(label),
        }
    }
    Some(decoded)
}

/// RFC 3492 section 6.2, with its parameters for IDNA.
fn decode_punycode(encoded: &str, out: &mut String) -> Option<()> {
    const BASE: u32 = 36;
    const SKEW: u32 = 38;
    const DAMP: u32 = 700;
    let (literal, deltas) = match encoded.rsplit_once('-') {
        Some(("", _)) => return None,
        Some(split) => split,
        None => ("", encoded),
    };
    if encoded.is_empty() || !encoded.is_ascii() || encoded.len() > 255 {
        return None;
    }
    let mut decoded: Vec<char> = literal.chars().collect();
    let (mut code, mut index, mut bias) = (128u32, 0u32, 72u32);
    let mut deltas = deltas.bytes().peekable();
    while deltas.peek().is_some() {
        let start = index;
        let mut weight = 1u32;
        for position in 1.. {
            let digit = match deltas.next()? {
                byte @ b'a'..=b'z' => byte - b'a',
                byte @ b'A'..=b'Z' => byte - b'A',
                byte @ b'0'..=b'9' => byte - b'0' + 26,
                _ => return None,
            };
            let digit = u32::from(digit);
            index = index.checked_add(digit.checked_mul(weight)?)?;
            let threshold = (position * BASE).saturating_sub(bias).clamp(1, 26);
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(BASE - threshold)?;
        }
        let count = u32::try_from(decoded.len()).ok()? + 1;
        let mut delta = (index - start) / if start == 0 { DAMP } else { 2 };
        delta += delta / count;
        let mut steps = 0;
        while delta > (BASE - 1) * 26 / 2 {
            delta /= BASE - 1;
            steps += BASE;
        }
        bias = steps + BASE * delta / (delta + SKEW);
        code = code.checked_add(index / count)?;
        index %= count;
        decoded.insert(index as usize, char::from_u32(code)?);
        index += 1;
    }
    out.extend(decoded);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn collected(indicator: Indicator, value: &str) -> Vec<(AnyField, String)> {
        let mut found = Vec::new();
        collect(indicator, value, &mut |field, text| found.push((field, text.to_owned())));
        found
    }

    fn check(indicator: Indicator, value: &str, expected: &[(AnyField, &str)]) {
        let found = collected(indicator, value);
        let found: Vec<(AnyField, &str)> =
            found.iter().map(|(field, text)| (*field, text.as_str())).collect();
        assert_eq!(found, expected, "{indicator:?} of {value:?}");
    }

    #[test]
    fn plain_addresses_are_judged_as_all_are() {
        const CHARS: &[u8] = b"a-.@_! ";
        for number in 0..CHARS.len().pow(6) {
            let mut n = number;
            let text: String = std::iter::from_fn(|| {
                let c = CHARS[n % CHARS.len()] as char;
                n /= CHARS.len();
                (n > 0 || c != ' ').then_some(c)
            })
            .take(6)
            .collect();
            assert_eq!(mailbox_local(&text), any_mailbox(&text), "{text:?}");
        }
    }

    #[test]
    fn names_are_closed() {
        for (name, indicator) in NAMED {
            assert_eq!(Indicator::parse(name), Some(indicator));
        }
        assert_eq!(NAMES[0], "ip");
        assert_eq!(NAMES[18], "serial_number");
        for unknown in ["", "IP", "bogus", "aws_arns", "ip "] {
            assert_eq!(Indicator::parse(unknown), None);
        }
        for pair in AnyField::ALL.windows(2) {
            assert!(pair[0].name() < pair[1].name() && pair[0] < pair[1]);
        }
    }

    #[test]
    fn ip() {
        use AnyField::IpAddresses;
        check(Indicator::Ip, "1.2.3.4", &[(IpAddresses, "1.2.3.4")]);
        check(Indicator::Ip, " 1.2.3.4 ", &[(IpAddresses, "1.2.3.4")]);
        check(Indicator::Ip, "FE80::1", &[(IpAddresses, "FE80::1")]);
        check(Indicator::Ip, "::ffff:1.2.3.4", &[(IpAddresses, "::ffff:1.2.3.4")]);
        for nothing in ["", "   ", "fe80::1%eth0", "1.2.3.4/24", "010.1.1.1", "1.2.3", "a.b"] {
            check(Indicator::Ip, nothing, &[]);
        }
    }

    #[test]
    fn domain_takes_any_text_and_decodes_labels() {
        let facts = [
            ("example.com", "example.com"),
            ("EXAMPLE.com", "EXAMPLE.com"),
            (" 1.2.3.4 ", "1.2.3.4"),
            ("-", "-"),
            ("%zz", "%zz"),
            ("xn--mnchen-3ya.de", "münchen.de"),
            ("xn--mnchen-3ya.xn--p1ai", "münchen.рф"),
            ("xn--fiqs8s", "中国"),
            ("xn--ls8h.la", "💩.la"),
            ("xn--abc-.de", "abc.de"),
            // Only a name that begins with an encoded label is touched.
            ("www.xn--mnchen-3ya.de", "www.xn--mnchen-3ya.de"),
            ("XN--mnchen-3ya.de", "XN--mnchen-3ya.de"),
            // What does not decode is kept.
            ("xn--.de", "xn--.de"),
            ("xn---abc.de", "xn---abc.de"),
            ("xn--mnchen-3ya.xn--99999999", "xn--mnchen-3ya.xn--99999999"),
            ("xn--a_b", "xn--a_b"),
            ("xn--ünchen-3ya", "xn--ünchen-3ya"),
        ];
        for (value, name) in facts {
            check(Indicator::Domain, value, &[(AnyField::DomainNames, name)]);
        }
        check(Indicator::Domain, "", &[]);
        check(Indicator::Domain, " \t", &[]);
    }

    #[test]
    fn hostname_is_an_address_or_a_name() {
        use AnyField::{DomainNames, IpAddresses};
        check(Indicator::Hostname, " ::1 ", &[(IpAddresses, "::1")]);
        check(Indicator::Hostname, "1.2.3.4:80", &[(DomainNames, "1.2.3.4:80")]);
        check(Indicator::Hostname, "fe80::1%eth0", &[(DomainNames, "fe80::1%eth0")]);
        check(Indicator::Hostname, "xn--mnchen-3ya.de", &[(DomainNames, "münchen.de")]);
        check(Indicator::Hostname, "", &[]);
    }

    #[test]
    fn url_gives_its_host() {
        use AnyField::{DomainNames, IpAddresses};
        let names = [
            ("http://Example.com:8080/x?y=1", "Example.com"),
            ("//host/x", "host"),
            ("ftp://münchen.de/", "münchen.de"),
            ("http://m%c3%bcnchen.de", "münchen.de"),
            ("http://%ff.de", "%ff.de"),
            ("http://a@b@c.d", "c.d"),
            ("http://host:", "host"),
            ("http://host?q=%zz", "host"),
            ("http://host#\u{7}", "host"),
            ("HTTP://xn--mnchen-3ya.de", "münchen.de"),
            ("http://[fe80::1%25en0]/", "fe80::1%en0"),
            ("a+b://x_y", "x_y"),
        ];
        for (value, host) in names {
            check(Indicator::Url, value, &[(DomainNames, host)]);
        }
        let addresses =
            [("https://user:p@1.2.3.4/x", "1.2.3.4"), ("http://[::1]:8080/", "::1"), ("http://[::1]", "::1")];
        for (value, address) in addresses {
            check(Indicator::Url, value, &[(IpAddresses, address)]);
        }
        let nothing = [
            "",
            "example.com/path",
            "1.2.3.4",
            "host:80",
            "mailto:a@b.c",
            "http:///x",
            "///host/x",
            "://host",
            " http://host",
            "http://exa mple.com/",
            "http://host:port/",
            "http://host/%zz",
            "http://host/#%zz",
            "http://%41.com",
            "http://%zz.com",
            "http://[::1",
            "http://[::1]x/",
            "http://us er@host",
            "http://ho\u{7}st",
            "http://ho^st",
        ];
        for value in nothing {
            check(Indicator::Url, value, &[]);
        }
    }

    #[test]
    fn net_addr_leaves_the_port_away() {
        use AnyField::{DomainNames, IpAddresses};
        let names = [
            ("host:80", "host"),
            ("host", "host"),
            ("key:value", "key"),
            ("mailto:a@b.c", "mailto"),
            ("ftp://münchen.de/", "ftp"),
            ("[::1]", "[::1]"),
            ("[::1", "[::1"),
            ("a]b:80", "a]b:80"),
            ("http://[::1]:8080/", "http://[::1]:8080/"),
        ];
        for (value, host) in names {
            check(Indicator::NetAddr, value, &[(DomainNames, host)]);
        }
        for (value, address) in
            [("1.2.3.4:80", "1.2.3.4"), (" 1.2.3.4 ", "1.2.3.4"), ("[::1]:80", "::1"), ("::1", "::1")]
        {
            check(Indicator::NetAddr, value, &[(IpAddresses, address)]);
        }
        check(Indicator::NetAddr, ":80", &[]);
        check(Indicator::NetAddr, " ", &[]);
    }

    #[test]
    fn hashes_are_exact_and_lowered() {
        let facts = [
            (Indicator::Md5, AnyField::Md5Hashes, 32),
            (Indicator::Sha1, AnyField::Sha1Hashes, 40),
            (Indicator::Sha256, AnyField::Sha256Hashes, 64),
        ];
        for (indicator, field, length) in facts {
            let upper = "0aB9".repeat(length / 4);
            let lower = "0ab9".repeat(length / 4);
            check(indicator, &format!(" {upper}\n"), &[(field, lower.as_str())]);
            check(indicator, &upper[1..], &[]);
            check(indicator, &format!("{upper}0"), &[]);
            check(indicator, &upper.replacen('0', "g", 1), &[]);
            check(indicator, &upper.replacen("0a", "é", 1), &[]);
            check(indicator, "", &[]);
        }
    }

    #[test]
    fn free_text() {
        let facts = [
            (Indicator::TraceId, AnyField::TraceIds),
            (Indicator::Username, AnyField::Usernames),
            (Indicator::ActorId, AnyField::ActorIds),
            (Indicator::SerialNumber, AnyField::SerialNumbers),
        ];
        for (indicator, field) in facts {
            check(indicator, " - ", &[(field, "-")]);
            check(indicator, "a b", &[(field, "a b")]);
            check(indicator, "  ", &[]);
        }
        check(Indicator::AwsTag, " key:value ", &[(AnyField::AwsTags, " key:value ")]);
        check(Indicator::AwsTag, "  ", &[(AnyField::AwsTags, "  ")]);
        check(Indicator::AwsTag, "", &[]);
    }

    #[test]
    fn email_must_be_an_address() {
        use AnyField::{Emails, Usernames};
        let facts = [
            (" a@b.c ", "a@b.c", "a"),
            ("First.Last+tag@Example.COM", "First.Last+tag@Example.COM", "First.Last+tag"),
            ("root@localhost", "root@localhost", "root"),
            ("jürgen@münchen.de", "jürgen@münchen.de", "jürgen"),
        ];
        for (value, address, local) in facts {
            check(Indicator::Email, value, &[(Emails, address), (Usernames, local)]);
        }
        let nothing = [
            "",
            "@",
            "a",
            "a@",
            "@b.c",
            "a@b@c",
            "a b@c.d",
            "a@b c",
            ".a@b.c",
            "a..b@c.d",
            "a@b..c",
            "a@b.c.",
            "a@-b.c",
            "mailto:a@b.c",
            "Bob <a@b.c>",
            "\"a b\"@c.d",
            "a@[1.2.3.4]",
            "https://user:p@1.2.3.4/x",
            "a\u{a0}b@c.d",
        ];
        for value in nothing {
            check(Indicator::Email, value, &[]);
        }
    }

    #[test]
    fn arns_are_taken_apart() {
        use AnyField::{AwsAccountIds, AwsArns, AwsInstanceIds, Emails};
        let user = "arn:aws:iam::123456789012:user/bob";
        check(Indicator::AwsArn, user, &[(AwsArns, user), (AwsAccountIds, "123456789012")]);
        let instance = "arn:aws:ec2:us-east-1:123456789012:instance/i-0abc";
        check(
            Indicator::AwsArn,
            instance,
            &[(AwsArns, instance), (AwsAccountIds, "123456789012"), (AwsInstanceIds, "i-0abc")],
        );
        let session = "arn:aws:sts::123456789012:assumed-role/r/a@b.c";
        check(
            Indicator::AwsArn,
            session,
            &[(AwsArns, session), (AwsAccountIds, "123456789012"), (Emails, "a@b.c")],
        );
        for alone in [
            "arn:aws:s3:::bucket",
            "arn:aws:sts::12345678901:assumed-role/r/i-0abc",
            "arn:aws:ec2:::instance/x",
            "arn:::::",
        ] {
            check(Indicator::AwsArn, alone, &[(AwsArns, alone)]);
        }
        check(Indicator::AwsArnOnly, session, &[(AwsArns, session)]);
        for nothing in ["", "arn:aws:s3::bucket", "ARN:aws:s3:::bucket", "x arn:aws:s3:::bucket"] {
            check(Indicator::AwsArn, nothing, &[]);
            check(Indicator::AwsArnOnly, nothing, &[]);
        }
    }

    #[test]
    fn aws_ids_and_macs() {
        let account = [(AnyField::AwsAccountIds, "123456789012")];
        check(Indicator::AwsAccountId, "123456789012", &account);
        for nothing in ["12345678901", "1234567890123", "12345678901x", "+12345678901", ""] {
            check(Indicator::AwsAccountId, nothing, &[]);
        }
        check(Indicator::AwsInstanceId, "i-0abc", &[(AnyField::AwsInstanceIds, "i-0abc")]);
        check(Indicator::AwsInstanceId, "I-0abc", &[]);
        check(Indicator::AwsInstanceId, "x", &[]);
        let mac = " 00:00:5E:00:53:AF";
        check(Indicator::Mac, mac, &[(AnyField::MacAddresses, mac.trim())]);
        check(Indicator::Mac, "00005e0053af", &[]);
    }

    proptest! {
        #[test]
        fn values_are_never_empty(text in any::<String>(), near in "(arn:|xn--|http://|//)?[a-z0-9@:/.%\\[\\]-]{0,40}") {
            for text in [text.as_str(), near.as_str()] {
                for (_, indicator) in NAMED {
                    for (_, value) in collected(indicator, text) {
                        prop_assert!(!value.is_empty());
                    }
                }
            }
        }
    }
}
