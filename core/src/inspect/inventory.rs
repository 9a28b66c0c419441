//! The inventory: what is open, as a tree.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::panic::Location;
use std::time::{Duration, Instant};

use super::register::{Sighting, State, sightings};
use crate::report::Phase;

/// Which scopes are open now, in all of the process.
///
/// A scope is open from the first poll of its enter to the end of its exit, wherever that runs; also if its future is kept and not polled, or was forgotten.
/// An [`Open`](crate::Open) is a scope like any other.
///
/// # Examples
///
/// What a watchdog says:
///
/// ```
/// # use withal_core as withal;
/// use std::time::Duration;
/// use withal::inspect::inventory;
///
/// for scope in inventory().older_than(Duration::from_secs(60)) {
///     eprintln!("open for too long: {scope}");
/// }
/// ```
pub fn inventory() -> Inventory {
    let sightings = sightings();
    Inventory::of(sightings, Instant::now())
}

/// The scopes that were open at one moment: see [`inventory`].
///
/// `Display` is the tree, a line for each scope.
#[derive(Clone)]
pub struct Inventory {
    taken: Instant,
    /// Each scope is followed by what is inside of it.
    items: Vec<Item>,
}

#[derive(Clone)]
struct Item {
    name: Cow<'static, str>,
    location: &'static Location<'static>,
    since: Instant,
    state: State,
    parent: Option<usize>,
    depth: usize,
    /// The index after the last item inside.
    end: usize,
}

impl Inventory {
    /// All scopes: each before what is inside of it, and siblings by age, the oldest first.
    pub fn scopes(&self) -> impl Iterator<Item = OpenScope<'_>> {
        (0..self.items.len()).map(|index| self.at(index))
    }

    /// The scopes that are inside of no other.
    pub fn roots(&self) -> impl Iterator<Item = OpenScope<'_>> {
        self.siblings(0, self.items.len())
    }

    /// The scopes that had been open for longer than `age`.
    pub fn older_than(&self, age: Duration) -> impl Iterator<Item = OpenScope<'_>> {
        self.scopes().filter(move |scope| scope.age() > age)
    }

    /// How many scopes there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether no scope was open.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    fn at(&self, index: usize) -> OpenScope<'_> {
        OpenScope {
            inventory: self,
            index,
        }
    }

    /// The items from `index` to `end` that are not inside of each other.
    fn siblings(&self, mut index: usize, end: usize) -> impl Iterator<Item = OpenScope<'_>> {
        std::iter::from_fn(move || {
            let sibling = (index < end).then(|| self.at(index))?;
            index = self.items[index].end;
            Some(sibling)
        })
    }

    /// Makes a tree of what was seen.
    fn of(mut seen: Vec<Sighting>, taken: Instant) -> Self {
        seen.sort_by_key(|scope| scope.since);
        let index: HashMap<u32, usize> = (0..seen.len())
            .filter(|&index| seen[index].frame != 0)
            .map(|index| (seen[index].frame, index))
            .collect();
        // The innermost of what it was entered in that is a scope, and is open.
        let parents: Vec<Option<usize>> = seen
            .iter()
            .map(|scope| scope.inside.iter().find_map(|id| index.get(id).copied()))
            .collect();
        let mut children = vec![Vec::new(); seen.len()];
        for (child, parent) in parents.iter().enumerate() {
            if let Some(parent) = parent {
                children[*parent].push(child);
            }
        }
        let mut tree = Tree {
            seen: seen.into_iter().map(Some).collect(),
            children,
            items: Vec::new(),
        };
        for root in (0..parents.len()).filter(|&index| parents[index].is_none()) {
            tree.add(root);
        }
        // Ids wrap in the end, and may name a circle: whoever is in one is there, too.
        for left in 0..parents.len() {
            tree.add(left);
        }
        Self {
            taken,
            items: tree.items,
        }
    }
}

/// A tree that is being put in order.
struct Tree {
    /// Those that have no place yet.
    seen: Vec<Option<Sighting>>,
    children: Vec<Vec<usize>>,
    items: Vec<Item>,
}

impl Tree {
    /// Adds a root and all that is inside of it.
    fn add(&mut self, root: usize) {
        let mut path: Vec<usize> = Vec::new();
        let mut next = vec![(root, 0)];
        while let Some((index, depth)) = next.pop() {
            let Some(scope) = self.seen[index].take() else {
                continue;
            };
            self.close(&mut path, depth);
            let inside = self.children[index].iter().rev();
            next.extend(inside.map(|&child| (child, depth + 1)));
            let place = self.items.len();
            self.items.push(Item {
                name: scope.name,
                location: scope.location,
                since: scope.since,
                state: scope.state,
                parent: path.last().copied(),
                depth,
                end: place + 1,
            });
            path.push(place);
        }
        self.close(&mut path, 0);
    }

    /// Ends the items of `path` from `depth` on.
    fn close(&mut self, path: &mut Vec<usize>, depth: usize) {
        for place in path.drain(depth..) {
            self.items[place].end = self.items.len();
        }
    }
}

/// One scope of an [`Inventory`].
///
/// `Display` is a line with all of it.
#[derive(Clone, Copy)]
pub struct OpenScope<'a> {
    inventory: &'a Inventory,
    index: usize,
}

impl<'a> OpenScope<'a> {
    fn item(self) -> &'a Item {
        &self.inventory.items[self.index]
    }

    /// Its name: the one given by `.named(..)`, else its type.
    pub fn name(self) -> &'a str {
        &self.item().name
    }

    /// The source line that entered it.
    pub fn location(self) -> &'static Location<'static> {
        self.item().location
    }

    /// When its enter began.
    pub fn since(self) -> Instant {
        self.item().since
    }

    /// How long ago that was when the inventory was made.
    pub fn age(self) -> Duration {
        self.inventory.taken.saturating_duration_since(self.since())
    }

    /// What it was doing.
    ///
    /// The exit begins when the body ends, and has first to wait for what the body has left behind.
    /// A [protected](crate::ScopeExt::protected) enter that goes on without its future counts as an exit, which follows.
    pub fn phase(self) -> Phase {
        match self.item().state {
            State::Entering => Phase::Enter,
            State::Open => Phase::Body,
            State::Leaving | State::Orphaned => Phase::Exit,
        }
    }

    /// Whether its own future was dropped, so that somebody else finishes its exit.
    pub fn is_orphan(self) -> bool {
        self.item().state == State::Orphaned
    }

    /// The scope in whose body, or exit, it was entered; `None` if there was none, or if that has ended.
    pub fn parent(self) -> Option<Self> {
        Some(self.inventory.at(self.item().parent?))
    }

    /// The scopes that were entered inside of it.
    pub fn children(self) -> impl Iterator<Item = Self> {
        self.inventory.siblings(self.index + 1, self.item().end)
    }

    /// How many scopes there are around it.
    pub fn depth(self) -> usize {
        self.item().depth
    }
}

impl fmt::Display for OpenScope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, location, age) = (self.name(), self.location(), self.age());
        write!(f, "`{name}` ({location}): {}, {age:.1?}", self.phase())?;
        if self.is_orphan() {
            f.write_str(", orphaned")?;
        }
        Ok(())
    }
}

impl fmt::Display for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("no scope is open");
        }
        for (index, scope) in self.scopes().enumerate() {
            let (line, indent) = (if index > 0 { "\n" } else { "" }, 2 * scope.depth());
            write!(f, "{line}{:indent$}{scope}", "")?;
        }
        Ok(())
    }
}

impl fmt::Debug for OpenScope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenScope")
            .field("name", &self.name())
            .field("location", &self.location().to_string())
            .field("phase", &self.phase())
            .field("age", &self.age())
            .field("is_orphan", &self.is_orphan())
            .field("depth", &self.depth())
            .finish()
    }
}

impl fmt::Debug for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.scopes()).finish()
    }
}
