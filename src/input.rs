//! Bytes: opening stdin, files and folders, and undoing gzip and zstd. The only module beside
//! `catalog` that opens files; knows nothing of records.

use std::fs::File;
use std::io::{self, BufReader, Chain, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};

use crate::error::Error;

/// Where bytes come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    Stdin,
    File(PathBuf),
}

impl Place {
    pub fn name(&self) -> String {
        match self {
            Place::Stdin => "-".into(),
            Place::File(path) => path.display().to_string(),
        }
    }
}

/// Why an input gives no (more) bytes.
#[derive(Clone, Debug)]
pub struct InputError {
    pub name: String,
    pub what: String,
}

impl std::fmt::Display for InputError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name, self.what)
    }
}

impl std::error::Error for InputError {}

/// The inputs that paths name: files as given, folders with everything below them in byte order
/// (hidden files aside), `-` for stdin, and what cannot be found.
pub fn expand(paths: &[PathBuf]) -> (Vec<Place>, Vec<InputError>) {
    let (mut places, mut errors) = (Vec::new(), Vec::new());
    for path in paths {
        if path.as_os_str() == "-" {
            places.push(Place::Stdin);
        } else {
            walk(path, &mut Vec::new(), &mut places, &mut errors);
        }
    }
    (places, errors)
}

/// `above` are the folders on the way here: a link that leads back to one of them shows nothing new.
fn walk(path: &Path, above: &mut Vec<PathBuf>, places: &mut Vec<Place>, errors: &mut Vec<InputError>) {
    let failed = |e: io::Error| InputError { name: path.display().to_string(), what: explain(&e) };
    match std::fs::metadata(path) {
        Err(e) => errors.push(failed(e)),
        // Reading a pipe that nobody writes would wait for ever: one that is named is meant, one that
        // lies in a folder is not.
        Ok(meta) if !meta.is_dir() && !meta.is_file() && !above.is_empty() => errors.push(InputError {
            name: path.display().to_string(),
            what: "is no regular file; name it to have it read".into(),
        }),
        Ok(meta) if !meta.is_dir() => places.push(Place::File(path.to_path_buf())),
        Ok(_) => match std::fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
            Err(e) => errors.push(failed(e)),
            Ok(entries) => {
                let visible =
                    |p: &PathBuf| !p.file_name().is_some_and(|n| n.as_encoded_bytes().starts_with(b"."));
                let mut inner: Vec<PathBuf> = entries.into_iter().map(|e| e.path()).filter(visible).collect();
                inner.sort_by(|a, b| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
                let real = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
                if above.contains(&real) {
                    return;
                }
                above.push(real);
                inner.iter().for_each(|p| walk(p, above, places, errors));
                above.pop();
            }
        },
    }
}

fn explain(e: &io::Error) -> String {
    match e.kind() {
        io::ErrorKind::NotFound => "no such file or folder".into(),
        io::ErrorKind::PermissionDenied => "may not be read".into(),
        _ => e.to_string(),
    }
}

/// The bytes of a small file that is no input: a key.
pub fn key(path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |what: String| Error::Usage(format!("{}: {what}", path.display()));
    let bytes = std::fs::read(path).map_err(|e| failed(explain(&e)))?;
    if bytes.len() > 64 << 10 { Err(failed("too long for a key".into())) } else { Ok(bytes) }
}

/// Bytes of the disk that the inputs will take, where that can be known.
pub fn size(places: &[Place]) -> Option<u64> {
    places
        .iter()
        .map(|place| match place {
            Place::Stdin => None,
            Place::File(path) => std::fs::metadata(path).ok().filter(|m| m.is_file()).map(|m| m.len()),
        })
        .sum()
}

/// An open input: decompressed bytes, and whether they come as somebody writes them.
pub struct Reader {
    name: String,
    /// Waiting for a full buffer would keep records from whoever waits for them.
    pub live: bool,
    inner: Box<dyn Read + Send>,
}

impl Reader {
    /// Bytes that are in memory already, for tests and benchmarks.
    pub fn of(name: &str, bytes: impl Read + Send + 'static) -> Reader {
        Reader { name: name.into(), live: false, inner: Box::new(bytes) }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The next bytes; 0 at the end.
    pub fn read(&mut self, out: &mut [u8]) -> Result<usize, InputError> {
        loop {
            match self.inner.read(out) {
                Ok(n) => return Ok(n),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => {
                    return Err(InputError { name: self.name.clone(), what: explain(&e) });
                }
            }
        }
    }
}

/// Opens an input. `read` counts the bytes taken from it, before decompression. With `map`,
/// regular files are read from a memory map: a file that shrinks meanwhile ends with an error,
/// but one that shrinks in the very moment of a read can still stop the program, which plain
/// reading never does.
/// With `ahead`, compressed inputs are read on a thread of their own.
pub fn open(place: &Place, map: bool, ahead: bool, read: Arc<AtomicU64>) -> Result<Reader, InputError> {
    let name = place.name();
    let failed = |e: io::Error| InputError { name: name.clone(), what: explain(&e) };
    match place {
        Place::Stdin => {
            let counted = Counted { inner: io::stdin(), read };
            Ok(Reader { inner: decompress(counted, ahead).map_err(failed)?, name, live: true })
        }
        Place::File(path) => {
            let file = File::open(path).map_err(failed)?;
            let meta = file.metadata().map_err(failed)?;
            if meta.is_dir() {
                return Err(InputError { name, what: "is a folder".into() });
            }
            let live = !meta.is_file();
            let inner = if map && meta.is_file() && meta.len() > 0 {
                decompress(Counted { inner: Mapped::new(file).map_err(failed)?, read }, ahead)
            } else {
                let expected = meta.is_file().then_some(meta.len());
                decompress(Counted { inner: Sized { file, expected, seen: 0 }, read }, ahead)
            };
            Ok(Reader { inner: inner.map_err(failed)?, name, live })
        }
    }
}

struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(out)?;
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// A regular file that must be at least as long as it was when it was opened.
struct Sized {
    file: File,
    expected: Option<u64>,
    seen: u64,
}

impl Read for Sized {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(out)?;
        self.seen += n as u64;
        match self.expected {
            // Files of the kernel say they are empty; only a size that was promised is held to.
            Some(expected) if n == 0 && !out.is_empty() && self.seen < expected => Err(shrunk()),
            _ => Ok(n),
        }
    }
}

fn shrunk() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the file shrank while it was read")
}

struct Mapped {
    file: File,
    map: memmap2::Mmap,
    at: usize,
}

impl Mapped {
    #[allow(unsafe_code)]
    fn new(file: File) -> io::Result<Mapped> {
        // SAFETY: the map is only read, through `read` below, which looks at the file's length
        // before it touches a page; what another process does to the file between the two is the
        // hazard that `open` documents and the reason why mapping is not the default. The bytes are
        // copied out at once, so no reference into the map outlives the check.
        let map = unsafe { memmap2::Mmap::map(&file)? };
        Ok(Mapped { file, map, at: 0 })
    }
}

impl Read for Mapped {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = out.len().min(self.map.len() - self.at);
        if self.file.metadata()?.len() < (self.at + n) as u64 {
            return Err(shrunk());
        }
        out[..n].copy_from_slice(&self.map[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

type Begun<R> = Chain<Cursor<Vec<u8>>, R>;

/// Undoes gzip (any number of members) and zstd (any number of frames), known by their first
/// bytes and not by a name.
///
/// `ahead` does so on a thread of its own: undoing gzip costs as much as all the rest together.
fn decompress<R: Read + Send + 'static>(mut raw: R, ahead: bool) -> io::Result<Box<dyn Read + Send>> {
    let mut first = vec![0; ZSTD.len()];
    let mut got = 0;
    while got < first.len() {
        match raw.read(&mut first[got..])? {
            0 => break,
            n => got += n,
        }
    }
    first.truncate(got);
    let gzip = first.starts_with(GZIP);
    let zstd = first.starts_with(ZSTD);
    let whole: Begun<R> = Cursor::new(first).chain(raw);
    let plain: Box<dyn Read + Send> = if gzip {
        Box::new(Early::new(flate2::read::MultiGzDecoder::new(whole), "gzip"))
    } else if zstd {
        let buffered = BufReader::with_capacity(128 * 1024, whole);
        Box::new(Early::new(zstd::stream::read::Decoder::with_buffer(buffered)?, "zstd"))
    } else {
        return Ok(Box::new(whole));
    };
    if ahead { Ok(Box::new(Ahead::of(plain)?)) } else { Ok(plain) }
}

/// A reader that is read by a thread of its own, a few pieces ahead.
struct Ahead {
    pieces: Receiver<io::Result<Vec<u8>>>,
    spare: Sender<Vec<u8>>,
    piece: Vec<u8>,
    at: usize,
    ended: bool,
}

const PIECE: usize = 256 << 10;

impl Ahead {
    fn of(mut inner: Box<dyn Read + Send>) -> io::Result<Ahead> {
        let (send, pieces) = sync_channel(4);
        let (spare, back) = channel::<Vec<u8>>();
        std::thread::Builder::new().name("decompress".into()).spawn(move || {
            loop {
                let mut piece = back.try_recv().unwrap_or_default();
                piece.resize(PIECE, 0);
                let read = match inner.read(&mut piece) {
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                    Err(e) => Err(e),
                    Ok(n) => {
                        piece.truncate(n);
                        Ok(piece)
                    }
                };
                let last = !matches!(&read, Ok(piece) if !piece.is_empty());
                // Nobody listens any more when the run has ended early.
                if send.send(read).is_err() || last {
                    return;
                }
            }
        })?;
        Ok(Ahead { pieces, spare, piece: Vec::new(), at: 0, ended: false })
    }
}

impl Read for Ahead {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.piece.len() && !self.ended {
            let done = std::mem::take(&mut self.piece);
            self.at = 0;
            // The end is an empty piece; a thread that is gone without one has not read everything.
            let gone = || Err(io::Error::other("the decompressing thread stopped"));
            let piece = self.pieces.recv().unwrap_or_else(|_| gone());
            self.ended = !matches!(&piece, Ok(piece) if !piece.is_empty());
            let _ = self.spare.send(done);
            self.piece = piece?;
        }
        let n = out.len().min(self.piece.len() - self.at);
        out[..n].copy_from_slice(&self.piece[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

/// Says of a compressed stream that ends early that it does. Always asks for as much at a time:
/// what a decoder still gives of a stream that is cut off depends on how it is asked.
struct Early<R> {
    inner: R,
    what: &'static str,
    piece: Vec<u8>,
    given: usize,
}

impl<R> Early<R> {
    fn new(inner: R, what: &'static str) -> Early<R> {
        Early { inner, what, piece: Vec::new(), given: 0 }
    }
}

impl<R: Read> Read for Early<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.given == self.piece.len() {
            self.given = 0;
            self.piece.resize(DECODED, 0);
            let read = self.inner.read(&mut self.piece);
            self.piece.truncate(*read.as_ref().unwrap_or(&0));
            self.explained(read)?;
        }
        let n = out.len().min(self.piece.len() - self.given);
        out[..n].copy_from_slice(&self.piece[self.given..self.given + n]);
        self.given += n;
        Ok(n)
    }
}

const DECODED: usize = 64 << 10;

impl<R> Early<R> {
    fn explained(&self, read: io::Result<usize>) -> io::Result<usize> {
        read.map_err(|e| match e.kind() {
            io::ErrorKind::Interrupted => e,
            io::ErrorKind::UnexpectedEof if e.to_string().contains("shrank") => e,
            io::ErrorKind::UnexpectedEof => {
                io::Error::new(e.kind(), format!("the {} stream ends early", self.what))
            }
            kind => io::Error::new(kind, format!("the {} stream is damaged: {e}", self.what)),
        })
    }
}
