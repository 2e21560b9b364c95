//! Owns the text forms of network addresses: IP, CIDR block, host with port, hardware address;
//! refuses to know names, resolution and what an address is used for.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The family an address is written in. `::ffff:1.2.3.4` is written as IPv6 and counts as such.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    V4,
    V6,
}

/// A hardware address: EUI-48, EUI-64 or a 20-octet InfiniBand address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mac {
    octets: [u8; 20],
    len: u8,
}

impl Mac {
    /// 6, 8 or 20 octets.
    pub fn octets(&self) -> &[u8] {
        &self.octets[..usize::from(self.len)]
    }
}

/// The family of an IP address, or nothing where the text is not exactly one address. Zones,
/// prefix lengths, blanks and leading zeros are refused: `010.1.1.1` is 8.1.1.1 to some readers.
pub fn ip_family(text: &str) -> Option<Family> {
    if text.parse::<Ipv4Addr>().is_ok() {
        Some(Family::V4)
    } else if text.parse::<Ipv6Addr>().is_ok() {
        Some(Family::V6)
    } else {
        None
    }
}

/// The family of `address/bits`. Bits of the host may be set: 10.1.2.3/8 is a block.
pub fn cidr_family(text: &str) -> Option<Family> {
    let (address, bits) = text.split_once('/')?;
    let family = ip_family(address)?;
    if bits.is_empty() || !bits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let limit = match family {
        Family::V4 => 32,
        Family::V6 => 128,
    };
    if bits.parse::<u32>().ok()? <= limit { Some(family) } else { None }
}

/// The host and the port of `host:port`, `[v6]:port`, `[v6]`, a bare IPv6 address or a bare host.
/// A port is a number up to 65535. An IPv6 address may carry a zone, which stays with the host.
pub fn split_host_port(text: &str) -> Option<(&str, Option<u16>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        if !is_v6_with_zone(host) {
            return None;
        }
        return match after.strip_prefix(':') {
            Some(digits) => Some((host, Some(port(digits)?))),
            None if after.is_empty() => Some((host, None)),
            None => None,
        };
    }
    if is_v6_with_zone(text) {
        return Some((text, None));
    }
    let (host, digits) = match text.split_once(':') {
        Some((host, digits)) => (host, Some(digits)),
        None => (text, None),
    };
    let foreign = |c: char| matches!(c, '[' | ']' | '/' | '@') || c.is_whitespace();
    if host.is_empty() || host.contains(foreign) {
        return None;
    }
    match digits {
        Some(digits) => Some((host, Some(port(digits)?))),
        None => Some((host, None)),
    }
}

fn is_v6_with_zone(text: &str) -> bool {
    let address = match text.split_once('%') {
        Some((_, "")) => return false,
        Some((address, _)) => address,
        None => text,
    };
    address.parse::<Ipv6Addr>().is_ok()
}

fn port(digits: &str) -> Option<u16> {
    // `parse` alone would take "+80".
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

/// Reads `00:00:5e:00:53:01`, `00-00-5e-00-53-01` or `0000.5e00.5301`, and the same with 8 or 20
/// octets. One address keeps to one mark.
pub fn mac(text: &str) -> Option<Mac> {
    let bytes = text.as_bytes();
    let (mark, octets_per_group) = match (bytes.get(2)?, bytes.get(4)?) {
        (mark @ (b':' | b'-'), _) => (*mark, 1),
        (_, b'.') => (b'.', 2),
        _ => return None,
    };
    let mut mac = Mac { octets: [0; 20], len: 0 };
    for group in bytes.split(|byte| *byte == mark) {
        if group.len() != octets_per_group * 2 {
            return None;
        }
        for pair in group.chunks_exact(2) {
            let high = char::from(pair[0]).to_digit(16)?;
            let low = char::from(pair[1]).to_digit(16)?;
            *mac.octets.get_mut(usize::from(mac.len))? = (high * 16 + low) as u8;
            mac.len += 1;
        }
    }
    if matches!(mac.len, 6 | 8 | 20) { Some(mac) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ip_family_is_strict() {
        let facts = [
            ("1.2.3.4", Some(Family::V4)),
            ("0.0.0.0", Some(Family::V4)),
            ("255.255.255.255", Some(Family::V4)),
            ("::", Some(Family::V6)),
            ("::1", Some(Family::V6)),
            ("FE80::1", Some(Family::V6)),
            ("1:2:3:4:5:6:7::", Some(Family::V6)),
            ("::ffff:1.2.3.4", Some(Family::V6)),
            ("::FFFF:102:304", Some(Family::V6)),
            ("", None),
            (" 1.2.3.4", None),
            ("1.2.3.4 ", None),
            ("1.2.3", None),
            ("1.2.3.4.5", None),
            ("1.2.3.256", None),
            ("010.1.1.1", None),
            ("1.2.3.04", None),
            ("1.2.3.4/24", None),
            ("1.2.3.4:80", None),
            ("fe80::1%eth0", None),
            ("[::1]", None),
            ("1:2:3:4:5:6:7:8::", None),
            ("::00001", None),
            ("::1::", None),
            ("::ffff:1.2.3.04", None),
            ("٣.2.3.4", None),
        ];
        for (text, family) in facts {
            assert_eq!(ip_family(text), family, "{text:?}");
        }
    }

    #[test]
    fn cidr_family_checks_the_length() {
        let facts = [
            ("10.0.0.0/8", Some(Family::V4)),
            ("10.1.2.3/8", Some(Family::V4)),
            ("0.0.0.0/0", Some(Family::V4)),
            ("1.2.3.4/32", Some(Family::V4)),
            ("1.2.3.4/08", Some(Family::V4)),
            ("fe80::/10", Some(Family::V6)),
            ("::ffff:1.2.3.4/96", Some(Family::V6)),
            ("::/128", Some(Family::V6)),
            ("1.2.3.4", None),
            ("1.2.3.4/", None),
            ("1.2.3.4/33", None),
            ("1.2.3.4/+8", None),
            ("1.2.3.4/-1", None),
            ("1.2.3.4/8/8", None),
            ("1.2.3.4/99999999999999999999", None),
            ("::/129", None),
            ("10.0.0/8", None),
            ("fe80::1%eth0/64", None),
            ("1.2.3.4/255.0.0.0", None),
        ];
        for (text, family) in facts {
            assert_eq!(cidr_family(text), family, "{text:?}");
        }
    }

    #[test]
    fn hosts_split_from_ports() {
        let facts = [
            ("example.com", Some(("example.com", None))),
            ("example.com:443", Some(("example.com", Some(443)))),
            ("1.2.3.4", Some(("1.2.3.4", None))),
            ("1.2.3.4:0", Some(("1.2.3.4", Some(0)))),
            ("1.2.3.4:65535", Some(("1.2.3.4", Some(65535)))),
            ("[::1]:80", Some(("::1", Some(80)))),
            ("[::1]", Some(("::1", None))),
            ("::1", Some(("::1", None))),
            ("fe80::1%eth0", Some(("fe80::1%eth0", None))),
            ("[fe80::1%eth0]:80", Some(("fe80::1%eth0", Some(80)))),
            // Eight groups and no brackets: the last group is no port.
            ("1:2:3:4:5:6:7:80", Some(("1:2:3:4:5:6:7:80", None))),
            ("", None),
            (":80", None),
            ("host:", None),
            ("host:http", None),
            ("host:+80", None),
            ("host:65536", None),
            ("a:b:80", None),
            ("[::1]x", None),
            ("[::1]:", None),
            ("[::1", None),
            ("[host]:80", None),
            ("fe80::1%", None),
            ("http://host/", None),
            ("user@host", None),
            ("a b", None),
        ];
        for (text, parts) in facts {
            assert_eq!(split_host_port(text), parts, "{text:?}");
        }
    }

    #[test]
    fn macs_in_every_form() {
        let eui48 = [0x00, 0x00, 0x5e, 0x00, 0x53, 0xaf];
        for text in ["00:00:5e:00:53:af", "00-00-5E-00-53-AF", "0000.5e00.53af"] {
            assert_eq!(mac(text).map(|mac| mac.octets().to_vec()), Some(eui48.to_vec()), "{text}");
        }
        let eui64 = [0x02, 0x00, 0x5e, 0x10, 0, 0, 0, 1];
        for text in ["02:00:5e:10:00:00:00:01", "0200.5e10.0000.0001"] {
            assert_eq!(mac(text).map(|mac| mac.octets().to_vec()), Some(eui64.to_vec()), "{text}");
        }
        let infiniband = ["00"; 20].join("-");
        assert_eq!(mac(&infiniband).map(|mac| mac.octets().len()), Some(20));
        let refused = [
            "",
            "00:00:5e:00:53",
            "00:00:5e:00:53:af:",
            "00:00:5e:00:53:af:00",
            "00:00:5e:00:53-af",
            "0:0:5e:0:53:af",
            "00:00:5e:00:53:ag",
            "0000.5e00:53af",
            "00005e0053af",
            "0000.5e00.53",
            " 00:00:5e:00:53:af",
            "00:00:5é:00:53:af",
        ];
        for text in refused {
            assert_eq!(mac(text), None, "{text:?}");
        }
        assert_eq!(mac(&["00"; 21].join(":")), None);
    }

    proptest! {
        #[test]
        fn nothing_panics(text in any::<String>(), near in "[0-9a-f:.\\[\\]%/@-]{0,30}") {
            for text in [text.as_str(), near.as_str()] {
                ip_family(text);
                cidr_family(text);
                split_host_port(text);
                mac(text);
            }
        }

        #[test]
        fn what_is_joined_splits(address in any::<std::net::IpAddr>(), number in any::<u16>()) {
            let host = address.to_string();
            let joined = std::net::SocketAddr::new(address, number).to_string();
            prop_assert_eq!(split_host_port(&joined), Some((host.as_str(), Some(number))));
            prop_assert_eq!(split_host_port(&host), Some((host.as_str(), None)));
            let family = if address.is_ipv4() { Family::V4 } else { Family::V6 };
            prop_assert_eq!(ip_family(&host), Some(family));
        }

        #[test]
        fn written_macs_read_back(octets in any::<[u8; 8]>(), mark in prop_oneof![Just(":"), Just("-")]) {
            let text = octets.map(|octet| format!("{octet:02x}")).join(mark);
            prop_assert_eq!(mac(&text).map(|mac| mac.octets().to_vec()), Some(octets.to_vec()));
        }
    }
}
