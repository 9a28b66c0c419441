//! In which order the exits of a program start, by the simplest means.

use crate::program::{Deed, End, How, Step};

/// The stacks as lists.
#[derive(Default)]
pub(crate) struct Model {
    /// The names of the entries in the order in which their exits start.
    pub(crate) exits: Vec<String>,
    next: usize,
}

enum Item {
    Entry { name: String, end: End },
    Stack(Vec<Item>),
}

/// The body goes no further: it has failed or panicked.
struct Stopped;

impl Model {
    pub(crate) fn of(steps: &[Step]) -> Self {
        let mut model = Self::default();
        let mut items = Vec::new();
        let _ = model.body(&mut items, None, steps);
        let _ = model.close(items);
        model
    }

    fn name(&mut self) -> String {
        self.next += 1;
        format!("e{}x", self.next - 1)
    }

    fn body(
        &mut self,
        own: &mut Vec<Item>,
        mut outer: Option<&mut Vec<Item>>,
        steps: &[Step],
    ) -> Result<(), Stopped> {
        let mut keys: Vec<String> = Vec::new();
        for step in steps {
            match step {
                Step::Add(add) => {
                    let name = self.name();
                    if add.how == How::Refuse {
                        return Err(Stopped);
                    }
                    if matches!(add.how, How::Enter | How::Push) {
                        keys.push(name.clone());
                    }
                    let end = add.end;
                    own.push(Item::Entry { name, end });
                }
                Step::Inner { steps, closed, .. } => {
                    let place = own.len();
                    own.push(Item::Stack(Vec::new()));
                    let mut items = Vec::new();
                    let ended = self.body(&mut items, Some(own), steps);
                    own[place] = Item::Stack(items);
                    ended?;
                    if *closed {
                        let item = own.remove(place);
                        self.leave(item)?;
                    }
                }
                Step::Take { closed } => {
                    keys.clear();
                    let taken = Item::Stack(std::mem::take(own));
                    if *closed {
                        self.leave(taken)?;
                    } else {
                        own.push(taken);
                    }
                }
                Step::Lease { which, deed } => {
                    if keys.is_empty() {
                        continue;
                    }
                    let key = keys.remove(which % keys.len());
                    let is_it =
                        |item: &Item| matches!(item, Item::Entry { name, .. } if *name == key);
                    let item = own.remove(own.iter().position(is_it).expect("it is here"));
                    match deed {
                        Deed::Close => self.leave(item)?,
                        Deed::Dismiss => own.push(item),
                        Deed::Transfer => outer.as_deref_mut().unwrap_or(own).push(item),
                    }
                }
                Step::Fail => return Err(Stopped),
            }
        }
        Ok(())
    }

    fn leave(&mut self, item: Item) -> Result<(), Stopped> {
        match item {
            Item::Entry { name, end } => {
                self.exits.push(name);
                match end {
                    End::Well => Ok(()),
                    End::Fails | End::Panics => Err(Stopped),
                }
            }
            Item::Stack(items) => self.close(items),
        }
    }

    /// All exits run, whatever some of them do.
    fn close(&mut self, items: Vec<Item>) -> Result<(), Stopped> {
        let mut ended = Ok(());
        for item in items.into_iter().rev() {
            if self.leave(item).is_err() {
                ended = Err(Stopped);
            }
        }
        ended
    }
}
