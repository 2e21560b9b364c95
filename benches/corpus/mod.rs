//! Records to measure on: deterministic, in the shapes of the two built-in sources. Sizes follow
//! what the sources send: audit events of about 600 bytes, conversations of about 15 KB.

#![allow(dead_code)]

use std::fmt::Write;

/// SplitMix64: small, fast, and the same on every machine.
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len() as u64) as usize]
    }
}

const TYPES: &[&str] = &[
    "login.succeeded",
    "login.succeeded",
    "login.failed",
    "logout.succeeded",
    "api_key.created",
    "api_key.updated",
    "api_key.deleted",
    "user.added",
    "user.updated",
    "project.created",
    "project.archived",
    "service_account.created",
    "invite.sent",
    "rate_limit.updated",
    "role.assignment.created",
    "tenant.group.member.added",
];
const CITIES: &[&str] = &["Lisbon", "Gdańsk", "Osaka", "Montréal", "Nairobi", "Porto Alegre"];
const AGENTS: &[&str] = &[
    "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
    "terraform-provider/0.9.1",
    "python-requests/2.32.3",
];
const WORDS: &[&str] = &[
    "the",
    "deploy",
    "of",
    "invoice",
    "and",
    "cluster",
    "to",
    "summarize",
    "quarterly",
    "\\\"quoted\\\"",
    "report",
    "don't",
    "über",
    "請求書",
    "\\n",
    "token",
    "review",
    "https://example.org/a?b=1\\u0026c=2",
    "latency",
    "🙂",
];

/// NDJSON of about this many bytes.
pub fn audit(bytes: usize, seed: u64) -> Vec<u8> {
    let mut r = Random(seed);
    let mut out = String::with_capacity(bytes + 2048);
    let mut time = 1_749_600_000;
    while out.len() < bytes {
        time += r.below(60);
        audit_event(&mut r, time, &mut out);
    }
    out.into_bytes()
}

fn audit_event(r: &mut Random, time: u64, out: &mut String) {
    let kind = r.pick(TYPES);
    let (id, user, place) = (r.next(), r.below(5000), r.below(250));
    let _ = write!(
        out,
        r#"{{"object":"organization.audit_log","id":"audit_log-{id:016x}","type":"{kind}","effective_at":{time}"#
    );
    if r.below(10) < 3 {
        let _ = write!(
            out,
            r#","project":{{"id":"proj_{:012x}","name":"Project {}"}}"#,
            r.next() >> 16,
            r.below(40)
        );
    }
    if r.below(4) > 0 {
        let _ = write!(
            out,
            r#","actor":{{"type":"session","session":{{"user":{{"id":"user-{user:08}","email":"person{user}@example.com"}},"ip_address":"203.0.113.{place}","user_agent":"{}","ja3":"{:032x}","ja4":"t13d1717h2_{:012x}_{:012x}","ip_address_details":{{"country":"PT","city":"{}","region":"West","region_code":"W","asn":"64497","latitude":"38.72230","longitude":"-9.13930"}}}}}}"#,
            r.pick(AGENTS),
            r.next() as u128,
            r.next() >> 16,
            r.next() >> 16,
            r.pick(CITIES),
        );
    } else {
        let _ = write!(
            out,
            r#","actor":{{"type":"api_key","api_key":{{"id":"key_{:012x}","type":"service_account","service_account":{{"id":"svc_acct-{user}"}}}}}}"#,
            r.next() >> 16
        );
    }
    let _ = match kind {
        "login.succeeded" | "logout.succeeded" => write!(out, r#","{kind}":{{}}"#),
        "login.failed" => {
            write!(
                out,
                r#","{kind}":{{"error_code":"invalid_credentials","error_message":"No \"such\" account"}}"#
            )
        }
        "api_key.created" => {
            write!(
                out,
                r#","{kind}":{{"id":"key_{id:x}","data":{{"scopes":["model.read","model.request","files.write"]}}}}"#
            )
        }
        "api_key.updated" => {
            write!(out, r#","{kind}":{{"id":"key_{id:x}","changes_requested":{{"scopes":["model.read"]}}}}"#)
        }
        "user.added" | "user.updated" => {
            write!(out, r#","{kind}":{{"id":"user-{place:08}","data":{{"role":"reader"}}}}"#)
        }
        "role.assignment.created" => write!(
            out,
            r#","{kind}":{{"id":"ra_{id:x}","principal_id":"user-{place:08}","principal_type":"user","resource_id":"proj_1","resource_type":"api.project"}}"#
        ),
        _ => write!(out, r#","{kind}":{{"id":"thing_{id:x}","data":{{"name":"thing {place}"}}}}"#),
    };
    out.push_str("}\n");
}

/// NDJSON of about this many bytes.
pub fn conversations(bytes: usize, seed: u64) -> Vec<u8> {
    let mut r = Random(seed);
    let mut out = String::with_capacity(bytes + 65536);
    while out.len() < bytes {
        let messages = 2 + r.below(40);
        conversation(&mut r, messages, &mut out, |r, n, text| {
            if n == 0 {
                return false;
            }
            for _ in 0..20 + r.below(140) {
                text.push_str(r.pick(WORDS));
                text.push(' ');
            }
            true
        });
    }
    out.into_bytes()
}

/// One conversation, whose messages say what `text` pushes, if it says that they have content.
fn conversation(
    r: &mut Random,
    messages: u64,
    out: &mut String,
    text: impl Fn(&mut Random, u64, &mut String) -> bool,
) {
    let (id, user, time) = (r.next(), r.below(5000), 1_719_340_000 + r.below(1_000_000));
    let _ = write!(
        out,
        r#"{{"object":"compliance.workspace.conversation","id":"{id:016x}","workspace_id":"ws-1","user_id":"user-{user}","user_email":"person{user}@example.com","created_at":{time}.25,"last_active_at":{time}.975786,"title":"About {}","messages":{{"object":"list","data":["#,
        r.pick(WORDS)
    );
    for n in 0..messages {
        if n > 0 {
            out.push(',');
        }
        let role = ["system", "user", "assistant", "tool"][if n == 0 { 0 } else { 1 + r.below(3) as usize }];
        let _ = write!(
            out,
            r#"{{"object":"compliance.workspace.conversation.message","id":"m-{id:x}-{n}","parent_id":null,"created_at":{time}.{n:06},"gpt_id":null,"author":{{"object":"compliance.workspace.conversation.message.author","role":"{role}","tool_name":null}},"content":"#
        );
        let start = out.len();
        out.push_str(r#"{"type":"text","annotations":[],"value":""#);
        if text(r, n, out) {
            out.push_str("\"}");
        } else {
            out.truncate(start);
            out.push_str("null");
        }
        out.push_str(r#","files":{"object":"list","data":[],"has_more":false,"last_id":null}}"#);
    }
    out.push_str("],\"has_more\":false,\"last_id\":null}}\n");
}

/// Conversations of about `record` bytes each, of messages of about a kilobyte.
pub fn conversations_of(record: usize, bytes: usize, seed: u64) -> Vec<u8> {
    // A conversation without messages, and a message without text, in bytes.
    const FRAME: usize = 310;
    const MESSAGE: usize = 400;
    let mut r = Random(seed);
    let mut out = String::with_capacity(bytes + 2 * record);
    let messages = (record.saturating_sub(FRAME) / 1050).max(1);
    let mean = (record.saturating_sub(FRAME) / messages).saturating_sub(MESSAGE);
    while out.len() < bytes {
        conversation(&mut r, messages as u64, &mut out, |r, _, text| {
            let until = text.len() + mean / 2 + r.below(mean as u64) as usize;
            while text.len() < until {
                text.push_str(r.pick(WORDS));
                text.push(' ');
            }
            true
        });
    }
    out.into_bytes()
}

/// Flat records with so many leaves that a generated mapping knows (`f0`, `f1`, …) and so many that
/// none does.
pub fn flat(mapped: usize, unmapped: usize, bytes: usize, seed: u64) -> Vec<u8> {
    let mut r = Random(seed);
    let mut out = String::with_capacity(bytes + 65536);
    while out.len() < bytes {
        let _ = write!(out, r#"{{"kind":"flat","time":{}"#, 1_749_600_000 + r.below(1_000_000));
        for (letter, count) in [('f', mapped), ('u', unmapped)] {
            for n in 0..count {
                let _ = write!(out, r#","{letter}{n}":"{} {:x}""#, r.pick(CITIES), r.next() >> 40);
            }
        }
        out.push_str("}\n");
    }
    out.into_bytes()
}

/// The records of an NDJSON text as one array, a record a line.
pub fn array(ndjson: &[u8]) -> Vec<u8> {
    let mut out = b"[\n".to_vec();
    for line in ndjson.split(|&b| b == b'\n').filter(|l| !l.is_empty()) {
        if out.len() > 2 {
            out.extend_from_slice(b",\n");
        }
        out.extend_from_slice(line);
    }
    out.extend_from_slice(b"\n]\n");
    out
}

/// The records of an NDJSON text as one list envelope in one line.
pub fn envelope(ndjson: &[u8]) -> Vec<u8> {
    let mut out = br#"{"object":"list","data":["#.to_vec();
    for line in ndjson.split(|&b| b == b'\n').filter(|l| !l.is_empty()) {
        if !out.ends_with(b"[") {
            out.push(b',');
        }
        out.extend_from_slice(line);
    }
    out.extend_from_slice(br#"],"has_more":false}"#);
    out
}
