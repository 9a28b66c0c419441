//! Tasks.

use withal_core::{Spawn, Task};

use crate::Tokio;

impl Spawn for Tokio {
    fn spawn(&self, task: Task) {
        // Dropping the handle detaches the task.
        drop(tokio::spawn(task));
    }
}
