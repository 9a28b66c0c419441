//! The one structure for several errors.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::failure::{Fault, as_error, find};

/// An application error that loses nothing: a primary error and all others in the order of time.
///
/// `?` makes one from any error.
/// Where [`with`](crate::with) returns only the body's error when the exit fails too, a body whose error is a `Report` keeps both.
///
/// Like `anyhow::Error` it implements no [`Error`] itself, and its `Debug` is the whole story in several lines, fit for `fn main() -> Result<(), Report>`.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// fn parse(text: &str) -> Result<u32, withal::Report> {
///     Ok(text.parse()?)
/// }
/// let report = parse("x").unwrap_err();
/// assert_eq!(report.to_string(), "invalid digit found in string");
/// assert!(report.primary().downcast_ref::<std::num::ParseIntError>().is_some());
/// ```
pub struct Report(Box<Inner>);

struct Inner {
    primary: Entry,
    others: Vec<Entry>,
}

impl Report {
    /// A report whose primary error is a message.
    pub fn msg(message: impl Into<Cow<'static, str>>) -> Self {
        Self::from_entry(Entry::new(What::Fault(Box::new(Message(message.into())))))
    }

    pub(crate) fn from_entry(primary: Entry) -> Self {
        Self(Box::new(Inner {
            primary,
            others: Vec::new(),
        }))
    }

    /// The error that counts: the body's, or the first if the body had none.
    pub fn primary(&self) -> &Entry {
        &self.0.primary
    }

    /// The primary error mutably, to say where it came from.
    pub(crate) fn primary_mut(&mut self) -> &mut Entry {
        &mut self.0.primary
    }

    /// Everything else that went wrong, in the order of time.
    pub fn others(&self) -> &[Entry] {
        &self.0.others
    }

    /// All entries, the primary first.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        std::iter::once(&self.0.primary).chain(&self.0.others)
    }

    /// How many entries there are: one or more.
    #[allow(clippy::len_without_is_empty)] // a report is never empty
    pub fn len(&self) -> usize {
        1 + self.0.others.len()
    }

    /// Adds an error that came later.
    pub fn add(&mut self, error: impl Error + Send + Sync + 'static) {
        self.push(Entry::new(What::Error(Box::new(error))));
    }

    /// Adds what went wrong later.
    pub fn push(&mut self, entry: Entry) {
        self.0.others.push(entry);
    }

    /// This report as a standard error: `Display` is the primary error, `source()` what the primary names as its cause.
    pub fn into_error(self) -> Box<dyn Error + Send + Sync> {
        Box::new(ReportError(self))
    }

    /// Takes out what an exit has marked as handled.
    pub(crate) fn without_handled(self) -> Self {
        let Inner { primary, others } = *self.0;
        let mut left = std::iter::once(primary)
            .chain(others)
            .filter(|entry| !entry.handled.load(Ordering::Relaxed));
        match left.next() {
            Some(primary) => Self(Box::new(Inner {
                primary,
                others: left.collect(),
            })),
            None => Self::msg("an error that was handled"),
        }
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Report {
    fn from(error: E) -> Self {
        Self::from_entry(Entry::new(What::Error(Box::new(error))))
    }
}

impl From<Report> for Box<dyn Error + Send + Sync> {
    fn from(report: Report) -> Self {
        report.into_error()
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.0.primary.what, f)
    }
}

impl Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.primary)?;
        let mut cause = self.0.primary.error().and_then(Error::source);
        while let Some(error) = cause {
            write!(f, "\n    caused by: {error}")?;
            cause = error.source();
        }
        for entry in &self.0.others {
            write!(f, "\nalso: {entry}")?;
        }
        Ok(())
    }
}

/// A [`Report`] in the clothes of a standard error.
pub(crate) struct ReportError(pub(crate) Report);

impl Display for ReportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.0, f)
    }
}

impl Debug for ReportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Debug::fmt(&self.0, f)
    }
}

impl Error for ReportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.primary().error().and_then(Error::source)
    }
}

/// One thing that happened to one scope: what, in which phase, where.
pub struct Entry {
    phase: Phase,
    scope: Option<Cow<'static, str>>,
    location: Option<&'static Location<'static>>,
    took: Option<Duration>,
    what: What,
    /// Set through a shared reference by an exit that suppresses this entry of a report.
    handled: AtomicBool,
}

impl Entry {
    pub(crate) fn new(what: What) -> Self {
        Self {
            phase: Phase::Body,
            scope: None,
            location: None,
            took: None,
            what,
            handled: AtomicBool::new(false),
        }
    }

    pub(crate) fn at(mut self, phase: Phase, label: &Label) -> Self {
        self.set(phase, label);
        self
    }

    pub(crate) fn set(&mut self, phase: Phase, label: &Label) {
        self.phase = phase;
        self.scope = Some(label.name.clone());
        self.location = Some(label.location);
    }

    pub(crate) fn set_took(&mut self, took: Duration) {
        self.took.get_or_insert(took);
    }

    pub(crate) fn mark_handled(&self) {
        self.handled.store(true, Ordering::Relaxed);
    }

    /// What the scope was doing.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The name of the scope: the one given by `.named(..)`, else its type.
    pub fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }

    /// The source line that entered the scope.
    pub fn location(&self) -> Option<&'static Location<'static>> {
        self.location
    }

    /// How long it took, where a timer was at hand to measure it.
    pub fn took(&self) -> Option<Duration> {
        self.took
    }

    /// What kind of thing happened.
    pub fn kind(&self) -> Kind {
        match self.what {
            What::Finished => Kind::Finished,
            What::Error(_) | What::Fault(_) => Kind::Failed,
            What::Panic(_) => Kind::Panicked,
            What::Overdue => Kind::Overdue,
            What::Skipped => Kind::Skipped,
        }
    }

    /// Whether it is something that went wrong.
    pub fn is_loss(&self) -> bool {
        self.kind() != Kind::Finished
    }

    /// The error, if it is an `E`; sees through the same boxes as [`FailureRef`](crate::FailureRef).
    pub fn downcast_ref<E: Error + Send + Sync + 'static>(&self) -> Option<&E> {
        match &self.what {
            What::Error(error) => error.downcast_ref(),
            What::Fault(fault) => find((**fault).as_any()),
            _ => None,
        }
    }

    /// The error as a standard one, if it is one.
    pub fn error(&self) -> Option<&(dyn Error + 'static)> {
        match &self.what {
            What::Error(error) => Some(&**error),
            What::Fault(fault) => as_error((**fault).as_any()),
            _ => None,
        }
    }
}

impl Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scope) = &self.scope {
            write!(f, "{} of `{scope}`", self.phase)?;
            if let Some(location) = self.location {
                write!(f, " ({location})")?;
            }
            f.write_str(": ")?;
        }
        Display::fmt(&self.what, f)
    }
}

impl Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("phase", &self.phase)
            .field("scope", &self.scope)
            .field("location", &self.location.map(ToString::to_string))
            .field("took", &self.took)
            .field("what", &self.what)
            .finish()
    }
}

/// What happened.
#[derive(Debug)]
pub(crate) enum What {
    Finished,
    Error(Box<dyn Error + Send + Sync>),
    Fault(Box<dyn Fault>),
    Panic(String),
    Overdue,
    Skipped,
}

impl Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished => f.write_str("finished"),
            Self::Error(error) => Display::fmt(error, f),
            Self::Fault(fault) => Display::fmt(fault, f),
            Self::Panic(message) => write!(f, "panicked: {message}"),
            Self::Overdue => f.write_str("has not ended in its time"),
            Self::Skipped => f.write_str("was skipped: a future that cannot move was dropped hard"),
        }
    }
}

/// What kind of thing an [`Entry`] tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// It ended well.
    Finished,
    /// It returned an error.
    Failed,
    /// It panicked.
    Panicked,
    /// Its time was up before it ended.
    Overdue,
    /// It never ran: the guard was borrowed or not `Send`, and its future was dropped hard.
    Skipped,
}

/// What a scope was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Acquiring.
    Enter,
    /// Running the body.
    Body,
    /// Releasing.
    Exit,
}

impl Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Enter => "enter",
            Self::Body => "body",
            Self::Exit => "exit",
        })
    }
}

/// Name and source line of a scope.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    pub(crate) name: Cow<'static, str>,
    pub(crate) location: &'static Location<'static>,
}

/// The error of [`Report::msg`].
#[derive(Debug)]
struct Message(Cow<'static, str>);

impl Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
