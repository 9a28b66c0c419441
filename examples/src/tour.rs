//! A tour through the gallery: examples × runtimes.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use withal::Shutdown;

use crate::difference::difference;
use crate::table::Table;
use crate::{Ended, Host, Label, Transcript};

/// How a tour ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum Toured {
    /// Each example gave its transcript on each runtime.
    Well,
    /// At least one did not.
    Badly,
    /// A signal stopped it.
    Stopped(Shutdown),
}

/// What one example did on one runtime.
pub(crate) struct Cell {
    pub(crate) took: Duration,
    /// A word for the table if it went wrong.
    pub(crate) wrong: Option<&'static str>,
}

/// Runs each of `examples` on each of `hosts`, and writes to `page`: each transcript once, what went wrong, then a table and a final line.
///
/// The runtimes take turns: at the end of a program everything in its process is waited for, also what another runtime has open.
///
/// # Errors
///
/// Of writing.
pub fn tour(
    examples: &[Label],
    hosts: &[(&'static str, Box<dyn Host>)],
    page: &mut impl Write,
) -> io::Result<Toured> {
    let mut table = Table::new(hosts.iter().map(|(name, _)| *name).collect());
    for label in examples {
        writeln!(page, "{} {} – {}", label.id, label.name, label.title)?;
        let mut row = Vec::new();
        for (name, host) in hosts {
            let out = Transcript::new();
            let start = Instant::now();
            let ended = host.play(label.name, &out);
            let took = start.elapsed();
            let found = out.lines();
            if row.is_empty() {
                found
                    .iter()
                    .try_for_each(|line| writeln!(page, "  {line}"))?;
            }
            let wrong = match ended {
                Ended::Well => difference(label.transcript, &found).map(|text| ("differs", text)),
                Ended::Failed(report) => Some(("failed", format!("{report:?}"))),
                Ended::Panicked => Some(("panicked", "see stderr".to_owned())),
                Ended::Stopped(shutdown) => return Ok(Toured::Stopped(shutdown)),
            };
            if let Some((how, text)) = &wrong {
                writeln!(page, "  ! {how} on {name}:")?;
                text.lines()
                    .try_for_each(|line| writeln!(page, "    {line}"))?;
            }
            page.flush()?;
            row.push(Cell {
                took,
                wrong: wrong.map(|(how, _)| how),
            });
        }
        writeln!(page)?;
        table.push(*label, row);
    }
    table.write(page)?;
    Ok(if table.wrong() == 0 {
        Toured::Well
    } else {
        Toured::Badly
    })
}
