//! How `milliwatt stop` and `milliwatt mark` reach a running test on this machine: a socket of the
//! user's own, named by the run.

use crate::exit::Failure;
use crate::output;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// A running test answers at once.
const ANSWER: Duration = Duration::from_secs(5);

/// What a running test can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// End all calls, transfer, judge.
    Stop,
    /// End all media at once.
    StopNow,
    /// Put a mark on the time line.
    Mark(String),
}

impl Command {
    fn word(&self) -> String {
        match self {
            Self::Stop => "stop".into(),
            Self::StopNow => "stop-now".into(),
            Self::Mark(label) => format!("mark {label}"),
        }
    }

    fn read(line: &str) -> Option<Self> {
        match line.trim_end() {
            "stop" => Some(Self::Stop),
            "stop-now" => Some(Self::StopNow),
            other => other
                .strip_prefix("mark ")
                .map(|label| Self::Mark(label.to_owned())),
        }
    }
}

/// The folder of the sockets: only the user's own processes can reach it.
fn folder() -> PathBuf {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(|p| p.is_dir());
    let user = rustix::process::getuid().as_raw();
    runtime.map_or_else(
        || std::env::temp_dir().join(format!("milliwatt-{user}")),
        |p| p.join("milliwatt"),
    )
}

/// The listening end, removed when dropped.
pub(super) struct Remote {
    path: PathBuf,
    commands: mpsc::Receiver<Command>,
}

impl Drop for Remote {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            output::complain(&format!("{} was left behind: {error}", self.path.display()));
        }
    }
}

impl Remote {
    /// Listens for run `run`; a test that cannot be told anything still runs, and says so.
    pub(super) fn open(run: u64) -> Option<Self> {
        let said = |e: &io::Error| {
            output::complain(&format!(
                "`milliwatt stop` and `mark` will not reach this test: {e}"
            ));
        };
        Self::listen(run).inspect_err(said).ok()
    }

    /// The next command; never, when nothing can come.
    pub(super) async fn next(remote: &mut Option<Self>) -> Option<Command> {
        match remote {
            Some(remote) => remote.commands.recv().await,
            None => std::future::pending().await,
        }
    }

    fn listen(run: u64) -> io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        let folder = folder();
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)?;
        let path = folder.join(format!("{run:016x}.sock"));
        let listener = UnixListener::bind(&path)?;
        let (sender, commands) = mpsc::channel(16);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let sender = sender.clone();
                tokio::spawn(async move { serve(stream, sender).await });
            }
        });
        Ok(Self { path, commands })
    }
}

async fn serve(stream: UnixStream, commands: mpsc::Sender<Command>) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    BufReader::new(reader.take(1024))
        .read_line(&mut line)
        .await?;
    let answer = match Command::read(&line) {
        None => "not understood\n",
        Some(command) if commands.try_send(command.clone()).is_ok() => "ok\n",
        Some(_) => "the run is already over\n",
    };
    writer.write_all(answer.as_bytes()).await
}

/// Tells the running test `command`: the one of `run` (16 hexadecimal digits), or the only one there is.
pub fn tell(run: Option<&str>, command: &Command) -> Result<(), Failure> {
    let path = find(&folder(), run)?;
    let failed =
        |e: io::Error| Failure::could_not_run(format!("the running test could not be told: {e}"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    let answer: String = runtime.block_on(ask(&path, command)).map_err(failed)?;
    if answer == "ok\n" {
        Ok(())
    } else {
        Err(Failure::could_not_run(answer.trim_end()))
    }
}

/// Says `command` and gives the answer. A test that stands still has one too late: a script that tells it goes on.
async fn ask(path: &Path, command: &Command) -> io::Result<String> {
    let asking = async {
        let mut stream = UnixStream::connect(path).await?;
        let line = format!("{}\n", command.word());
        stream.write_all(line.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    };
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, "it did not answer in 5 s");
    timeout(ANSWER, asking).await.map_err(late)?
}

fn find(folder: &Path, run: Option<&str>) -> Result<PathBuf, Failure> {
    let entries = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| e.path());
    // A socket that nobody listens on any more is left of a killed test.
    let living = entries.filter(|p| std::os::unix::net::UnixStream::connect(p).is_ok());
    let mut found: Vec<PathBuf> = living
        .filter(|p| run.is_none_or(|run| p.file_stem().is_some_and(|name| name == run)))
        .collect();
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(
            Failure::could_not_run("no test of yours is running on this machine")
                .hint("run this where `milliwatt run` runs, as the same user"),
        ),
        n => Err(
            Failure::could_not_run(format!("{n} tests of yours are running on this machine"))
                .hint("name the one: give the folder it writes to (its --out)"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_survive_the_wire() {
        for command in [
            Command::Stop,
            Command::StopNow,
            Command::Mark("vMotion to host 2".into()),
        ] {
            assert_eq!(
                Command::read(&format!("{}\n", command.word())),
                Some(command)
            );
        }
        assert_eq!(Command::read("halt"), None);
    }

    /// The system connects for it, and it never looks.
    #[test]
    fn a_test_that_stands_still_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.sock");
        let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let answer = runtime.block_on(ask(&path, &Command::Stop));
        assert_eq!(answer.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
