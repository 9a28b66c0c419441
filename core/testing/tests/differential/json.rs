//! Programs as JSON: what `interpreter.py` reads.

use crate::program::{Action, Answer, Block, Entry, How, Moving, Nesting, Oops, Step, Target};

/// The JSON of these steps, on one line.
pub(crate) fn steps(steps: &[Step]) -> String {
    list(steps.iter().map(step))
}

fn list(items: impl IntoIterator<Item = String>) -> String {
    let items: Vec<_> = items.into_iter().collect();
    format!("[{}]", items.join(","))
}

fn step(step: &Step) -> String {
    let action = match &step.action {
        Action::Add { to, how, entry: e } => {
            format!("\"add\",{},\"{}\",{}", target(*to), adding(*how), entry(e))
        }
        Action::With(b) => format!("\"with\",{}", block(b)),
        Action::Reuse(b) => format!("\"reuse\",{}", block(b)),
        Action::Make { stack } => format!("\"make\",{stack}"),
        Action::Nest { to, how, stack } => {
            let entered = *how != Nesting::Push;
            format!("\"nest\",{},{entered},{stack}", target(*to))
        }
        Action::Move { to, how, stack } => {
            let entered = *how == Moving::Enter;
            format!("\"move\",{},{entered},{stack}", target(*to))
        }
        Action::Take { from, into } => format!("\"take\",{from},{into}"),
        Action::Close { stack } => format!("\"close\",{stack}"),
        Action::Finish { stack } => format!("\"finish\",{stack}"),
    };
    format!("[{},{action}]", step.tried)
}

fn block(block: &Block) -> String {
    format!(
        "[{},{},{}]",
        block.stack,
        steps(&block.steps),
        error(block.end)
    )
}

fn target(to: Target) -> String {
    match to {
        Target::Own => "null".to_owned(),
        Target::Stack(id) => id.to_string(),
    }
}

fn adding(how: How) -> &'static str {
    match how {
        How::Enter => "enter",
        How::EnterSync => "enter_sync",
        How::Push => "push",
        How::PushSync => "push_sync",
        How::Defer => "defer",
        How::Callback => "callback",
    }
}

fn entry(entry: &Entry) -> String {
    let (answer, error, kind) = match entry.answer {
        Answer::Pass => ("pass", None, 0),
        Answer::Fail(oops) => ("fail", Some(oops), 0),
        Answer::Replace(oops) => ("replace", Some(oops), 0),
        Answer::Suppress(kind) => ("suppress", None, kind.unwrap_or(0)),
    };
    list([
        entry.id.to_string(),
        entry.enter_pauses.to_string(),
        self::error(entry.enter_fails),
        entry.exit_pauses.to_string(),
        steps(&entry.exit_steps),
        format!("\"{answer}\""),
        self::error(error),
        kind.to_string(),
    ])
}

fn error(error: Option<Oops>) -> String {
    match error {
        None => "null".to_owned(),
        Some(oops) => format!("[{},{}]", oops.kind, oops.id),
    }
}
