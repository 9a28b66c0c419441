//! Tasks.

use withal_core::{Spawn, Task};

use crate::Smol;

impl Spawn for Smol {
    fn spawn(&self, task: Task) {
        // Dropping the handle would cancel the task.
        smol::spawn(task).detach();
    }
}
