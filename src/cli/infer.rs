//! The command `infer`: records in, a Panther log schema out, and what the schema cannot say.

use std::io::Write;

use logmill::error::Error;
use logmill::infer;
use logmill::plan::{Plan, Request};
use logmill::records::Limits;
use logmill::run::{Input, Settings};

use super::args::Infer;
use super::{catalog, inputs, no_clash, one_framing, outputs, printable, status};

/// Refusals that are shown one by one; the rest is counted.
const SHOWN: u64 = 10;

pub fn infer(args: &Infer) -> Result<u8, Error> {
    let catalog = catalog(&args.mappings, &[])?;
    let records = args.records.clone().map(|keys| keys.0);
    let request = Request { content: args.content.into(), records, ..Request::default() };
    let plan = Plan::compile(&catalog, &request)?;
    one_framing(&plan, args.framing)?;
    let (places, found) = inputs(&args.files)?;
    no_clash(args.output.as_slice(), &places)?;
    let first = places.first().map(|p| p.name()).unwrap_or_default();
    let name = args.name.clone().unwrap_or_else(|| infer::log_type(&first));
    let limits = Limits { record_bytes: args.max_record, depth: args.max_depth, ..Limits::default() };
    let settings = Settings { framing: args.framing.into(), limits, threads: 1, ..Settings::default() };
    let inputs = places.into_iter().map(Input::place).collect();
    let mut told = 0;
    let inferred = infer::infer(&plan, &name, inputs, &settings, &mut |dead, input| {
        told += 1;
        if told <= SHOWN {
            let reason = dead.reason.name();
            eprintln!("{}", printable(&format!("{input}:{}: {reason}: {}", dead.line, dead.message)));
        }
        Ok(())
    })?;
    if told > SHOWN {
        eprintln!("logmill: {} more like these", told - SHOWN);
    }
    for note in &inferred.notes {
        eprintln!("logmill: {}", printable(note));
    }
    if inferred.withheld > 0 {
        eprintln!(
            "logmill: {} records bear content and were not read: their schema would show it; --content full reads them",
            inferred.withheld
        );
    }
    let mut readable = found;
    for input in &inferred.inputs {
        if let Some(error) = &input.error {
            eprintln!("logmill: {}: {error}", input.name);
            readable = false;
        }
    }
    if inferred.empty {
        return Err(Error::Usage("no schema: there is no record with a field to infer it from".into()));
    }
    match &args.output {
        Some(path) if path.as_os_str() != "-" => {
            let mut file = outputs::File::create(path)?;
            file.write_all(inferred.schema.as_bytes())
                .map_err(|e| Error::io("cannot write the schema", e))?;
            file.complete()?;
        }
        _ => {
            let mut out = std::io::stdout().lock();
            out.write_all(inferred.schema.as_bytes()).map_err(|e| Error::io("cannot write", e))?;
        }
    }
    Ok(status(readable, inferred.refused + inferred.withheld > 0))
}
