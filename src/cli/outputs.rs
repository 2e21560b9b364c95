//! Where events go: stdout as they come, files under a temporary name until they are complete.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use logmill::error::Error;

/// A file that appears under its name only when it is complete; `-` is stderr.
pub struct File {
    writer: BufWriter<Box<dyn Write + Send>>,
    /// The temporary and the final name; nothing to rename for streams and devices.
    names: Option<(PathBuf, PathBuf)>,
}

impl File {
    pub fn create(path: &Path) -> Result<File, Error> {
        let stream = |writer: Box<dyn Write + Send>| File {
            writer: BufWriter::with_capacity(1 << 16, writer),
            names: None,
        };
        if path.as_os_str() == "-" {
            return Ok(stream(Box::new(io::stderr())));
        }
        let failed = |e| Error::io(format!("cannot write {}", path.display()), e);
        // A device or a named pipe is written as it is: a rename would put a file in its place.
        if fs::metadata(path).is_ok_and(|m| !m.is_file() && !m.is_dir()) {
            let file = fs::OpenOptions::new().write(true).open(path).map_err(failed)?;
            return Ok(stream(Box::new(file)));
        }
        let name =
            path.file_name().ok_or_else(|| Error::Usage(format!("{}: not a file name", path.display())))?;
        let mut partial = std::ffi::OsString::from(".");
        partial.push(name);
        partial.push(format!(".{}.partial", std::process::id()));
        let partial = path.with_file_name(partial);
        let file = fs::File::create(&partial).map_err(failed)?;
        let names = Some((partial, path.to_path_buf()));
        Ok(File { writer: BufWriter::with_capacity(1 << 16, Box::new(file)), names })
    }

    /// Everything was written: the file takes its name.
    pub fn complete(mut self) -> Result<(), Error> {
        self.writer.flush().map_err(|e| Error::io("cannot write", e))?;
        if let Some((partial, path)) = self.names.take() {
            fs::rename(&partial, &path)
                .map_err(|e| Error::io(format!("cannot write {}", path.display()), e))?;
        }
        Ok(())
    }
}

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Drop for File {
    /// A run that failed leaves nothing half-written.
    fn drop(&mut self) {
        if let Some((partial, _)) = self.names.take() {
            let _ = fs::remove_file(partial);
        }
    }
}

/// The outputs of a run, one for each target.
pub enum Outputs {
    Stdout(io::Stdout),
    Files(Vec<File>),
}

/// The files that [`Outputs::open`] will write.
pub fn paths(targets: &[&str], output: Option<&Path>) -> Vec<PathBuf> {
    match (targets, output) {
        (_, None) => Vec::new(),
        ([_], Some(path)) if path.as_os_str() == "-" => Vec::new(),
        ([_], Some(path)) if !is_folder(path) => vec![path.to_path_buf()],
        (_, Some(folder)) => targets.iter().map(|t| folder.join(format!("{t}.ndjson"))).collect(),
    }
}

impl Outputs {
    pub fn open(targets: &[&str], output: Option<&Path>) -> Result<Outputs, Error> {
        match (targets, output) {
            ([_], None) => Ok(Outputs::Stdout(io::stdout())),
            ([_], Some(path)) if path.as_os_str() == "-" => Ok(Outputs::Stdout(io::stdout())),
            ([_], Some(path)) if !is_folder(path) => Ok(Outputs::Files(vec![File::create(path)?])),
            (_, Some(folder)) => {
                if folder.is_file() {
                    return Err(Error::Usage(format!("{}: several targets need a folder", folder.display())));
                }
                fs::create_dir_all(folder)
                    .map_err(|e| Error::io(format!("cannot create {}", folder.display()), e))?;
                let files = targets.iter().map(|t| File::create(&folder.join(format!("{t}.ndjson"))));
                Ok(Outputs::Files(files.collect::<Result<_, _>>()?))
            }
            (_, None) => Err(Error::Usage(
                "several targets need a folder: -o DIR/ (each gives DIR/<target>.ndjson)".into(),
            )),
        }
    }

    pub fn writers(&mut self) -> Vec<Option<Box<dyn Write + Send + '_>>> {
        match self {
            // Every write ends with a line, so that the line buffer never holds any.
            Outputs::Stdout(stdout) => vec![Some(Box::new(stdout))],
            Outputs::Files(files) => {
                files.iter_mut().map(|file| Some(Box::new(file) as Box<dyn Write + Send>)).collect()
            }
        }
    }

    pub fn complete(self) -> Result<(), Error> {
        match self {
            Outputs::Stdout(_) => Ok(()),
            Outputs::Files(files) => files.into_iter().try_for_each(File::complete),
        }
    }
}

/// A trailing slash or an existing folder.
fn is_folder(path: &Path) -> bool {
    path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/")
}
