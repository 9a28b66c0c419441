//! The command that shows the gallery.
//!
//! Its exit code is
//!
//! * 0 if each example gave its transcript on each runtime,
//! * 1 if one did not, or something else went wrong,
//! * 2 if the arguments make no sense,
//! * 130 if Ctrl-C or SIGTERM has stopped it.

mod command;

use std::io::{self, Write};
use std::process::ExitCode;

use command::{Command, USAGE};
use withal::Shutdown;
use withal_examples::gallery::labels;
use withal_examples::{Ended, Host, Label, Start, Toured, Transcript, tour};

fn main() -> ExitCode {
    let command = match Command::parse(std::env::args().skip(1), &labels()) {
        Ok(command) => command,
        Err(misuse) => {
            let _ = writeln!(io::stderr(), "error: {misuse}");
            return ExitCode::from(2);
        }
    };
    match obey(command, &mut io::stdout()) {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn obey(command: Command, page: &mut impl Write) -> io::Result<ExitCode> {
    let (examples, runtimes) = match command {
        Command::Help => {
            page.write_all(USAGE.as_bytes())?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::List => {
            list(page)?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::Run { examples, runtimes } => (examples, runtimes),
    };
    let start = |(name, start): (&'static str, Start)| Ok((name, start()?));
    let hosts: Vec<_> = runtimes.into_iter().map(start).collect::<io::Result<_>>()?;
    match (&*examples, &*hosts) {
        ([alone], [(_, host), ..]) if alone.interactive => meet(alone, &**host, page),
        (examples, hosts) => match tour(examples, hosts, page)? {
            Toured::Well => Ok(ExitCode::SUCCESS),
            Toured::Stopped(shutdown) => stopped(&shutdown),
            _ => Ok(ExitCode::FAILURE),
        },
    }
}

fn list(page: &mut impl Write) -> io::Result<()> {
    for label in labels() {
        let note = if label.interactive {
            " (only on request)"
        } else {
            ""
        };
        writeln!(page, "{} {:30} {}{note}", label.id, label.name, label.title)?;
    }
    Ok(())
}

/// Runs an example that waits for its user, on one runtime, and prints its lines as they come.
fn meet(label: &Label, host: &dyn Host, page: &mut impl Write) -> io::Result<ExitCode> {
    writeln!(page, "{} {} – {}", label.id, label.name, label.title)?;
    match host.play(label.name, &Transcript::live()) {
        Ended::Well => Ok(ExitCode::SUCCESS),
        Ended::Failed(report) => Err(io::Error::other(report.into_error())),
        Ended::Panicked => Ok(ExitCode::FAILURE),
        Ended::Stopped(shutdown) => stopped(&shutdown),
    }
}

fn stopped(shutdown: &Shutdown) -> io::Result<ExitCode> {
    writeln!(io::stderr(), "{shutdown}")?;
    Ok(ExitCode::from(130))
}
