//! Tasks.

use withal_core::{Spawn, Task};

use crate::AsyncStd;

impl Spawn for AsyncStd {
    fn spawn(&self, task: Task) {
        // Dropping the handle detaches the task.
        drop(async_std::task::spawn(task));
    }
}
