//! What stops the program, and how it is said: every error that costs the run carries its place.
//! Knows nothing of records: what is wrong with one record is a verdict, not an error.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// The whole text of a file, shared by all that speak of it.
#[derive(Clone, Debug)]
pub enum Text {
    /// Part of the program: never copied.
    Embedded(&'static str),
    Read(Arc<str>),
}

impl std::ops::Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Text::Embedded(text) => text,
            Text::Read(text) => text,
        }
    }
}

/// One complaint about a mapping file, with the text it speaks of.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    pub file: Arc<str>,
    pub text: Text,
    /// Bytes of `text` that are wrong.
    pub span: Range<usize>,
    pub message: String,
    pub help: Option<String>,
}

impl Diagnostic {
    /// 1-based line and column (in characters) of the complaint.
    pub fn place(&self) -> (usize, usize) {
        let start = self.span.start.min(self.text.len());
        let before = &self.text.as_bytes()[..start];
        let line = memchr::memchr_iter(b'\n', before).count() + 1;
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |i| i + 1);
        let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
        (line, column)
    }

    /// The code frame below the first line, drawn without colours.
    fn frame(&self) -> String {
        let end = self.text.ceil_char_boundary(self.span.end.min(self.text.len()));
        let start = self.text.floor_char_boundary(self.span.start.min(end));
        // Only the first line of a long span: a frame shows where to look, not the whole block.
        let end = self.text[start..end].find('\n').map_or(end, |i| start + i);
        let snippet =
            Snippet::source(&*self.text).annotation(AnnotationKind::Primary.span(start..end.max(start)));
        let title = self.to_string();
        let mut group = Group::with_title(Level::ERROR.no_name().primary_title(&*title)).element(snippet);
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(&**help));
        }
        Renderer::plain().render(&[group]).to_string()
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.place();
        write!(f, "{}:{line}:{column}: {}", self.file, self.message)
    }
}

/// What ends a run (exit status 2).
#[derive(Debug)]
pub enum Error {
    /// Wrong use: flags or names that do not fit together.
    Usage(String),
    /// Everything wrong with the mapping files, at once.
    Mappings(Vec<Diagnostic>),
    /// Reading or writing something failed.
    Io { what: String, source: std::io::Error },
    /// A bug: a worker panicked; the place is the batch it worked on.
    Worker { place: String, message: String },
}

impl Error {
    pub fn io(what: impl Into<String>, source: std::io::Error) -> Error {
        Error::Io { what: what.into(), source }
    }

    /// The reader of our output went away, which is no failure of ours.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Error::Io { source, .. } if source.kind() == std::io::ErrorKind::BrokenPipe)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Usage(message) => f.write_str(message),
            Error::Mappings(list) => {
                for diagnostic in list {
                    writeln!(f, "{}\n", diagnostic.frame())?;
                }
                let s = if list.len() == 1 { "" } else { "s" };
                write!(f, "{} error{s} in the mappings; no record was read", list.len())
            }
            Error::Io { what, source } => write!(f, "{what}: {source}"),
            Error::Worker { place, message } => {
                write!(f, "internal error while working on {place}: {message}")
            }
        }
    }
}

impl std::error::Error for Error {}

/// The name of `names` that `word` was probably meant to be.
pub fn did_you_mean<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut best: Option<(f64, &str)> = None;
    for name in names {
        let score = strsim::jaro_winkler(&word.to_lowercase(), &name.to_lowercase());
        if score > 0.8 && best.is_none_or(|(b, _)| score > b) {
            best = Some((score, name));
        }
    }
    best.map(|(_, name)| format!("did you mean `{name}`?"))
}
