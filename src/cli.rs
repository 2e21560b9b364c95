//! What was typed becomes what is meant, is done, and is shown.

mod args;
mod coverage;
mod infer;
mod outputs;
mod progress;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use logmill::catalog::{self, Catalog, Mapping};
use logmill::check;
use logmill::error::Error;
use logmill::input::{self, Place};
use logmill::metrics::{self, Rate, RunFacts};
use logmill::normalize::{Dead, NamesOf};
use logmill::ops::pseudonym::Pseudonyms;
use logmill::plan::{Events, Plan, Request};
use logmill::records::Limits;
use logmill::run::{self, Clock, Input, Outcome, Settings, Sinks};
use logmill::table::Dialect;

pub use args::Args;
use args::{Check, Command, Convert, Framing, Mappings, Read, Validate};
use outputs::Outputs;

/// Everything asked for held.
const HELD: u8 = 0;
/// The run worked, but something was refused, a gate was missed or fixtures differ.
const REFUSED: u8 = 1;
/// An input could not be read (wrong use and wrong mappings end here too, as errors).
const UNREADABLE: u8 = 2;

pub fn run(args: Args) -> Result<u8, Error> {
    match args.command {
        Command::Convert(args) => convert(&args),
        Command::Validate(args) => validate(&args),
        Command::Check(args) => check(&args),
        Command::Coverage(args) => coverage::coverage(&args),
        Command::Infer(args) => infer::infer(&args),
        Command::List(args) => list(&args),
    }
}

fn catalog(mappings: &Mappings, targets: &[String]) -> Result<Catalog, Error> {
    let folders: Vec<&Path> = mappings.mappings.iter().map(PathBuf::as_path).collect();
    catalog::load_for(&folders, targets)
}

/// The compiled plan of a run, its complaints shown.
fn plan(
    catalog: &Catalog,
    to: &[String],
    schemas: &[PathBuf],
    read: &Read,
    events: Events,
    default: &[&str],
    tell_ambiguous: bool,
) -> Result<Plan, Error> {
    let paths: Vec<&Path> = schemas.iter().map(PathBuf::as_path).collect();
    let (schemas, warnings) = catalog::load_schemas(&paths)?;
    let mut targets: Vec<String> = to.to_vec();
    if !schemas.is_empty() && !targets.iter().any(|t| is_panther(catalog, t)) {
        // A schema names its dialect, and the dialect its target.
        targets
            .extend(catalog.targets.values().find(|t| t.dialect == Dialect::Panther).map(|t| t.name.clone()));
    }
    if targets.is_empty() {
        targets = default.iter().map(|t| t.to_string()).collect();
    }
    for (i, target) in targets.iter().enumerate() {
        if targets[..i].contains(target) {
            return Err(Error::Usage(format!("the target `{target}` is named twice")));
        }
    }
    let request = Request {
        targets,
        schemas,
        content: read.content.into(),
        source: read.source.clone(),
        keep_secrets: read.keep_secrets,
        timezone: read.timezone.clone(),
        site: read.site.clone(),
        pseudonyms: read.pseudonymize.as_deref().map(pseudonyms).transpose()?,
        events,
        records: read.records.clone().map(|keys| keys.0),
        tell_ambiguous,
    };
    let plan = Plan::compile(catalog, &request)?;
    one_framing(&plan, read.framing)?;
    for warning in catalog.warnings.iter().chain(&warnings).chain(&plan.warnings) {
        let help = warning.help.as_ref().map(|h| format!(" ({h})")).unwrap_or_default();
        eprintln!("warning: {warning}{help}");
    }
    Ok(plan)
}

fn pseudonyms(path: &Path) -> Result<Pseudonyms, Error> {
    let key = input::key(path)?;
    Pseudonyms::new(&key).map_err(|e| Error::Usage(format!("{}: {e}", path.display())))
}

/// What sets the records apart is said once.
fn one_framing(plan: &Plan, framing: Framing) -> Result<(), Error> {
    let wrong = match framing {
        Framing::Json if plan.text_lines => {
            "a schema with a text parser reads lines, and --framing json knows none"
        }
        Framing::Cloudwatch if plan.named_envelope => {
            "--records names a list, and --framing cloudwatch has its own"
        }
        Framing::Lines if plan.named_envelope => {
            "--records looks for a list, and --framing lines takes lines as they are"
        }
        _ if plan.named_envelope && plan.text_lines => {
            "a schema with a text parser reads lines, and --records a list"
        }
        _ => return Ok(()),
    };
    Err(Error::Usage(wrong.into()))
}

fn is_panther(catalog: &Catalog, target: &str) -> bool {
    catalog.targets.get(target).is_some_and(|t| t.dialect == Dialect::Panther)
}

fn settings(read: &Read) -> Settings {
    let mut settings = Settings { framing: read.framing.into(), map: read.mmap, ..Settings::default() };
    settings.limits = Limits { record_bytes: read.max_record, depth: read.max_depth, ..Limits::default() };
    if let Some(threads) = read.threads {
        settings.threads = threads;
    }
    settings
}

/// The inputs that the paths name; no path at all is stdin, unless a person sits there.
fn inputs(paths: &[PathBuf]) -> Result<(Vec<Place>, bool), Error> {
    if paths.is_empty() {
        if std::io::stdin().is_terminal() {
            return Err(Error::Usage(
                "no input: name files or folders, or pipe records in (`-` reads the terminal)".into(),
            ));
        }
        return Ok((vec![Place::Stdin], true));
    }
    let (places, errors) = input::expand(paths);
    for error in &errors {
        eprintln!("logmill: {error}");
    }
    Ok((places, errors.is_empty()))
}

struct Ran {
    outcome: Outcome,
    facts: RunFacts,
    readable: bool,
}

/// Runs a plan over inputs and tells of what could not be read.
fn run_plan(
    plan: &Plan,
    read: &Read,
    clock: Clock,
    (places, found): (Vec<Place>, bool),
    targets: Vec<Option<Box<dyn Write + Send + '_>>>,
    dead: &mut (dyn FnMut(&Dead, &NamesOf) -> Result<(), Error> + Send),
) -> Result<Ran, Error> {
    let settings = Settings { clock, ..settings(read) };
    let started = Instant::now();
    let at = chrono::Utc::now().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let bar = progress::Bar::new(!read.quiet && std::io::stderr().is_terminal(), input::size(&places));
    let inputs = places.into_iter().map(Input::place).collect();
    let mut shown = |records: u64, bytes: u64| bar.show(records, bytes);
    let mut sinks = Sinks { targets, dead, progress: &mut shown };
    let outcome = run::run(plan, inputs, &settings, &mut sinks);
    bar.clear();
    let outcome = outcome?;
    let broken: Vec<_> =
        outcome.inputs.iter().filter_map(|i| i.error.as_ref().map(|e| (&i.name, e))).collect();
    for (name, error) in &broken {
        eprintln!("logmill: {name}: {error}");
    }
    let readable = found && broken.is_empty();
    let facts = RunFacts {
        version: env!("CARGO_PKG_VERSION").into(),
        started: at,
        seconds: started.elapsed().as_secs_f64(),
        bytes: outcome.inputs.iter().map(|i| i.bytes).sum(),
        threads: settings.threads,
        inputs: outcome
            .inputs
            .iter()
            .map(|i| (i.name.clone(), i.records, i.bytes, i.error.clone()))
            .collect(),
    };
    Ok(Ran { outcome, facts, readable })
}

fn convert(args: &Convert) -> Result<u8, Error> {
    let catalog = catalog(&args.mappings, if args.schema.is_empty() { &args.to } else { &[] })?;
    let plan = plan(&catalog, &args.to, &args.schema, &args.read, args.events.asked(), &[], false)?;
    if plan.targets.is_empty() {
        let known: Vec<&str> = catalog.targets.keys().map(String::as_str).collect();
        return Err(Error::Usage(format!(
            "say what to convert to: --to {}, or --schema FILE",
            known.join(" | ")
        )));
    }
    let names: Vec<&str> = plan.targets.iter().map(|t| t.name.as_str()).collect();
    if let Some(flag) = args.events.given().filter(|_| !names.iter().any(|name| is_panther(&catalog, name))) {
        return Err(Error::Usage(format!("{flag} is for events of Panther schemas: no target is one")));
    }
    let clock = args.events.parse_time.map_or(Clock::System, Clock::Fixed);
    let inputs = inputs(&args.read.files)?;
    let mut written = outputs::paths(&names, args.output.as_deref());
    written.extend(args.dead_letters.iter().chain(&args.metrics).cloned());
    no_clash(&written, &inputs.0)?;
    let mut outputs = Outputs::open(&names, args.output.as_deref())?;
    let mut letters = args.dead_letters.as_deref().map(outputs::File::create).transpose()?;
    // Opened before the first record: a place that cannot be written costs no run.
    let mut report = args.metrics.as_deref().map(outputs::File::create).transpose()?;
    let mut refused = 0u64;
    let mut line = Vec::new();
    let ran = {
        let mut dead = |letter: &Dead, names: &NamesOf| {
            refused += 1;
            if let Some(file) = &mut letters {
                line.clear();
                letter.write(names, &mut line);
                file.write_all(&line).map_err(|e| Error::io("cannot write the dead letters", e))?;
            }
            Ok(())
        };
        run_plan(&plan, &args.read, clock, inputs, outputs.writers(), &mut dead)?
    };
    outputs.complete()?;
    if let Some(file) = letters {
        file.complete()?;
    }
    let counts = &ran.outcome.counts;
    if let Some(mut file) = report.take() {
        let document = metrics::report(&plan, counts, &ran.facts);
        serde_json::to_writer_pretty(&mut file, &document)
            .map_err(std::io::Error::from)
            .and_then(|()| file.write_all(b"\n"))
            .map_err(|e| Error::io("cannot write the metrics", e))?;
        file.complete()?;
    }
    if args.summary || (!args.read.quiet && std::io::stderr().is_terminal()) {
        eprint!("{}", metrics::summary(&plan, counts, &ran.facts));
    }
    let missed = args.min_rate.is_some_and(|wanted| below(&metrics::rate(&plan, counts), wanted));
    let status = status(ran.readable, refused > 0 || missed);
    // The program ends here, and its memory with it: giving these back piece by piece takes longer.
    std::mem::forget((catalog, plan, ran));
    Ok(status)
}

/// A file is written once, and never one that is read: it would be gone when the run is complete.
fn no_clash(written: &[PathBuf], read: &[Place]) -> Result<(), Error> {
    let real = |path: &Path| path.canonicalize().ok().filter(|p| p.is_file());
    let read: Vec<PathBuf> = read
        .iter()
        .filter_map(|place| match place {
            Place::File(path) => real(path),
            Place::Stdin => None,
        })
        .collect();
    for (i, path) in written.iter().enumerate() {
        if path.as_os_str() != "-" && written[..i].contains(path) {
            return Err(Error::Usage(format!("{}: two outputs cannot share a file", path.display())));
        }
        if real(path).is_some_and(|path| read.contains(&path)) {
            return Err(Error::Usage(format!(
                "{}: is read in this run and cannot be written",
                path.display()
            )));
        }
    }
    Ok(())
}

/// Tells of every target below the wanted rate.
fn below(rates: &[Rate], wanted: f64) -> bool {
    let mut missed = false;
    for rate in rates {
        if let Some(percent) = rate.percent.filter(|p| *p < wanted) {
            eprintln!("logmill: {}: {percent} % normalized, wanted {wanted} %", rate.target);
            missed = true;
        }
    }
    missed
}

fn status(readable: bool, refused: bool) -> u8 {
    match (readable, refused) {
        (false, _) => UNREADABLE,
        (true, true) => REFUSED,
        (true, false) => HELD,
    }
}

fn validate(args: &Validate) -> Result<u8, Error> {
    let catalog = catalog(&args.mappings, &[])?;
    let mapped: Vec<&str> = catalog
        .targets
        .keys()
        .map(String::as_str)
        .filter(|target| catalog.mappings.keys().any(|(_, to)| to == target))
        // A further table to a target is of one source, and refuses nothing that the first one takes.
        .filter(|target| catalog::base_target(target) == *target)
        .collect();
    let plan = plan(&catalog, &args.to, &args.schema, &args.read, Events::default(), &mapped, true)?;
    let inputs = inputs(&args.read.files)?;
    let mut out = std::io::stdout();
    let mut refused = 0u64;
    let targets = plan.targets.iter().map(|_| None).collect();
    let ran = {
        let mut dead = |letter: &Dead, names: &NamesOf| {
            refused += 1;
            let target = names.target.map(|t| format!("{t}: ")).unwrap_or_default();
            let path = letter.path.as_ref().map(|p| format!("{p}: ")).unwrap_or_default();
            let text = format!(
                "{}:{}: {target}{}: {path}{}",
                names.input,
                letter.line,
                letter.reason.name(),
                letter.message
            );
            writeln!(out, "{}", printable(&text)).map_err(|e| Error::io("cannot write", e))
        };
        run_plan(&plan, &args.read, Clock::System, inputs, targets, &mut dead)?
    };
    if !args.read.quiet {
        eprint!("{}", metrics::summary(&plan, &ran.outcome.counts, &ran.facts));
    }
    Ok(status(ran.readable, refused > 0))
}

/// Pieces of hostile logs must not steer a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

fn check(args: &Check) -> Result<u8, Error> {
    let catalog = catalog(&args.mappings, &[])?;
    let checked = check::check(&catalog, &args.fixtures, &args.schema, args.bless)?;
    // Tests of Panther schemas ask nothing of the mappings.
    let lints = if checked.cases > 0 { logmill::plan::lint(&catalog)? } else { Vec::new() };
    let mut out = std::io::stdout().lock();
    let mut print = |text: String| writeln!(out, "{text}").map_err(|e| Error::io("cannot write", e));
    for lint in &lints {
        let help = lint.help.as_ref().map(|h| format!(" ({h})")).unwrap_or_default();
        print(printable(&format!("{lint}{help}")))?;
    }
    for difference in &checked.differences {
        for line in difference.to_string().lines() {
            print(printable(line))?;
        }
    }
    for failed in &checked.failed {
        for line in failed.to_string().lines() {
            print(printable(line))?;
        }
    }
    let (differ, fail) = (checked.differences.len(), checked.failed.len());
    let blessed = if args.bless { format!(", {} written", checked.blessed) } else { String::new() };
    let found = match lints.len() {
        0 => String::new(),
        n => format!(", {n} complaints about the mappings"),
    };
    if checked.cases > 0 {
        print(format!(
            "{} cases, {} outputs, {differ} differ{blessed}{found}",
            checked.cases, checked.files
        ))?;
    }
    if checked.tests > 0 {
        print(format!("{} tests of Panther schemas, {fail} fail", checked.tests))?;
    }
    Ok(status(true, differ + fail > 0 || !lints.is_empty()))
}

fn list(args: &Mappings) -> Result<u8, Error> {
    let catalog = catalog(args, &[])?;
    if !catalog.wrong.is_empty() {
        return Err(Error::Mappings(catalog.wrong));
    }
    let mut text = String::from("sources\n");
    for source in catalog.sources.values() {
        let bears = if source.bears_content() { " (bears content)" } else { "" };
        text += &format!("  {:<24} {}{bears}\n", source.name, source.description);
    }
    text += "targets\n";
    for target in catalog.targets.values() {
        text += &format!("  {:<24} {}\n", target.name, target.description);
    }
    text += "mappings\n";
    for ((source, target), mapping) in &catalog.mappings {
        let what = match mapping {
            Mapping::Table(table) => format!("table of {} rows", table.rows.len()),
            Mapping::Schema(schema) => format!("Panther schema {}", schema.name),
        };
        text += &format!("  {:<24} {what}\n", format!("{source} -> {target}"));
    }
    std::io::stdout().write_all(text.as_bytes()).map_err(|e| Error::io("cannot write", e))?;
    Ok(HELD)
}
