//! Audio files that are not decoded here: through ffmpeg, where it is installed.

use milliwatt_scoring::recording::WavError;
use std::ffi::OsString;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::process::{ChildStderr, ChildStdout, Command, Stdio};

/// Octets of its complaints that are kept.
const SAID_OCTETS: usize = 400;

/// Has a file decoded that cannot be read here for the reason `unread`, and `read` take the WAVE file that comes of it.
///
/// # Errors
/// ffmpeg is not installed, or cannot read it either: a line that says both.
pub(crate) fn decode<T>(
    file: &Path,
    unread: &WavError,
    read: impl FnOnce(ChildStdout) -> Result<T, WavError>,
) -> Result<T, String> {
    let mut child = match command(file).spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(format!(
                "{unread}; other formats are decoded by ffmpeg, which is not installed (Debian: apt install ffmpeg)"
            ));
        }
        Err(error) => return Err(format!("{unread}; ffmpeg could not be started: {error}")),
    };
    let input = input(file).to_string_lossy().into_owned();
    let (output, complaints) = (child.stdout.take(), child.stderr.take());
    // It waits when nobody reads what it has to say.
    let listener = std::thread::spawn(move || complaints.map(listen).unwrap_or_default());
    let decoded = output.map(read);
    let status = child.wait();
    let said = listener.join().unwrap_or_default();
    match (decoded, status) {
        (Some(Ok(decoded)), Ok(status)) if status.success() => Ok(decoded),
        (Some(Err(WavError::Empty { .. })), Ok(status)) if status.success() => {
            Err("no audio: ffmpeg decoded not one sample of it".to_owned())
        }
        _ => {
            let said = said.strip_prefix(&format!("{input}: ")).unwrap_or(&said);
            Err(format!("{unread}; ffmpeg cannot read it either: {said}"))
        }
    }
}

/// The first audio stream of a file as WAVE on standard output. Whatever the file is called or says, nothing but local
/// files is opened for it.
fn command(file: &Path) -> Command {
    let mut command = Command::new("ffmpeg");
    command
        .args([
            "-nostdin",
            "-v",
            "error",
            "-threads",
            "1",
            "-protocol_whitelist",
            "file,pipe",
            "-i",
        ])
        .arg(input(file))
        .args(["-map", "0:a:0", "-c:a", "pcm_s16le", "-f", "wav", "pipe:1"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A file as ffmpeg is told of it: by its protocol, so that no name is taken for another.
fn input(file: &Path) -> OsString {
    let mut input = OsString::from("file:");
    input.push(file);
    input
}

/// Reads complaints to their end; gives the last line of the first few.
fn listen(complaints: ChildStderr) -> String {
    let (mut kept, mut complaints) = (Vec::new(), complaints);
    let first = complaints
        .by_ref()
        .take(SAID_OCTETS as u64)
        .read_to_end(&mut kept);
    let rest = std::io::copy(&mut complaints, &mut std::io::sink());
    drop((first, rest));
    let text = String::from_utf8_lossy(&kept);
    let last = text.lines().rev().find(|line| !line.trim().is_empty());
    last.unwrap_or("it did not say why").trim().to_owned()
}
