//! Threads, order and back-pressure: inputs in, outputs out in input order, counts at the end.
//! Knows nothing of what is done to one record.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::input::{self, InputError, Place, Reader};
use crate::metrics::Counts;
use crate::normalize::{self, Dead, NamesOf, Output, Scratch};
use crate::ops::{self, time::Instant};
use crate::plan::Plan;
use crate::records::{Batch, Cutter, Framing, Limits};

/// An input under the name that reports use.
#[derive(Debug)]
pub struct Input {
    pub name: String,
    pub from: From,
}

#[derive(Debug)]
pub enum From {
    Place(Place),
    /// Bytes that are in memory already.
    Memory(Vec<u8>),
}

impl Input {
    pub fn place(place: Place) -> Input {
        Input { name: place.name(), from: From::Place(place) }
    }
}

/// Where the time of parsing comes from.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    System,
    Fixed(Instant),
}

impl Clock {
    fn now(self) -> Instant {
        match self {
            Clock::Fixed(instant) => instant,
            Clock::System => {
                let now = std::time::SystemTime::now()
                    .duration_since(std::time::UNIX_EPOCH)
                    .unwrap_or(Duration::ZERO);
                Instant { secs: now.as_secs() as i64, nanos: now.subsec_nanos() }
            }
        }
    }
}

#[derive(Clone, Debug)]
pub struct Settings {
    pub framing: Framing,
    pub limits: Limits,
    /// Workers; 1 does everything on the calling thread.
    pub threads: usize,
    /// Read regular files from a memory map.
    pub map: bool,
    pub clock: Clock,
    /// What row ids are made from; equal seeds give equal ids.
    pub seed: u128,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            framing: Framing::Auto,
            limits: Limits::default(),
            threads: std::thread::available_parallelism().map_or(1, |n| n.get()),
            map: false,
            clock: Clock::System,
            seed: random_seed(),
        }
    }
}

/// The standard library's hash keys are the randomness of the operating system.
fn random_seed() -> u128 {
    let half = || RandomState::new().build_hasher().finish() as u128;
    half() << 64 | half()
}

/// Where everything goes, in input order.
pub struct Sinks<'a> {
    /// By target; `None` counts only.
    pub targets: Vec<Option<Box<dyn Write + Send + 'a>>>,
    pub dead: &'a mut (dyn FnMut(&Dead, &NamesOf) -> Result<(), Error> + Send),
    /// Called after every batch: records, and bytes taken from the inputs.
    pub progress: &'a mut (dyn FnMut(u64, u64) + Send),
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    pub counts: Counts,
    pub inputs: Vec<InputOutcome>,
}

#[derive(Clone, Debug)]
pub struct InputOutcome {
    pub name: String,
    pub records: u64,
    /// After decompression.
    pub bytes: u64,
    pub error: Option<String>,
}

/// Where a batch stood, when the batch itself is gone.
#[derive(Clone, Copy, Debug)]
struct Stand {
    input: u32,
    base: u64,
    line: u64,
    len: u64,
}

impl Stand {
    fn of(batch: &Batch) -> Stand {
        Stand { input: batch.input, base: batch.base, line: batch.line, len: batch.bytes.len() as u64 }
    }
}

/// What the reader tells, in input order.
enum Event<T> {
    Begin { name: String },
    Batch(T),
    Failed(InputError),
}

/// Runs every input through the plan.
pub fn run(
    plan: &Plan,
    inputs: Vec<Input>,
    settings: &Settings,
    sinks: &mut Sinks,
) -> Result<Outcome, Error> {
    let read = Arc::new(AtomicU64::new(0));
    let mut writer = Writer { plan, sinks, settings, records: 0, inputs: Vec::new(), read: read.clone() };
    let counts = if settings.threads <= 1 {
        alone(plan, inputs, settings, read, &mut writer)?
    } else {
        together(plan, inputs, settings, read, &mut writer)?
    };
    let inputs = writer.inputs;
    for target in sinks.targets.iter_mut().flatten() {
        target.flush().map_err(|e| Error::io("cannot write the output", e))?;
    }
    Ok(Outcome { counts, inputs })
}

/// Every batch of every input, in order.
struct Feed<'a> {
    plan: &'a Plan,
    settings: &'a Settings,
    read: Arc<AtomicU64>,
    inputs: std::vec::IntoIter<Input>,
    /// The number of the next input.
    number: u32,
    state: Feeding,
}

enum Feeding {
    Between,
    /// An input was announced, and is opened next.
    Begun(From, String),
    Cutting(Box<Cutter>),
}

impl<'a> Feed<'a> {
    fn new(plan: &'a Plan, inputs: Vec<Input>, settings: &'a Settings, read: Arc<AtomicU64>) -> Feed<'a> {
        Feed { plan, settings, read, inputs: inputs.into_iter(), number: 0, state: Feeding::Between }
    }

    /// What comes next; `spare` is the memory of an old batch.
    fn next(&mut self, spare: &mut Vec<u8>) -> Option<Event<Batch>> {
        loop {
            match std::mem::replace(&mut self.state, Feeding::Between) {
                Feeding::Between => {
                    let Input { name, from } = self.inputs.next()?;
                    self.state = Feeding::Begun(from, name.clone());
                    return Some(Event::Begin { name });
                }
                Feeding::Begun(from, name) => match self.open(from, &name) {
                    Ok(reader) => self.state = Feeding::Cutting(Box::new(self.cutter(reader))),
                    Err(e) => {
                        self.number += 1;
                        return Some(Event::Failed(e));
                    }
                },
                Feeding::Cutting(mut cutter) => match cutter.next(std::mem::take(spare)) {
                    None => self.number += 1,
                    Some(batch) => {
                        self.state = Feeding::Cutting(cutter);
                        return Some(batch.map_or_else(Event::Failed, Event::Batch));
                    }
                },
            }
        }
    }

    fn open(&self, from: From, name: &str) -> Result<Reader, InputError> {
        let Settings { map, threads, .. } = *self.settings;
        match from {
            From::Place(place) => input::open(&place, map, threads > 1, self.read.clone()),
            From::Memory(bytes) => {
                self.read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                Ok(Reader::of(name, std::io::Cursor::new(bytes)))
            }
        }
    }

    fn cutter(&self, reader: Reader) -> Cutter {
        let framing = match self.settings.framing {
            Framing::CloudWatch => Framing::CloudWatch,
            _ if self.plan.text_lines => Framing::Lines,
            told => told,
        };
        Cutter::new(reader, self.number, framing, self.settings.limits, &self.plan.envelope_paths)
    }
}

/// One thread: read, normalize, write, in turns.
fn alone(
    plan: &Plan,
    inputs: Vec<Input>,
    settings: &Settings,
    read: Arc<AtomicU64>,
    writer: &mut Writer,
) -> Result<Counts, Error> {
    let mut scratch = Scratch::new(plan);
    let mut output = Output::default();
    let mut spare = Vec::new();
    let mut feed = Feed::new(plan, inputs, settings, read);
    while let Some(event) = feed.next(&mut spare) {
        let Some(batch) = writer.note(event) else { continue };
        let stand = Stand::of(&batch);
        let worked = work(plan, &batch, settings, &mut scratch, &mut output);
        spare = batch.bytes;
        match worked {
            Ok(()) => writer.write(stand, &mut output)?,
            Err(message) => return Err(writer.panicked(stand, message)),
        }
    }
    Ok(scratch.into_counts())
}

/// A panic is a bug of ours: it ends the run with the place, and never hangs it.
fn work(
    plan: &Plan,
    batch: &Batch,
    settings: &Settings,
    scratch: &mut Scratch,
    output: &mut Output,
) -> Result<(), String> {
    let now = settings.clock.now();
    catch_unwind(AssertUnwindSafe(|| normalize::batch(plan, batch, &settings.limits, now, scratch, output)))
        .map_err(|panic| {
            let text = panic.downcast_ref::<&str>().map(|s| s.to_string());
            text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panic".into())
        })
}

/// Reads every record of the inputs without normalizing any: its text and the source that
/// recognises it. What is no record becomes a dead letter, told with the name of its input.
pub fn each_record(
    plan: &Plan,
    inputs: Vec<Input>,
    settings: &Settings,
    f: &mut normalize::Watch,
    dead: &mut dyn FnMut(&Dead, &str) -> Result<(), Error>,
) -> Result<Vec<InputOutcome>, Error> {
    let mut scratch = Scratch::new(plan);
    let mut output = Output::default();
    let mut seen: Vec<InputOutcome> = Vec::new();
    let mut spare = Vec::new();
    let mut feed = Feed::new(plan, inputs, settings, Arc::default());
    while let Some(event) = feed.next(&mut spare) {
        match event {
            Event::Begin { name } => seen.push(InputOutcome { name, records: 0, bytes: 0, error: None }),
            Event::Failed(e) => {
                if let Some(input) = seen.last_mut() {
                    input.error = Some(e.what);
                }
            }
            Event::Batch(batch) => {
                normalize::records(plan, &batch, &settings.limits, &mut scratch, &mut output, f);
                let Some(input) = seen.last_mut() else { continue };
                for letter in &mut output.dead {
                    letter.byte += batch.base;
                    letter.index += input.records;
                    dead(letter, &input.name)?;
                }
                input.records += output.records;
                input.bytes = batch.base + batch.bytes.len() as u64;
                spare = batch.bytes;
            }
        }
    }
    Ok(seen)
}

/// Workers of a pool, each of which reads what it works on and writes what is next in input order: what is
/// read stays in the cache of whoever works on it, and nobody is woken for what could be done at once.
fn together(
    plan: &Plan,
    inputs: Vec<Input>,
    settings: &Settings,
    read: Arc<AtomicU64>,
    writer: &mut Writer,
) -> Result<Counts, Error> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(settings.threads)
        .thread_name(|i| format!("worker-{i}"))
        .build()
        .map_err(|e| Error::Usage(format!("cannot start {} threads: {e}", settings.threads)))?;
    let feed = Mutex::new((Feed::new(plan, inputs, settings, read), 0));
    let turn = Turn {
        state: Mutex::new(Ordered::new(writer)),
        room: Condvar::new(),
        most: settings.threads * 2 + 2,
    };
    let counted = pool.broadcast(|_| {
        // A worker that finds nothing left to read has nothing to count.
        let mut scratch = None;
        let (mut spare, mut output) = (Vec::new(), Output::default());
        while let Some((number, mut done, batch)) = read_next(&feed, &mut spare) {
            if let Some(batch) = batch {
                let scratch = scratch.get_or_insert_with(|| Scratch::new(plan));
                let worked = work(plan, &batch, settings, scratch, &mut output);
                done.push(Event::Batch((Stand::of(&batch), worked.map(|()| std::mem::take(&mut output)))));
                spare = batch.bytes;
            }
            match turn.finish(number, done) {
                Some(spare) => output = spare,
                None => break,
            }
        }
        scratch.map(Scratch::into_counts)
    });
    turn.state.into_inner().unwrap_or_else(|e| e.into_inner()).result?;
    let mut counts = Counts::new(plan);
    counted.iter().flatten().for_each(|worker| counts.merge(worker));
    Ok(counts)
}

/// What was read before a batch, and then what became of it.
type Done = Vec<Event<(Stand, Result<Output, String>)>>;

/// The next batch, its number in the order in which they are read, and what was read before it.
fn read_next(feed: &Mutex<(Feed, u64)>, spare: &mut Vec<u8>) -> Option<(u64, Done, Option<Batch>)> {
    // Whoever panicked while it read ends the run.
    let (feed, number) = &mut *feed.lock().ok()?;
    let mut before = Vec::new();
    let batch = loop {
        match feed.next(spare) {
            Some(Event::Batch(batch)) => break Some(batch),
            Some(Event::Begin { name }) => before.push(Event::Begin { name }),
            Some(Event::Failed(e)) => before.push(Event::Failed(e)),
            None if before.is_empty() => return None,
            None => break None,
        }
    };
    *number += 1;
    Some((*number - 1, before, batch))
}

/// The writer, and what is done before its turn.
struct Turn<'a, 'b, 'c> {
    state: Mutex<Ordered<'a, 'b, 'c>>,
    room: Condvar,
    /// Batches that may be done before their turn: more wait.
    most: usize,
}

struct Ordered<'a, 'b, 'c> {
    writer: &'a mut Writer<'b, 'c>,
    /// Whose turn it is.
    next: u64,
    done: BTreeMap<u64, Done>,
    waiting: usize,
    /// What was written.
    spare: Vec<Output>,
    result: Result<(), Error>,
}

impl<'a, 'b, 'c> Ordered<'a, 'b, 'c> {
    fn new(writer: &'a mut Writer<'b, 'c>) -> Self {
        let (done, spare) = (BTreeMap::new(), Vec::new());
        Ordered { writer, next: 0, done, waiting: 0, spare, result: Ok(()) }
    }
}

impl Turn<'_, '_, '_> {
    /// Writes a batch and those behind it that are done, or leaves it for whoever does those before it.
    /// Gives the memory of an old output, unless the run is at an end.
    fn finish(&self, number: u64, done: Done) -> Option<Output> {
        // A sink that panics ends the run for those who wait, too.
        let _wake = Wake(&self.room);
        let mut state = self.state.lock().ok()?;
        while state.next != number && state.done.len() >= self.most && state.result.is_ok() {
            state.waiting += 1;
            state = self.room.wait(state).ok()?;
            state.waiting -= 1;
        }
        let Ordered { writer, next, done: others, waiting, spare, result } = &mut *state;
        others.insert(number, done);
        let first = *next;
        while result.is_ok()
            && let Some(done) = others.remove(next)
        {
            *next += 1;
            *result = done.into_iter().try_for_each(|event| match writer.note(event) {
                None => Ok(()),
                Some((stand, Ok(mut output))) => {
                    let written = writer.write(stand, &mut output);
                    spare.push(output);
                    written
                }
                Some((stand, Err(message))) => Err(writer.panicked(stand, message)),
            });
        }
        if *waiting > 0 && (*next != first || result.is_err()) {
            self.room.notify_all();
        }
        result.is_ok().then(|| spare.pop().unwrap_or_default())
    }
}

/// Wakes everybody if its owner panics.
struct Wake<'a>(&'a Condvar);

impl Drop for Wake<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.notify_all();
        }
    }
}

struct Writer<'a, 'b> {
    plan: &'a Plan,
    sinks: &'a mut Sinks<'b>,
    settings: &'a Settings,
    records: u64,
    inputs: Vec<InputOutcome>,
    read: Arc<AtomicU64>,
}

impl Writer<'_, '_> {
    /// Notes what is no batch; gives back what is one.
    fn note<T>(&mut self, event: Event<T>) -> Option<T> {
        match event {
            Event::Batch(batch) => return Some(batch),
            Event::Begin { name } => {
                self.inputs.push(InputOutcome { name, records: 0, bytes: 0, error: None });
            }
            Event::Failed(e) => {
                if let Some(input) = self.inputs.last_mut() {
                    input.error = Some(e.what);
                }
            }
        }
        None
    }

    #[cold]
    fn panicked(&self, stand: Stand, message: String) -> Error {
        let name = self.inputs.get(stand.input as usize).map_or("?", |i| i.name.as_str());
        Error::Worker { place: format!("{name}, from line {} (byte {})", stand.line, stand.base), message }
    }

    /// Completes what only the order of the whole run can say, and writes.
    fn write(&mut self, stand: Stand, output: &mut Output) -> Result<(), Error> {
        for id in &output.row_ids {
            let record = self.records + id.record;
            let hex = match &id.content {
                Some(content) => content_id(content, record, id.event),
                None => row_id(self.settings.seed, record, id.event),
            };
            output.targets[id.target as usize][id.at..id.at + 32].copy_from_slice(&hex);
        }
        for (target, bytes) in self.sinks.targets.iter_mut().zip(&output.targets) {
            if let Some(target) = target
                && !bytes.is_empty()
            {
                target.write_all(bytes).map_err(|e| Error::io("cannot write the output", e))?;
            }
        }
        let Some(input) = self.inputs.last_mut() else {
            return Ok(());
        };
        for dead in &mut output.dead {
            dead.byte += stand.base;
            dead.index += input.records;
            let names = NamesOf {
                input: &input.name,
                source: dead.source.and_then(|s| self.plan.source_name(s as usize)),
                target: dead.target.map(|t| self.plan.targets[t as usize].name.as_str()),
            };
            (self.sinks.dead)(dead, &names)?;
        }
        input.records += output.records;
        input.bytes = stand.base + stand.len;
        self.records += output.records;
        (self.sinks.progress)(self.records, self.read.load(Ordering::Relaxed));
        Ok(())
    }
}

/// 32 hexadecimal digits that differ for every event of a run: both halves are one-to-one in the
/// record's number and the event's.
fn row_id(seed: u128, record: u64, event: u32) -> [u8; 32] {
    let first = mix((seed >> 64) as u64 ^ record);
    let second = mix(seed as u64 ^ first.rotate_left(32) ^ event as u64);
    let mut hex = [0; 32];
    for (i, digit) in hex.iter_mut().enumerate() {
        let half = if i < 16 { first } else { second };
        let nibble = (half >> (60 - 4 * (i % 16)) & 15) as u8;
        *digit = if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
    }
    hex
}

/// The first 32 hexadecimal digits of SHA-256 over `sha256:record:event`: what the record is and
/// where it stands, so that a second run gives the same.
fn content_id(content: &[u8; 32], record: u64, event: u32) -> [u8; 32] {
    let mut text = String::new();
    ops::push_hex(content, &mut text);
    text.push_str(&format!(":{record}:{event}"));
    let mut hex = String::new();
    ops::push_hex(&Sha256::digest(text.as_bytes())[..16], &mut hex);
    let mut id = [b'0'; 32];
    id.copy_from_slice(hex.as_bytes());
    id
}

/// The finalizer of SplitMix64: a permutation of 64 bits.
fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog;
    use crate::plan::Request;

    #[test]
    fn those_far_ahead_of_their_turn_wait() {
        let plan = Plan::compile(&catalog::load(&[]).unwrap(), &Request::default()).unwrap();
        let settings = Settings::default();
        let mut written = Vec::new();
        let mut progress = |records: u64, _: u64| written.push(records);
        let mut sinks = Sinks { targets: Vec::new(), dead: &mut |_, _| Ok(()), progress: &mut progress };
        let read = Arc::default();
        let mut writer = Writer {
            plan: &plan,
            sinks: &mut sinks,
            settings: &settings,
            records: 0,
            inputs: Vec::new(),
            read,
        };
        let turn = Turn { state: Mutex::new(Ordered::new(&mut writer)), room: Condvar::new(), most: 2 };
        // Each is told by how many records it has.
        let batch = |number: u64| {
            let begin = Event::Begin { name: number.to_string() };
            let stand = Stand { input: 0, base: 0, line: 1, len: 0 };
            let output = Output { records: 1 << number, ..Output::default() };
            vec![begin, Event::Batch((stand, Ok(output)))]
        };
        assert!(turn.finish(1, batch(1)).is_some() && turn.finish(2, batch(2)).is_some());
        std::thread::scope(|threads| {
            let far = threads.spawn(|| turn.finish(3, batch(3)).is_some());
            while turn.state.lock().unwrap().waiting == 0 {
                assert!(!far.is_finished(), "it does not wait");
                std::thread::yield_now();
            }
            assert!(turn.finish(0, batch(0)).is_some());
            assert!(far.join().unwrap());
        });
        assert!(turn.state.into_inner().unwrap().result.is_ok());
        drop(sinks);
        assert_eq!(written, [1, 3, 7, 15]);
    }
}
