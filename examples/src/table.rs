//! The table at the end of a tour: example × runtime.

use std::io::{self, Write};

use crate::Label;
use crate::tour::Cell;

pub(crate) struct Table {
    runtimes: Vec<&'static str>,
    rows: Vec<(Label, Vec<Cell>)>,
}

impl Table {
    pub(crate) fn new(runtimes: Vec<&'static str>) -> Self {
        Self {
            runtimes,
            rows: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, label: Label, row: Vec<Cell>) {
        self.rows.push((label, row));
    }

    /// How many cells went wrong.
    pub(crate) fn wrong(&self) -> usize {
        let cells = self.rows.iter().flat_map(|(_, row)| row);
        cells.filter(|cell| cell.wrong.is_some()).count()
    }

    pub(crate) fn write(&self, page: &mut impl Write) -> io::Result<()> {
        let first = self.rows.iter().map(|(label, _)| title(label).len());
        let first = first.max().unwrap_or(0).max("example".len());
        write!(page, "{:first$}", "example")?;
        for name in &self.runtimes {
            write!(page, "  {name:>8}")?;
        }
        writeln!(page)?;
        for (label, row) in &self.rows {
            write!(page, "{:first$}", title(label))?;
            for (name, cell) in self.runtimes.iter().zip(row) {
                let text = match cell.wrong {
                    None => format!("{:.2} s", cell.took.as_secs_f64()),
                    Some(how) => how.to_owned(),
                };
                let width = name.len().max(8);
                write!(page, "  {text:>width$}")?;
            }
            writeln!(page)?;
        }
        let size = format!(
            "{} × {}",
            count(self.rows.len(), "example"),
            count(self.runtimes.len(), "runtime")
        );
        match self.wrong() {
            0 => writeln!(page, "\n{size}: all ok"),
            wrong => writeln!(page, "\n{size}: {wrong} not ok"),
        }
    }
}

fn title(label: &Label) -> String {
    format!("{} {}", label.id, label.name)
}

fn count(n: usize, what: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {what}{plural}")
}
