//! The tree of handles: who is cancelled, and who is to be told.
//!
//! A child holds its parent, and a parent knows its children weakly, by number; what is dropped takes itself off the list.
//! A tree may be of any depth, so that nothing here recurses, and foreign code (a waker) never runs under a lock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{Poll, Waker};

use crate::outcome::Reason;

pub(super) struct Node {
    /// Set once, under the lock of the list: nobody is added to it afterwards.
    reason: OnceLock<Reason>,
    list: Mutex<List>,
    /// The parent, and this one's number in its list.
    parent: Option<(Arc<Node>, u64)>,
}

/// Who is to be told. (A tree of numbers gives its memory back, unlike a vector with gaps.)
#[derive(Default)]
struct List {
    last: u64,
    listeners: BTreeMap<u64, Listener>,
}

enum Listener {
    Task(Waker),
    Child(Weak<Node>),
}

impl List {
    fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }
}

impl Node {
    pub(super) fn new(reason: OnceLock<Reason>, parent: Option<(Arc<Self>, u64)>) -> Arc<Self> {
        Arc::new(Self {
            reason,
            list: Mutex::default(),
            parent,
        })
    }

    fn lock(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn reason(&self) -> Option<Reason> {
        self.reason.get().copied()
    }

    /// How many children and waiting tasks there are.
    pub(super) fn listeners(&self) -> usize {
        self.lock().listeners.len()
    }

    /// Gives the reason, or has `waker` woken when there is one. `number` is the caller's in the list, once it has one.
    pub(super) fn poll(&self, number: &mut Option<u64>, waker: &Waker) -> Poll<Reason> {
        if let Some(reason) = self.reason() {
            return Poll::Ready(reason);
        }
        if number.is_some_and(|number| self.has(number, waker)) {
            return Poll::Pending;
        }
        let task = Listener::Task(waker.clone());
        let old = {
            let mut list = self.lock();
            if let Some(reason) = self.reason() {
                return Poll::Ready(reason);
            }
            let number = *number.get_or_insert_with(|| list.number());
            list.listeners.insert(number, task)
        };
        drop(old);
        Poll::Pending
    }

    /// Whether this waker is already the one in the list.
    fn has(&self, number: u64, waker: &Waker) -> bool {
        match self.lock().listeners.get(&number) {
            Some(Listener::Task(task)) => task.will_wake(waker),
            _ => false,
        }
    }

    pub(super) fn forget(&self, number: u64) {
        let forgotten = self.lock().listeners.remove(&number);
        drop(forgotten);
    }

    /// Sets the reason and gives those who are to be told; nobody if there is one already.
    fn mark(&self, reason: Reason) -> BTreeMap<u64, Listener> {
        let mut list = self.lock();
        match self.reason.set(reason) {
            Ok(()) => std::mem::take(&mut list.listeners),
            Err(_) => BTreeMap::new(),
        }
    }

    /// Leaves the parent's list, and gives the parent.
    fn leave(&mut self) -> Option<Arc<Self>> {
        let (parent, number) = self.parent.take()?;
        parent.forget(number);
        Some(parent)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let mut parent = self.leave();
        // The last child drops its parent, and so on up: one after the other.
        while let Some(mut node) = parent.and_then(Arc::into_inner) {
            parent = node.leave();
        }
    }
}

/// A child, which is cancelled already if its parent is.
pub(super) fn child(parent: &Arc<Node>) -> Arc<Node> {
    let mut list = parent.lock();
    if let Some(reason) = parent.reason() {
        return Node::new(OnceLock::from(reason), None);
    }
    let number = list.number();
    let child = Node::new(OnceLock::new(), Some((parent.clone(), number)));
    let listener = Listener::Child(Arc::downgrade(&child));
    list.listeners.insert(number, listener);
    child
}

/// Marks `node` and everything below, and then wakes all who wait for one of them.
pub(super) fn cancel(node: &Arc<Node>, reason: Reason) {
    let mut tasks = Vec::new();
    let mut nodes = vec![node.clone()];
    while let Some(node) = nodes.pop() {
        for listener in node.mark(reason).into_values() {
            match listener {
                Listener::Task(waker) => tasks.push(waker),
                Listener::Child(child) => nodes.extend(child.upgrade()),
            }
        }
    }
    // Whoever is woken finds the whole tree cancelled; he cannot wait again, so that there is an end to them.
    tasks.into_iter().for_each(Waker::wake);
}
