//! A program as source code, in Python and in Rust, for whoever reads of a failure.

use std::fmt::Write;

use crate::program::{Action, Answer, Block, Entry, How, Moving, Nesting, Oops, Step, Target};

/// Both forms, one below the other.
pub(crate) fn both(program: &[Step]) -> String {
    let [python, rust] = [true, false].map(|is_python| {
        let mut source = Source {
            text: String::new(),
            indent: 0,
            is_python,
        };
        source.steps(program);
        source.text
    });
    format!("# Python (`own` is the stack that is unwinding)\n{python}\n// Rust\n{rust}")
}

struct Source {
    text: String,
    indent: usize,
    is_python: bool,
}

impl Source {
    /// A line in the one language or in the other; none where it is empty.
    fn line(&mut self, python: impl AsRef<str>, rust: impl AsRef<str>) {
        let line = if self.is_python {
            python.as_ref()
        } else {
            rust.as_ref()
        };
        if !line.is_empty() {
            let spaces = 4 * self.indent;
            writeln!(self.text, "{:spaces$}{line}", "").expect("a string takes all");
        }
    }

    fn inside(&mut self, lines: impl FnOnce(&mut Self)) {
        self.indent += 1;
        lines(self);
        self.indent -= 1;
    }

    fn steps(&mut self, steps: &[Step]) {
        for step in steps {
            if !step.tried {
                self.action(&step.action);
                continue;
            }
            self.line("try:", "let tried = async {");
            self.inside(|source| {
                source.action(&step.action);
                source.line("", "Ok(())");
            });
            self.line("except Oops as error: log(error)", "};");
            self.line("", "if let Err(report) = tried.await { log(report) }");
        }
    }

    fn action(&mut self, action: &Action) {
        match action {
            Action::Add { to, how, entry } => self.add(&name(*to), *how, entry),
            Action::With(block) => {
                self.block(block, "AsyncExitStack()", "ExitStack::recovering()");
            }
            Action::Reuse(block) => {
                let stack = format!("s{}", block.stack);
                self.block(block, &stack, &stack);
            }
            Action::Make { stack } => self.line(
                format!("s{stack} = AsyncExitStack()"),
                format!("let s{stack} = ExitStack::recovering();"),
            ),
            Action::Nest { to, how, stack } => {
                let to = name(*to);
                let (python, rust) = match how {
                    Nesting::Enter => ("await {}.enter_async_context", "enter(new).await?"),
                    Nesting::Push => ("{}.push_async_exit", "push(new, close)"),
                    Nesting::Fork => ("await {}.enter_async_context", "fork()"),
                };
                self.line(
                    format!("s{stack} = {}(AsyncExitStack())", python.replace("{}", &to)),
                    format!("let s{stack} = {to}.{rust};"),
                );
            }
            Action::Move { to, how, stack } => {
                let to = name(*to);
                match how {
                    Moving::Enter => self.line(
                        format!("await {to}.enter_async_context(s{stack})"),
                        format!("let s{stack} = {to}.enter(s{stack}).await?;"),
                    ),
                    Moving::Push => self.line(
                        format!("{to}.push_async_exit(s{stack})"),
                        format!("let s{stack} = {to}.push(s{stack}, close);"),
                    ),
                }
            }
            Action::Take { from, into } => self.line(
                format!("s{into} = s{from}.pop_all()"),
                format!("let s{into} = s{from}.take();"),
            ),
            Action::Close { stack } => self.line(
                format!("await s{stack}.aclose()"),
                format!("s{stack}.take().close(Outcome::Success).await?;"),
            ),
            Action::Finish { stack } => self.line(
                format!("await s{stack}.aclose()"),
                format!("s{stack}.close(Outcome::Success).await?;"),
            ),
        }
    }

    fn block(&mut self, block: &Block, python: &str, rust: &str) {
        let id = block.stack;
        self.line(
            format!("async with {python} as s{id}:"),
            format!("{rust}.with(async |s{id}| {{"),
        );
        self.inside(|source| {
            source.steps(&block.steps);
            match block.end {
                Some(oops) => source.fail(oops),
                None if block.steps.is_empty() => source.line("pass", "Ok(())"),
                None => source.line("", "Ok(())"),
            }
        });
        self.line("", "}).await?;");
    }

    fn add(&mut self, to: &str, how: How, entry: &Entry) {
        let exit = format!("exit{}", entry.id);
        let (python, rust) = match how {
            How::EnterSync | How::PushSync => {
                ("def {}(kind, error, traceback):", "async |(), outcome|")
            }
            How::Enter | How::Push => (
                "async def {}(kind, error, traceback):",
                "async |(), outcome|",
            ),
            How::Defer => ("async def {}():", "async ||"),
            How::Callback => ("def {}():", "||"),
        };
        self.line(
            python.replace("{}", &exit),
            format!("let {exit} = {rust} {{"),
        );
        self.inside(|source| source.exit(entry, how.sees()));
        self.line("", "};");
        let (python, rust) = match how {
            How::Enter => ("await {}.enter_async_context", "enter"),
            How::EnterSync => ("{}.enter_context", "enter"),
            How::Push => ("{}.push_async_exit", "push"),
            How::PushSync => ("{}.push", "push"),
            How::Defer => ("{}.push_async_callback", "defer"),
            How::Callback => ("{}.callback", "callback"),
        };
        let python = python.replace("{}", to);
        if rust != "enter" {
            let value = if rust == "push" { "(), " } else { "" };
            self.line(
                format!("{python}({exit})"),
                format!("{to}.{rust}({value}{exit});"),
            );
            return;
        }
        let mut manager = exit;
        if entry.enter_pauses > 0 {
            write!(manager, ", pauses={}", entry.enter_pauses).expect("a string takes all");
        }
        if let Some(oops) = entry.enter_fails {
            write!(manager, ", fails={oops}").expect("a string takes all");
        }
        self.line(
            format!("{python}(Manager({manager}))"),
            format!("{to}.enter(Manager({manager})).await?;"),
        );
    }

    fn exit(&mut self, entry: &Entry, sees: bool) {
        let id = entry.id;
        match sees {
            true => self.line(format!("log({id}, error)"), format!("log({id}, outcome);")),
            false => self.line(format!("log({id})"), format!("log({id});")),
        }
        if entry.exit_pauses > 0 {
            let times = entry.exit_pauses;
            self.line(
                format!("for _ in range({times}): await sleep(0)"),
                format!("yield_times({times}).await;"),
            );
        }
        self.steps(&entry.exit_steps);
        match entry.answer {
            Answer::Pass if sees => self.line("", "Ok(Recover::Propagate)"),
            Answer::Pass => self.line("", "Ok(())"),
            Answer::Fail(oops) => self.fail(oops),
            Answer::Replace(oops) => {
                self.line("if error:", "if !outcome.is_success() {");
                self.inside(|source| source.fail(oops));
                self.line("", "}");
                self.line("", "Ok(Recover::Propagate)");
            }
            Answer::Suppress(None) => self.line("return True", "Ok(Recover::Suppress)"),
            Answer::Suppress(Some(kind)) => self.line(
                format!("return isinstance(error, E{kind})"),
                format!("Ok(suppress_if(outcome.downcast_ref::<E{kind}>()))"),
            ),
        }
    }

    fn fail(&mut self, Oops { kind, id }: Oops) {
        self.line(
            format!("raise E{kind}({id})"),
            format!("return Err(E{kind}({id}));"),
        );
    }
}

fn name(to: Target) -> String {
    match to {
        Target::Own => "own".to_owned(),
        Target::Stack(id) => format!("s{id}"),
    }
}
