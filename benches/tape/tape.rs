//! The two jobs of `benches/peers/JOBS.md` written by hand over simd-json's tape, with its buffers
//! reused: the yardstick for what reading without a document tree is worth. Does only these jobs,
//! and stops at the first record that is wrong.

use logmill::json::push_quoted;
use logmill::ops::time::{Fraction, Instant, write_rfc3339};
use simd_json::prelude::*;
use simd_json::tape::{Object, Value};
use simd_json::{Buffers, Tape, fill_tape};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Job {
    Audit,
    Conversation,
}

/// One worker's memory.
#[derive(Default)]
pub struct Worker {
    buffers: Buffers,
    nodes: Option<Tape<'static>>,
    line: Vec<u8>,
}

impl Worker {
    /// Every record of an NDJSON text.
    pub fn run(&mut self, job: Job, text: &[u8], out: &mut Vec<u8>) {
        for line in text.split(|&b| b == b'\n').filter(|l| !l.is_empty()) {
            self.line.clear();
            self.line.extend_from_slice(line);
            let mut tape = self.nodes.take().unwrap_or_else(Tape::null).reset();
            fill_tape(&mut self.line, &mut self.buffers, &mut tape).expect("a record is JSON");
            let value = tape.as_value();
            let record = value.as_object().expect("a record is an object");
            match job {
                Job::Audit => audit(&record, out),
                Job::Conversation => conversation(&record, out),
            }
            out.push(b'\n');
            self.nodes = Some(tape.reset());
        }
    }
}

type Text<'a> = Option<&'a str>;

#[derive(Clone, Copy, Default)]
struct User<'a> {
    id: Text<'a>,
    email: Text<'a>,
    role: Text<'a>,
}

#[derive(Clone, Copy, Default)]
struct Key<'a> {
    id: Text<'a>,
    kind: Text<'a>,
    user: User<'a>,
    service_account: Text<'a>,
}

#[derive(Clone, Copy, Default)]
struct Named<'a> {
    id: Text<'a>,
    name: Text<'a>,
}

fn each<'t, 'i>(value: Value<'t, 'i>, mut f: impl FnMut(&'i str, Value<'t, 'i>)) {
    if let Some(object) = value.as_object() {
        object.iter().for_each(|(key, value)| f(key, value));
    }
}

fn text<'i>(value: Value<'_, 'i>) -> Text<'i> {
    value.into_string()
}

fn user<'i>(value: Value<'_, 'i>) -> User<'i> {
    let (mut user, mut changed) = (User::default(), None);
    each(value, |key, value| match key {
        "id" => user.id = text(value),
        "email" => user.email = text(value),
        "data" => each(value, |key, value| {
            if key == "role" {
                user.role = text(value);
            }
        }),
        "changes_requested" => each(value, |key, value| {
            if key == "role" {
                changed = text(value);
            }
        }),
        _ => {}
    });
    user.role = user.role.or(changed);
    user
}

fn id<'i>(value: Value<'_, 'i>) -> Text<'i> {
    named(value).id
}

fn named<'i>(value: Value<'_, 'i>) -> Named<'i> {
    let (mut named, mut inner) = (Named::default(), None);
    each(value, |key, value| match key {
        "id" => named.id = text(value),
        "name" => named.name = text(value),
        "data" => each(value, |key, value| {
            if key == "name" {
                inner = text(value);
            }
        }),
        _ => {}
    });
    named.name = inner.or(named.name);
    named
}

fn api_key<'i>(value: Value<'_, 'i>) -> Key<'i> {
    let mut api_key = Key::default();
    each(value, |key, value| match key {
        "id" => api_key.id = text(value),
        "type" => api_key.kind = text(value),
        "user" => api_key.user = User { role: None, ..user(value) },
        "service_account" => api_key.service_account = id(value),
        _ => {}
    });
    api_key
}

/// Writes an object whose members may all be missing, and then it is.
struct Writer<'o> {
    out: &'o mut Vec<u8>,
    /// Where each open object begins, with its key.
    open: Vec<(usize, usize)>,
}

impl Writer<'_> {
    fn key(&mut self, key: &str) {
        if !self.out.ends_with(b"{") {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }
    fn text(&mut self, key: &str, value: Text) {
        if let Some(value) = value {
            self.key(key);
            push_quoted(value, self.out);
        }
    }
    fn object(&mut self, key: &str, f: impl FnOnce(&mut Self)) {
        let before = self.out.len();
        self.key(key);
        self.out.push(b'{');
        self.open.push((before, self.out.len()));
        f(self);
        let (before, start) = self.open.pop().expect("opened above");
        match self.out.len() == start {
            true => self.out.truncate(before),
            false => self.out.push(b'}'),
        }
    }
    fn user(&mut self, user: &User) {
        self.object("user", |w| {
            w.text("id", user.id);
            w.text("email", user.email);
            w.text("role", user.role);
        });
    }
    fn api_key(&mut self, api_key: &Key) {
        self.object("api_key", |w| {
            w.text("id", api_key.id);
            w.text("type", api_key.kind);
            w.user(&api_key.user);
            w.object("service_account", |w| w.text("id", api_key.service_account));
        });
    }
    fn time(&mut self, key: &str, instant: Instant) {
        self.key(key);
        self.out.push(b'"');
        write_rfc3339(instant, Fraction::Auto, self.out);
        self.out.push(b'"');
    }
}

fn audit(record: &Object, out: &mut Vec<u8>) {
    let (mut event, mut event_type, mut secs) = (None, None, 0);
    let (mut actor_type, mut session, mut flat) = (None, User::default(), User::default());
    let (mut actor_account, mut actor_key) = (None, Key::default());
    let (mut project, mut key, mut person, mut account) =
        (Named::default(), Key::default(), User::default(), Named::default());
    for (name, value) in record.iter() {
        match name {
            "id" => event = text(value),
            "type" => event_type = text(value),
            "effective_at" => secs = value.as_i64().unwrap_or_default(),
            "actor" => each(value, |name, value| match name {
                "type" => actor_type = text(value),
                "session" => each(value, |name, value| {
                    if name == "user" {
                        session = user(value);
                    }
                }),
                "user" => flat = user(value),
                "service_account" => actor_account = id(value),
                "api_key" => actor_key = api_key(value),
                _ => {}
            }),
            "project" => project = named(value),
            "api_key.created" | "api_key.updated" | "api_key.deleted" => key = api_key(value),
            "user.added" | "user.updated" | "user.deleted" => person = user(value),
            "service_account.created" | "service_account.updated" | "service_account.deleted" => {
                account = named(value)
            }
            _ => {}
        }
    }
    let actor = User { id: session.id.or(flat.id), email: session.email.or(flat.email), role: None };
    let time = Instant { secs, nanos: 0 };
    out.push(b'{');
    let mut w = Writer { out, open: Vec::new() };
    w.text("id", event);
    w.text("type", event_type);
    w.time("effective_at", time);
    w.object("actor", |w| {
        w.text("type", actor_type);
        w.user(&actor);
        w.object("service_account", |w| w.text("id", actor_account));
        w.api_key(&actor_key);
    });
    w.object("project", |w| {
        w.text("id", project.id);
        w.text("name", project.name);
    });
    w.api_key(&key);
    w.user(&person);
    w.object("service_account", |w| {
        w.text("id", account.id);
        w.text("name", account.name);
    });
    w.text("p_log_type", Some("OpenAI.Audit"));
    w.time("p_event_time", time);
    w.text("p_parse_time", Some("2026-01-01T00:00:00.000000000Z"));
    w.key("p_row_id");
    w.out.extend_from_slice(b"\"OpenAI.Audit:");
    let quote = w.out.len();
    push_quoted(event.unwrap_or_default(), w.out);
    w.out.remove(quote);
    let emails = [actor.email, actor_key.user.email, key.user.email, person.email];
    let mut written = false;
    for (i, email) in emails.iter().enumerate() {
        let Some(email) = email.filter(|_| !emails[..i].contains(email)) else { continue };
        match written {
            true => w.out.push(b','),
            false => {
                w.key("p_any_emails");
                w.out.push(b'[');
            }
        }
        push_quoted(email, w.out);
        written = true;
    }
    if written {
        out.push(b']');
    }
    out.push(b'}');
}

fn conversation(record: &Object, out: &mut Vec<u8>) {
    let (mut id, mut object, mut title, mut created) = (None, None, None, 0.0);
    let (mut user_id, mut email, mut workspace) = (None, None, None);
    let mut messages = None;
    for (name, value) in record.iter() {
        match name {
            "id" => id = text(value),
            "object" => object = text(value),
            "title" => title = text(value),
            "created_at" => created = value.cast_f64().unwrap_or_default(),
            "user_id" => user_id = text(value),
            "user_email" => email = text(value),
            "workspace_id" => workspace = text(value),
            "messages" => each(value, |name, value| {
                if name == "data" {
                    messages = Some(value);
                }
            }),
            _ => {}
        }
    }
    let micros = (created * 1e6).round() as i64;
    let time =
        Instant { secs: micros.div_euclid(1_000_000), nanos: micros.rem_euclid(1_000_000) as u32 * 1000 };
    out.push(b'{');
    let mut w = Writer { out, open: Vec::new() };
    w.object("metadata", |w| {
        w.time("event_timestamp", time);
        w.text("event_type", Some("GENERIC_EVENT"));
        w.text("vendor_name", Some("OpenAI"));
        w.text("product_name", Some("ChatGPT Audit Logs"));
    });
    w.object("principal", |w| {
        w.object("user", |w| {
            w.text("userid", user_id);
            if let Some(email) = email {
                w.key("email_addresses");
                w.out.push(b'[');
                push_quoted(email, w.out);
                w.out.push(b']');
            }
            w.object("attribute", |w| labels(messages, w));
        });
        w.object("resource", |w| {
            w.text("resource_subtype", title);
            w.text("name", object);
            w.text("product_object_id", id);
        });
    });
    w.object("additional", |w| w.object("fields", |w| w.text("workspace_id", workspace)));
    out.push(b'}');
}

/// One label per message with a text, under its author's role.
fn labels(messages: Option<Value>, w: &mut Writer) {
    let Some(messages) = messages.and_then(|m| m.as_array()) else { return };
    let mut written = false;
    for message in messages.iter() {
        let (mut role, mut kind, mut content) = (None, None, None);
        each(message, |name, value| match name {
            "author" => each(value, |name, value| {
                if name == "role" {
                    role = text(value);
                }
            }),
            "content" => each(value, |name, value| match name {
                "type" => kind = text(value),
                "value" => content = text(value),
                _ => {}
            }),
            _ => {}
        });
        let (Some("text"), Some(content)) = (kind, content) else { continue };
        match written {
            true => w.out.push(b','),
            false => {
                w.key("labels");
                w.out.push(b'[');
            }
        }
        written = true;
        w.out.push(b'{');
        w.text("key", role);
        w.text("value", Some(content));
        w.out.push(b'}');
    }
    if written {
        w.out.push(b']');
    }
}
