//! The one structure for several errors.

use std::any::Any;
use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::io;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::combine::exit_within::Overdue;
use crate::failure::{Fault, as_error, find};
use crate::group::GroupError;

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
#[derive(Clone)]
pub struct Report(Box<Inner>);

#[derive(Clone)]
struct Inner {
    primary: Entry,
    others: Vec<Entry>,
}

impl Report {
    /// A report whose primary error is a message.
    pub fn msg(message: impl Into<Cow<'static, str>>) -> Self {
        Self::from(Message(message.into()))
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

    /// The first entry that no exit has handled.
    pub(crate) fn first_left(&self) -> Option<&Entry> {
        self.entries().find(|entry| !entry.is_handled())
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
        self.push(Entry::new(What::error(error)));
    }

    /// Adds what went wrong later.
    pub fn push(&mut self, entry: Entry) {
        self.0.others.push(entry);
    }

    /// The values of two results; else all of their errors, the first one as the primary.
    ///
    /// For an exit that takes two steps, of which the second is taken whatever becomes of the first.
    ///
    /// # Examples
    ///
    /// ```
    /// # use withal_core as withal;
    /// use std::io;
    /// use withal::Report;
    ///
    /// let commit = || Err::<(), _>(io::Error::other("no commit"));
    /// let close = || Err::<(), _>(io::Error::other("no close"));
    /// let report = Report::both(commit(), close()).unwrap_err();
    /// assert_eq!(format!("{report:?}"), "no commit\nalso: no close");
    /// assert!(Report::both(Ok::<_, Report>(1), Ok::<_, Report>(2)).is_ok_and(|both| both == (1, 2)));
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of both.
    pub fn both<A, B>(
        first: Result<A, impl Into<Self>>,
        second: Result<B, impl Into<Self>>,
    ) -> Result<(A, B), Self> {
        match (first.map_err(Into::into), second.map_err(Into::into)) {
            (Ok(first), Ok(second)) => Ok((first, second)),
            (Err(report), Ok(_)) | (Ok(_), Err(report)) => Err(report),
            (Err(mut report), Err(second)) => {
                report.0.others.extend(second.into_entries());
                Err(report)
            }
        }
    }

    /// The entries by value, the primary first.
    pub(crate) fn into_entries(self) -> impl Iterator<Item = Entry> {
        let Inner { primary, others } = *self.0;
        std::iter::once(primary).chain(others)
    }

    /// The report of these entries; `None` if there are none.
    pub(crate) fn of(entries: impl IntoIterator<Item = Entry>) -> Option<Self> {
        let mut entries = entries.into_iter();
        let primary = entries.next()?;
        let others = entries.collect();
        Some(Self(Box::new(Inner { primary, others })))
    }

    /// Gives the error by value, if it is the only one and an `E`.
    ///
    /// # Errors
    ///
    /// The report itself: it has several entries, or another error, or its error is shared with a clone.
    pub fn downcast<E: Fault>(self) -> Result<E, Self> {
        if !self.0.others.is_empty() {
            return Err(self);
        }
        let Entry { what, .. } = &self.0.primary;
        if !what.is::<E>() {
            return Err(self);
        }
        let mut primary = self.0.primary;
        match primary.what.take::<E>() {
            Ok(error) => Ok(error),
            Err(what) => {
                primary.what = what;
                Err(Self::from_entry(primary))
            }
        }
    }

    /// This report as a standard error: `Display` is the primary error, `source()` what the primary names as its cause.
    pub fn into_error(self) -> Box<dyn Error + Send + Sync> {
        Box::new(ReportError(self))
    }

    /// Takes out what an exit has marked as handled.
    pub(crate) fn without_handled(self) -> Self {
        let left = self.into_entries().filter(|entry| !entry.is_handled());
        Self::of(left).unwrap_or_else(|| Self::msg("an error that was handled"))
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Report {
    fn from(error: E) -> Self {
        // A group of tasks that fail with reports has many: none of them is to be hidden in another one.
        let mut error = Some(error);
        let any: &mut dyn Any = &mut error;
        if let Some(group) = any.downcast_mut::<Option<GroupError<Self>>>()
            && let Some(group) = group.take()
        {
            return group.into_report();
        }
        match error {
            Some(error) => Self::from_entry(Entry::new(What::error(error))),
            None => unreachable!("it was taken as what it is"),
        }
    }
}

/// The error as it is, if it is the only one and such a box; else all of them.
impl From<Report> for Box<dyn Error + Send + Sync> {
    fn from(report: Report) -> Self {
        report.downcast().unwrap_or_else(Report::into_error)
    }
}

/// The error as it is, if it is the only one and an [`io::Error`]; else all of them, with the kind of the primary.
impl From<Report> for io::Error {
    fn from(report: Report) -> Self {
        report.downcast().unwrap_or_else(|report| {
            let primary = report.primary().downcast_ref::<Self>();
            let kind = primary.map_or(io::ErrorKind::Other, Self::kind);
            Self::new(kind, report.into_error())
        })
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

/// The clones share the error.
impl Clone for Entry {
    fn clone(&self) -> Self {
        Self {
            phase: self.phase,
            scope: self.scope.clone(),
            location: self.location,
            took: self.took,
            what: self.what.clone(),
            handled: AtomicBool::new(self.handled.load(Ordering::Relaxed)),
        }
    }
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

    /// The entries of `error`: those of a report, else one.
    pub(crate) fn split<X: Fault>(mut error: X) -> Vec<Self> {
        match error.as_any_mut().downcast_mut::<Report>() {
            Some(report) => report.clone().into_entries().collect(),
            None => vec![Self::new(What::fault(error))],
        }
    }

    /// Says where entries come from that do not say it themselves.
    pub(crate) fn all_at(
        mut entries: Vec<Self>,
        phase: Phase,
        label: &Label,
    ) -> impl Iterator<Item = Self> + use<> {
        for entry in entries.iter_mut().filter(|entry| entry.location.is_none()) {
            entry.set(phase, label);
        }
        entries.into_iter()
    }

    pub(crate) fn at(mut self, phase: Phase, label: &Label) -> Self {
        self.set(phase, label);
        self
    }

    pub(crate) fn in_phase(mut self, phase: Phase) -> Self {
        self.phase = phase;
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

    pub(crate) fn is_handled(&self) -> bool {
        self.handled.load(Ordering::Relaxed)
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
            What::Failed(..) if self.what.is::<Overdue>() => Kind::Overdue,
            What::Failed(..) => Kind::Failed,
            What::Panic(_) => Kind::Panicked,
            What::Overdue => Kind::Overdue,
            What::Skipped | What::Forgotten => Kind::Skipped,
        }
    }

    /// Whether it is something that went wrong.
    pub fn is_loss(&self) -> bool {
        self.kind() != Kind::Finished
    }

    /// The error, if it is an `E`; sees through the same boxes as [`FailureRef`](crate::FailureRef).
    pub fn downcast_ref<E: Error + Send + Sync + 'static>(&self) -> Option<&E> {
        match &self.what {
            What::Failed(fault, _) => find((**fault).as_any()),
            _ => None,
        }
    }

    /// The error, if its own type is exactly `E`: also for types that are no [`Error`].
    pub(crate) fn exactly<E: 'static>(&self) -> Option<&E> {
        match &self.what {
            What::Failed(fault, _) => (**fault).as_any().downcast_ref(),
            _ => None,
        }
    }

    /// The error as a standard one, if it is one.
    pub fn error(&self) -> Option<&(dyn Error + 'static)> {
        match &self.what {
            What::Failed(fault, error) => error((**fault).as_any()),
            _ => None,
        }
    }

    pub(crate) fn what(&self) -> &What {
        &self.what
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
#[derive(Clone, Debug)]
pub(crate) enum What {
    Finished,
    /// An error, and how it is seen as a standard one.
    Failed(Arc<dyn Fault>, AsError),
    Panic(String),
    Overdue,
    Skipped,
    Forgotten,
}

type AsError = fn(&dyn Any) -> Option<&(dyn Error + 'static)>;

impl What {
    /// An error of which nothing more is known.
    pub(crate) fn fault(fault: impl Fault) -> Self {
        Self::Failed(Arc::new(fault), as_error)
    }

    /// A standard error.
    pub(crate) fn error<E: Error + Send + Sync + 'static>(error: E) -> Self {
        Self::Failed(Arc::new(error), |any| {
            let error = any.downcast_ref::<E>()?;
            Some(error)
        })
    }

    fn is<E: 'static>(&self) -> bool {
        matches!(self, Self::Failed(fault, _) if (**fault).as_any().is::<E>())
    }

    /// Takes an error of which [`is`](Self::is) is true, unless a clone shares it.
    fn take<E: Fault>(self) -> Result<E, Self> {
        let Self::Failed(fault, error) = self else {
            return Err(self);
        };
        let any: Arc<dyn Any + Send + Sync> = fault.clone();
        drop(fault);
        match any.downcast::<E>().map(Arc::try_unwrap) {
            Ok(Ok(taken)) => Ok(taken),
            Ok(Err(shared)) => Err(Self::Failed(shared, error)),
            Err(_) => unreachable!("it was looked at"),
        }
    }
}

impl Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished => f.write_str("finished"),
            Self::Failed(fault, _) => Display::fmt(fault, f),
            Self::Panic(message) => write!(f, "panicked: {message}"),
            Self::Overdue => f.write_str("has not ended in its time"),
            Self::Skipped => f.write_str("was skipped: a future that cannot move was dropped hard"),
            Self::Forgotten => {
                f.write_str("was skipped: its guard is lent out and has not come back")
            }
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
    /// It did not run: the guard was borrowed or not `Send` and its future was dropped hard, or the guard was lent out and did not come back.
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

/// What there is to tell of an error of this type.
pub(crate) type Entries<X> = fn(X) -> Vec<Entry>;

/// Name and source line of a scope.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    pub(crate) name: Cow<'static, str>,
    pub(crate) location: &'static Location<'static>,
}

/// The error of [`Report::msg`].
#[derive(Debug)]
struct Message(Cow<'static, str>);

impl Error for Message {}

impl Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
