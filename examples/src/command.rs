//! The arguments of the command.

use std::fmt;

use withal_examples::{Label, RUNTIMES, Start};

/// What `help` prints.
pub(crate) const USAGE: &str = "\
The gallery of withal: each example written once, run on every runtime.

  withal-examples                                  run everything on every runtime
  withal-examples list                             list the examples
  withal-examples run [NAME…] [--runtime RUNTIME]  run some, by name or number

RUNTIME is tokio, tokio-current-thread, smol, async-std, futures or all; it may be given several times.
";

/// A command that makes sense.
pub(crate) enum Command {
    Help,
    List,
    Run {
        examples: Vec<Label>,
        runtimes: Vec<(&'static str, Start)>,
    },
}

/// Why a command makes no sense.
pub(crate) struct Misuse(String);

impl Command {
    pub(crate) fn parse(
        mut args: impl Iterator<Item = String>,
        gallery: &[Label],
    ) -> Result<Self, Misuse> {
        let command = match args.next().as_deref() {
            None | Some("run") => return run(args, gallery),
            Some("list") => Self::List,
            Some("help" | "--help" | "-h") => Self::Help,
            Some(other) => return Err(unknown("command", other, ["run", "list", "help"])),
        };
        match args.next() {
            None => Ok(command),
            Some(extra) => Err(Misuse(format!("`{extra}` is one argument too many"))),
        }
    }
}

fn run(mut args: impl Iterator<Item = String>, gallery: &[Label]) -> Result<Command, Misuse> {
    let mut names = Vec::new();
    let mut runtimes = Vec::new();
    while let Some(arg) = args.next() {
        if arg == "--help" || arg == "-h" {
            return Ok(Command::Help);
        } else if let Some(name) = arg.strip_prefix("--runtime=") {
            runtimes.push(name.to_owned());
        } else if arg == "--runtime" {
            let missing = || Misuse("`--runtime` needs the name of a runtime".to_owned());
            runtimes.push(args.next().ok_or_else(missing)?);
        } else if arg.starts_with('-') {
            return Err(unknown("option", &arg, ["--runtime", "--help"]));
        } else {
            names.push(arg);
        }
    }
    Ok(Command::Run {
        examples: examples(&names, gallery)?,
        runtimes: chosen(&runtimes)?,
    })
}

/// The examples with these names, or all that need no user.
fn examples(names: &[String], gallery: &[Label]) -> Result<Vec<Label>, Misuse> {
    let is =
        |label: &Label, name: &String| label.name == name || label.id.eq_ignore_ascii_case(name);
    for name in names {
        if !gallery.iter().any(|label| is(label, name)) {
            let known = gallery.iter().map(|label| label.name);
            return Err(unknown("example", name, known));
        }
    }
    let wanted = |label: &&Label| match names {
        [] => !label.interactive,
        names => names.iter().any(|name| is(label, name)),
    };
    let examples: Vec<_> = gallery.iter().filter(wanted).copied().collect();
    match examples.iter().find(|label| label.interactive) {
        Some(Label { name, .. }) if examples.len() > 1 => {
            Err(Misuse(format!("`{name}` waits for Ctrl-C: run it alone")))
        }
        _ => Ok(examples),
    }
}

/// The runtimes with these names, or all.
fn chosen(names: &[String]) -> Result<Vec<(&'static str, Start)>, Misuse> {
    let mut all = names.is_empty();
    for name in names {
        all |= name == "all";
        if name != "all" && !RUNTIMES.iter().any(|(known, _)| known == name) {
            let known = RUNTIMES.iter().map(|(known, _)| *known);
            return Err(unknown("runtime", name, known.chain(["all"])));
        }
    }
    let wanted = |(name, _): &&(&str, Start)| all || names.iter().any(|wanted| wanted == name);
    Ok(RUNTIMES.iter().filter(wanted).copied().collect())
}

fn unknown<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> Misuse {
    let known: Vec<_> = known.into_iter().collect();
    let known = known.join(", ");
    Misuse(format!("there is no {what} `{name}`; there are: {known}"))
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
