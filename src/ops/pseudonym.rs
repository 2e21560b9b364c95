//! Pseudonyms: what takes the place of a value that identifies a person. A keyed hash of the text,
//! so that one text has one pseudonym wherever it stands, and nobody without the key can tell
//! which. Knows texts, not what they are fields of.

use std::sync::Arc;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::{net, push_hex};

/// The domain of pseudonyms of e-mail addresses: reserved, so that no mail goes anywhere.
const DOMAIN: &str = "pseudonym.invalid";

/// A shorter key could be found by trying.
pub const SHORTEST_KEY: usize = 16;

/// A key, ready to hash; shared, for every step holds one.
#[derive(Clone)]
pub struct Pseudonyms(Arc<Hmac<Sha256>>);

impl std::fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pseudonyms(…)")
    }
}

impl Pseudonyms {
    /// Line ends behind the key are not part of it.
    pub fn new(key: &[u8]) -> Result<Pseudonyms, String> {
        let end = key.iter().rposition(|b| !matches!(b, b'\r' | b'\n')).map_or(0, |i| i + 1);
        let key = &key[..end];
        if key.len() < SHORTEST_KEY {
            return Err(format!("a key has at least {SHORTEST_KEY} bytes, and this one has {}", key.len()));
        }
        Hmac::new_from_slice(key).map(|key| Pseudonyms(Arc::new(key))).map_err(|e| e.to_string())
    }

    /// Appends the pseudonym of a text: of an address an IPv6 address below fd00::/8, of an e-mail
    /// address one in a reserved domain, of anything else a word. All carry the first bits of
    /// HMAC-SHA-256 over the text's characters, 120 in an address and 128 elsewhere.
    pub fn push(&self, text: &str, out: &mut String) {
        let mut mac = Hmac::clone(&self.0);
        mac.update(text.as_bytes());
        let digest: [u8; 32] = mac.finalize().into_bytes().into();
        if net::ip_family(text.trim()).is_some() {
            let mut bytes = [0xfd; 16];
            bytes[1..].copy_from_slice(&digest[..15]);
            out.push_str(&std::net::Ipv6Addr::from(bytes).to_string());
            return;
        }
        out.push_str("pseudonym-");
        push_hex(&digest[..16], out);
        if is_mail(text) {
            out.push('@');
            out.push_str(DOMAIN);
        }
    }
}

fn is_mail(text: &str) -> bool {
    let Some((name, domain)) = text.split_once('@') else { return false };
    !name.is_empty() && domain.contains('.') && !text.contains(|c: char| c.is_whitespace() || c == '/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        let mut out = String::new();
        Pseudonyms::new(b"0123456789abcdef\n").expect("a key").push(text, &mut out);
        out
    }

    /// Reference values: `printf %s TEXT | openssl dgst -sha256 -hmac 0123456789abcdef`.
    #[test]
    fn the_forms() {
        assert_eq!(of("user-1"), "pseudonym-9671a70114c638eedd26dab7f09610ba");
        assert_eq!(of("ana@example.com"), "pseudonym-4624055dbf2fe99933fb11cc1c00cc04@pseudonym.invalid");
        assert_eq!(of("192.0.2.7"), "fd9f:bed8:536e:8801:2477:a33:603f:35e9");
        assert_eq!(of("https://a@example.com/x").find('@'), None);
    }

    #[test]
    fn keys() {
        assert!(Pseudonyms::new(b"0123456789abcde\n").is_err());
        assert_eq!(format!("{:?}", Pseudonyms::new(&[7; 16])), "Ok(Pseudonyms(…))");
    }
}
