//! Hearing what the lost-error hook hears.

use std::sync::{Arc, Mutex, Once, PoisonError, Weak};

use withal_core::on_lost_error;

type Heard = Mutex<Vec<String>>;

static LISTENERS: Mutex<Vec<Weak<Heard>>> = Mutex::new(Vec::new());

/// Everything that the lost-error hook hears from now on, in text.
///
/// There is one hook in a process and there are many tests: look for the names of your own scopes.
#[derive(Clone, Debug)]
pub struct LostErrors(Arc<Heard>);

impl LostErrors {
    /// Starts to listen.
    pub fn listen() -> Self {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            on_lost_error(|entry| {
                let text = entry.to_string();
                let mut listeners = LISTENERS.lock().unwrap_or_else(PoisonError::into_inner);
                listeners.retain(|listener| match listener.upgrade() {
                    Some(heard) => {
                        let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                        heard.push(text.clone());
                        true
                    }
                    None => false,
                });
            });
        });
        let heard = Arc::new(Heard::default());
        let mut listeners = LISTENERS.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.push(Arc::downgrade(&heard));
        Self(heard)
    }

    /// What was heard that contains `text`.
    pub fn containing(&self, text: &str) -> Vec<String> {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard
            .iter()
            .filter(|entry| entry.contains(text))
            .cloned()
            .collect()
    }
}
