//! What can be typed.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use logmill::ops::time::{self, Instant, TimeFormat, Zone};

/// Turn OpenAI audit and ChatGPT compliance records into SIEM events, by tables.
///
/// Reads NDJSON, arrays, list envelopes, pretty-printed or concatenated JSON and JSON in syslog, plain, gzip or zstd, from
/// files, folders or stdin. Exit status: 0 everything asked for held; 1 something was refused, a
/// rate was missed or fixtures differ; 2 wrong use, unreadable input or a wrong mapping.
#[derive(Parser, Debug)]
#[command(version, max_term_width = 100)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Normalize records: files or stdin in, NDJSON events out.
    Convert(Convert),
    /// Say which records would be refused, where and why; write no events.
    Validate(Validate),
    /// Compare fixtures with what the mappings make of them.
    Check(Check),
    /// Show how much of what the sources document the mappings read.
    Coverage(Coverage),
    /// Write a Panther log schema that takes every record of the inputs.
    Infer(Infer),
    /// Show the sources, the targets and which pairs have a mapping.
    List(Mappings),
}

#[derive(Parser, Debug)]
pub struct Mappings {
    /// Lay a folder of mappings over the built-in ones (repeatable; a file of the same name wins).
    #[arg(long, value_name = "DIR")]
    pub mappings: Vec<PathBuf>,
}

/// How records are read.
#[derive(Parser, Debug)]
pub struct Read {
    /// Files, folders (recursive, sorted) or `-`; without any, stdin.
    pub files: Vec<PathBuf>,
    /// How much conversation content is read.
    #[arg(long, value_enum, default_value_t = Content::Metadata)]
    pub content: Content,
    /// Let secrets (signed links and the like) leave where content may.
    #[arg(long)]
    pub keep_secrets: bool,
    /// Replace values of class pii by a keyed hash (HMAC-SHA-256); the key is the file's bytes.
    #[arg(long, value_name = "KEYFILE")]
    pub pseudonymize: Option<PathBuf>,
    /// The site the records come from: set in every event of targets that have a field for it.
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub site: Option<String>,
    /// The time zone of times that do not say their offset, as Europe/Berlin or +02:00.
    #[arg(long, value_name = "ZONE", value_parser = Zone::parse, allow_hyphen_values = true)]
    pub timezone: Option<Zone>,
    /// Take unrecognised records as this source, and refuse records of any other.
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// How records are set apart.
    #[arg(long, value_enum, default_value_t = Framing::Auto)]
    pub framing: Framing,
    /// The list that holds the records in every object of the input: keys joined by dots.
    #[arg(long, value_name = "PATH", value_parser = keys)]
    pub records: Option<Keys>,
    /// Worker threads [default: all cores].
    #[arg(long, value_name = "N", value_parser = threads)]
    pub threads: Option<usize>,
    /// The longest record; longer ones become dead letters. Suffixes K, M, G.
    #[arg(long, value_name = "BYTES", default_value = "64M", value_parser = bytes)]
    pub max_record: usize,
    /// The deepest nesting; deeper records become dead letters.
    #[arg(long, value_name = "LEVELS", default_value_t = 128, value_parser = depth)]
    pub max_depth: usize,
    /// Read regular files through a memory map; a file that shrinks meanwhile can end the program.
    #[arg(long)]
    pub mmap: bool,
    /// No progress bar and no summary.
    #[arg(long, short)]
    pub quiet: bool,
}

#[derive(Parser, Debug)]
pub struct Convert {
    /// Targets, separated by commas.
    #[arg(long, value_name = "TARGET", value_delimiter = ',')]
    pub to: Vec<String>,
    /// A Panther log schema to use for the Panther target, instead of the built-in ones (repeatable).
    #[arg(long, value_name = "FILE")]
    pub schema: Vec<PathBuf>,
    /// Where events go [default: stdout]. With several targets a folder: DIR/<target>.ndjson.
    #[arg(long, short, value_name = "FILE|DIR")]
    pub output: Option<PathBuf>,
    /// Write every refused record's place, reason and hash there, as NDJSON (`-`: stderr).
    #[arg(long, value_name = "FILE")]
    pub dead_letters: Option<PathBuf>,
    /// Write counts, rates and field coverage there, as JSON (`-`: stderr).
    #[arg(long, value_name = "FILE")]
    pub metrics: Option<PathBuf>,
    /// Exit with 1 when fewer percent of the records are normalized, for any target.
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub min_rate: Option<f64>,
    /// Print the summary even when stderr is no terminal.
    #[arg(long, conflicts_with = "quiet")]
    pub summary: bool,
    #[command(flatten)]
    pub events: Events,
    #[command(flatten)]
    pub read: Read,
    #[command(flatten)]
    pub mappings: Mappings,
}

/// How events of Panther schemas are written.
#[derive(Parser, Debug)]
#[command(next_help_heading = "Panther events")]
pub struct Events {
    /// As the data lake stores events, or as Panther's test files expect them.
    #[arg(long, value_enum, default_value_t = Form::Stored)]
    pub form: Form,
    /// Store the fields that the schema does not declare too, under normalized names.
    #[arg(long)]
    pub discover: bool,
    /// What p_source_id says.
    #[arg(long, value_name = "UUID")]
    pub source_id: Option<String>,
    /// What p_source_label says.
    #[arg(long, value_name = "TEXT")]
    pub source_label: Option<String>,
    /// Make row ids of each record's place and content instead of at random.
    #[arg(long)]
    pub deterministic: bool,
    /// What p_parse_time says, in RFC 3339 [default: the clock].
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub parse_time: Option<Instant>,
}

impl Events {
    /// The first flag that only events of Panther schemas know, as typed.
    pub fn given(&self) -> Option<&'static str> {
        let flags = [
            (matches!(self.form, Form::Test), "--form"),
            (self.discover, "--discover"),
            (self.source_id.is_some(), "--source-id"),
            (self.source_label.is_some(), "--source-label"),
            (self.deterministic, "--deterministic"),
            (self.parse_time.is_some(), "--parse-time"),
        ];
        flags.iter().find(|(given, _)| *given).map(|(_, flag)| *flag)
    }

    pub fn asked(&self) -> logmill::plan::Events {
        logmill::plan::Events {
            form: match self.form {
                Form::Stored => logmill::plan::Form::Stored,
                Form::Test => logmill::plan::Form::Test,
            },
            discover: self.discover,
            source_id: self.source_id.clone(),
            source_label: self.source_label.clone(),
            deterministic: self.deterministic,
        }
    }
}

#[derive(Parser, Debug)]
pub struct Validate {
    /// Targets, separated by commas [default: all that have a mapping].
    #[arg(long, value_name = "TARGET", value_delimiter = ',')]
    pub to: Vec<String>,
    /// A Panther log schema to validate against (repeatable).
    #[arg(long, value_name = "FILE")]
    pub schema: Vec<PathBuf>,
    #[command(flatten)]
    pub read: Read,
    #[command(flatten)]
    pub mappings: Mappings,
}

#[derive(Parser, Debug)]
pub struct Check {
    /// A folder of cases (each a folder with a file named input.*) and of test files of Panther
    /// schemas (named *_tests.yml), or one such test file.
    #[arg(default_value = "fixtures")]
    pub fixtures: PathBuf,
    /// A Panther log schema that test files may name, beside those in their folders (repeatable).
    #[arg(long, value_name = "FILE")]
    pub schema: Vec<PathBuf>,
    /// Write what is found as what is expected.
    #[arg(long)]
    pub bless: bool,
    #[command(flatten)]
    pub mappings: Mappings,
}

#[derive(Parser, Debug)]
pub struct Coverage {
    /// Of this source alone [default: all].
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// To this target alone [default: all that have a mapping].
    #[arg(long, value_name = "TARGET")]
    pub to: Option<String>,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub mappings: Mappings,
}

#[derive(Parser, Debug)]
pub struct Infer {
    /// Files, folders (recursive, sorted) or `-`; without any, stdin.
    pub files: Vec<PathBuf>,
    /// The log type of the schema [default: Custom. and the name of the first file].
    #[arg(long, value_name = "TYPE")]
    pub name: Option<String>,
    /// Where the schema goes [default: stdout].
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Records of sources that bear content are read with `full` only: the schema would show it.
    #[arg(long, value_enum, default_value_t = Content::Metadata)]
    pub content: Content,
    /// How records are set apart.
    #[arg(long, value_enum, default_value_t = Framing::Auto)]
    pub framing: Framing,
    /// The list that holds the records in every object of the input: keys joined by dots.
    #[arg(long, value_name = "PATH", value_parser = keys)]
    pub records: Option<Keys>,
    /// The longest record; longer ones are told of and left out. Suffixes K, M, G.
    #[arg(long, value_name = "BYTES", default_value = "64M", value_parser = bytes)]
    pub max_record: usize,
    /// The deepest nesting; deeper records are told of and left out.
    #[arg(long, value_name = "LEVELS", default_value_t = 128, value_parser = depth)]
    pub max_depth: usize,
    #[command(flatten)]
    pub mappings: Mappings,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
pub enum Content {
    /// Records that bear conversation content are dropped, and counted.
    None,
    /// Who, when, how much and with which tools; no text.
    Metadata,
    /// Everything, texts included.
    Full,
}

impl From<Content> for logmill::plan::Content {
    fn from(content: Content) -> Self {
        match content {
            Content::None => Self::None,
            Content::Metadata => Self::Metadata,
            Content::Full => Self::Full,
        }
    }
}

#[derive(ValueEnum, Clone, Copy, Debug)]
pub enum Form {
    /// Stored names, every time in UTC with nine digits.
    Stored,
    /// Declared names, every time in the format of its field.
    Test,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
pub enum Framing {
    /// Found out from the bytes, and again behind every value.
    Auto,
    /// One text a line.
    Lines,
    /// JSON values one after the other, line ends meaning nothing.
    Json,
    /// CloudWatch Logs envelopes; each message of their log events is a record.
    Cloudwatch,
}

impl From<Framing> for logmill::records::Framing {
    fn from(framing: Framing) -> Self {
        match framing {
            Framing::Auto => Self::Auto,
            Framing::Lines => Self::Lines,
            Framing::Json => Self::Json,
            Framing::Cloudwatch => Self::CloudWatch,
        }
    }
}

fn instant(text: &str) -> Result<Instant, String> {
    time::read(&TimeFormat::Rfc3339, text, true).map_err(|e| format!("{e}; a time is 2026-01-01T00:00:00Z"))
}

/// The keys of a path, outermost first.
#[derive(Clone, Debug)]
pub struct Keys(pub Vec<String>);

fn keys(text: &str) -> Result<Keys, String> {
    let keys: Vec<String> = text.split('.').map(str::to_string).collect();
    if keys.iter().any(String::is_empty) {
        return Err("keys joined by dots, as in result.items".into());
    }
    Ok(Keys(keys))
}

fn threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n @ 1..=1024) => Ok(n),
        _ => Err("a number from 1 to 1024".into()),
    }
}

fn depth(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n) if (1..=logmill::json::MAX_DEPTH).contains(&n) => Ok(n),
        _ => Err(format!("a number from 1 to {}", logmill::json::MAX_DEPTH)),
    }
}

fn percent(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('%').parse() {
        Ok(n) if (0.0..=100.0).contains(&n) => Ok(n),
        _ => Err("a percentage from 0 to 100".into()),
    }
}

fn bytes(text: &str) -> Result<usize, String> {
    let (digits, unit) = match text.char_indices().last() {
        Some((i, 'K' | 'k')) => (&text[..i], 1usize << 10),
        Some((i, 'M' | 'm')) => (&text[..i], 1 << 20),
        Some((i, 'G' | 'g')) => (&text[..i], 1 << 30),
        _ => (text, 1),
    };
    let size = digits.parse::<usize>().ok().and_then(|n| n.checked_mul(unit));
    size.filter(|n| (1..=2 << 30).contains(n)).ok_or("a size from 1 to 2G, as in 64M".into())
}
