//! Owns which indicators the texts of a place fit, by their form and by the words of the field's
//! name; refuses to know types.

use crate::ops::indicator::{self, AnyField, Indicator};
use crate::ops::net;

/// The forms that every text of a place has had so far, one bit each.
pub(super) type Signs = u16;

pub(super) const ALL: Signs = (1 << FORMS.len()) - 1;

type Form = (&'static str, fn(&str) -> bool);

/// Forms of texts, and the indicator that each stands for. The first that all texts have counts.
const FORMS: [Form; 13] = [
    ("ip", |t| net::ip_family(t).is_some()),
    ("url", |t| (t.starts_with("http://") || t.starts_with("https://")) && takes(Indicator::Url, t)),
    ("email", |t| takes(Indicator::Email, t) && t.rsplit('@').next().is_some_and(|d| d.contains('.'))),
    ("aws_arn", |t| takes(Indicator::AwsArn, t)),
    ("md5", |t| takes(Indicator::Md5, t)),
    ("sha1", |t| takes(Indicator::Sha1, t)),
    ("sha256", |t| takes(Indicator::Sha256, t)),
    ("mac", |t| net::mac(t).is_some()),
    ("aws_instance_id", is_instance),
    ("net_addr", is_net_addr),
    ("domain", is_domain),
    // Names of machines: addresses and names mixed.
    ("hostname", |t| net::ip_family(t).is_some() || is_domain(t)),
    ("aws_account_id", |t| t.len() == 12 && t.bytes().all(|b| b.is_ascii_digit())),
];

/// Forms that mean something only where the name of the field says so: a name with a dot may be a
/// file's, and twelve digits any number.
const NAMED_FORMS: &[(&str, &[&str])] = &[
    ("domain", &["domain", "host", "hostname", "fqdn", "dns", "server", "sni", "site", "query"]),
    ("hostname", &["host", "hostname", "fqdn", "machine", "computer", "server", "device", "endpoint"]),
    ("aws_account_id", &["account", "owner", "aws", "recipient"]),
];

/// Words of a name that are enough where the texts have no form of their own. All words of an
/// entry must stand in the name.
const NAMED: &[(&[&str], &str)] = &[
    (&["username"], "username"),
    (&["user", "name"], "username"),
    (&["login", "name"], "username"),
    (&["login"], "username"),
    (&["user"], "username"),
    (&["actor", "id"], "actor_id"),
    (&["principal", "id"], "actor_id"),
    (&["user", "id"], "actor_id"),
    (&["trace"], "trace_id"),
    (&["trace", "id"], "trace_id"),
    (&["traceid"], "trace_id"),
    (&["request", "id"], "trace_id"),
    (&["requestid"], "trace_id"),
    (&["correlation", "id"], "trace_id"),
    (&["transaction", "id"], "trace_id"),
    (&["session", "id"], "trace_id"),
    (&["ray", "id"], "trace_id"),
    (&["serial"], "serial_number"),
    (&["serial", "number"], "serial_number"),
    (&["serialnumber"], "serial_number"),
    (&["hostname"], "hostname"),
    (&["host", "name"], "hostname"),
    (&["computer", "name"], "hostname"),
    (&["tag"], "aws_tag"),
    (&["aws", "tag"], "aws_tag"),
];

fn takes(indicator: Indicator, text: &str) -> bool {
    let mut taken = false;
    indicator::collect(indicator, text, &mut |_: AnyField, _: &str| taken = true);
    taken
}

fn is_instance(text: &str) -> bool {
    text.strip_prefix("i-").is_some_and(|id| {
        matches!(id.len(), 8 | 17) && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

fn is_net_addr(text: &str) -> bool {
    match net::split_host_port(text) {
        Some((host, Some(_))) => net::ip_family(host).is_some() || is_domain(host) || host == "localhost",
        _ => false,
    }
}

/// At least two labels, the last of letters.
fn is_domain(text: &str) -> bool {
    let labels: Vec<&str> = text.trim_end_matches('.').split('.').collect();
    let label = |l: &&str| {
        (1..=63).contains(&l.len())
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    labels.len() >= 2
        && labels.iter().all(label)
        && labels.last().is_some_and(|l| l.len() >= 2 && l.bytes().all(|b| b.is_ascii_alphabetic()))
}

/// Takes away the forms that a text has not.
pub(super) fn learn(signs: &mut Signs, text: &str) {
    let mut left = *signs;
    while left != 0 {
        let form = left.trailing_zeros() as usize;
        left &= left - 1;
        if !FORMS[form].1(text) {
            *signs &= !(1 << form);
        }
    }
}

/// The indicator of a field by the forms of its texts and the words of its name.
pub(super) fn indicator(signs: Signs, words: &[String]) -> Option<&'static str> {
    let has = |word: &str| words.iter().any(|w| w == word);
    for (i, (name, _)) in FORMS.iter().enumerate() {
        let named = NAMED_FORMS.iter().find(|(form, _)| form == name);
        if signs >> i & 1 == 1 && named.is_none_or(|(_, hints)| hints.iter().any(|h| has(h))) {
            return Some(name);
        }
    }
    // A list of them has the same kind.
    let one = |word: &String| match word.strip_suffix('s') {
        Some(one) if !one.ends_with('s') => one.to_string(),
        _ => word.clone(),
    };
    let all: Vec<String> = words.iter().map(one).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    NAMED.iter().find(|(wanted, _)| *wanted == all || ends_with(&all, wanted)).map(|(_, name)| *name)
}

/// A name of several words says what it is at its end: `client_user_name`, `device_serial`. A word
/// that can mean much else must be the whole name.
fn ends_with(words: &[&str], wanted: &[&str]) -> bool {
    let clear = ["username", "hostname", "serial", "serialnumber", "traceid", "requestid"];
    (wanted.len() > 1 || clear.contains(&wanted[0])) && words.ends_with(wanted)
}

/// The words of a name: `clientIPAddress`, `client-ip_address` and `ClientIpAddress` have the same.
pub(super) fn words(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for (i, &c) in chars.iter().enumerate() {
        if !c.is_alphanumeric() {
            words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
            continue;
        }
        let before = i.checked_sub(1).map(|i| chars[i]);
        let behind = chars.get(i + 1);
        let humps = c.is_uppercase()
            && (before.is_some_and(|b| b.is_lowercase() || b.is_ascii_digit())
                || (before.is_some_and(char::is_uppercase) && behind.is_some_and(|b| b.is_lowercase())));
        if humps && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        word.extend(c.to_lowercase());
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_an_indicator() {
        for (name, _) in FORMS {
            assert!(Indicator::parse(name).is_some(), "{name}");
        }
        for (_, name) in NAMED {
            assert!(Indicator::parse(name).is_some(), "{name}");
        }
        let proposed: Vec<&str> =
            FORMS.iter().map(|(n, _)| *n).chain(NAMED.iter().map(|(_, n)| *n)).collect();
        // `aws_arn` takes all that `aws_arn_only` takes, and more.
        let left: Vec<&&str> = indicator::NAMES.iter().filter(|n| !proposed.contains(*n)).collect();
        assert_eq!(left, [&"aws_arn_only"]);
    }

    fn of(name: &str, texts: &[&str]) -> Option<&'static str> {
        let mut signs = ALL;
        texts.iter().for_each(|t| learn(&mut signs, t));
        indicator(signs, &words(name))
    }

    #[test]
    fn forms_and_names_tell() {
        assert_eq!(of("x", &["192.0.2.1", "2001:db8::1"]), Some("ip"));
        assert_eq!(of("x", &["192.0.2.1", "a"]), None);
        assert_eq!(of("x", &["https://example.com/a"]), Some("url"));
        assert_eq!(of("x", &["ana@example.com"]), Some("email"));
        assert_eq!(of("x", &["arn:aws:iam::123456789012:user/a"]), Some("aws_arn"));
        assert_eq!(of("x", &["d41d8cd98f00b204e9800998ecf8427e"]), Some("md5"));
        assert_eq!(of("x", &["da39a3ee5e6b4b0d3255bfef95601890afd80709"]), Some("sha1"));
        assert_eq!(of("x", &["00:00:5e:00:53:01"]), Some("mac"));
        assert_eq!(of("x", &["i-0123456789abcdef0"]), Some("aws_instance_id"));
        assert_eq!(of("x", &["192.0.2.1:443", "example.com:80"]), Some("net_addr"));
        assert_eq!(
            of("x", &["report.pdf"]),
            None,
            "a name with a dot is a domain only where it is called one"
        );
        assert_eq!(of("domain", &["example.com"]), Some("domain"));
        assert_eq!(of("serverHost", &["example.com", "192.0.2.1"]), Some("hostname"));
        assert_eq!(of("account_id", &["123456789012"]), Some("aws_account_id"));
        assert_eq!(of("number", &["123456789012"]), None);
        assert_eq!(of("clientUserName", &["ana"]), Some("username"));
        assert_eq!(of("user_agent", &["curl"]), None);
        assert_eq!(of("requestID", &["req_1"]), Some("trace_id"));
        assert_eq!(of("serial", &["C02"]), Some("serial_number"));
        assert_eq!(of("actor_id", &["u1"]), Some("actor_id"));
        assert_eq!(of("deviceSerial", &["C02"]), Some("serial_number"));
        assert_eq!(of("tags", &["env:prod"]), Some("aws_tag"));
        assert_eq!(of("status", &["ok"]), None);
        assert_eq!(of("last_user", &["ana"]), None, "may be a word about a user");
    }

    #[test]
    fn names_fall_into_words() {
        for name in ["clientIPAddress", "client-ip_address", "ClientIpAddress"] {
            assert_eq!(words(name), ["client", "ip", "address"], "{name}");
        }
        assert_eq!(words("@timestamp"), ["timestamp"]);
        assert_eq!(words("userID2"), ["user", "id2"]);
    }
}
