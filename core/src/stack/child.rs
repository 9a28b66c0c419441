//! A forked stack, as an entry of the stack that it was forked from.

use std::any::Any;
use std::future::poll_fn;
use std::sync::Arc;

use crate::exiting::Exiting;
use crate::report::Label;
use crate::slot::{Fate, Trouble};
use crate::verdict::Verdict;

use super::entry::{Entry, Room, Started, failed};
use super::list::{Closing, Shared};
use super::unwinding::Unwinding;

/// The place of a child in its parent.
pub(super) struct Child<V: Verdict>(pub(super) Arc<Shared<V>>);

impl<V: Verdict> Entry<V> for Child<V> {
    fn leave(&mut self, fate: &Fate, room: &mut Room) -> Started<V> {
        let (shared, frame) = (self.0.clone(), room.frame);
        match shared.begin_close(fate) {
            Closing::First(owner) => {
                let mut unwinding = Unwinding::new(shared, fate.clone(), owner);
                unwinding.limit(room.limit.as_ref());
                Started::Stack(Box::pin(async move {
                    // In a frame of the parent, too: who closes that from here would wait for himself.
                    match Exiting::new(unwinding, frame).await {
                        Ok(Ok(Ok(verdict))) => Ok(verdict),
                        Ok(Ok(Err(report))) => Err(failed(report.into_entries().collect())),
                        Ok(Err(panic)) | Err(panic) => Err(Box::new(Trouble::Panic(panic))),
                    }
                }))
            }
            // Who closes it hears of its errors.
            Closing::Waits => Started::Running(Box::pin(async move {
                let _ = poll_fn(|cx| shared.poll_closed(cx)).await;
                Ok(V::PROPAGATE)
            })),
            Closing::Inside | Closing::Closed(_) => Started::Gone,
        }
    }

    fn guard(&mut self) -> &mut dyn Any {
        // Nobody leases it.
        &mut self.0
    }

    fn is_lent(&self) -> bool {
        false
    }

    fn is_gone(&self) -> bool {
        self.0.lock().closed().is_some()
    }

    fn label(&self) -> Label {
        self.0.label()
    }
}
