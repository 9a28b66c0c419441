//! The methods of scopes do not get in the way of those that std has, nor the other way round.

use std::sync::{Arc, Mutex};

#[test]
fn options_and_arrays_keep_their_methods() {
    #[allow(unused_imports, reason = "in scope on purpose: it must change nothing")]
    use withal_core::ScopeExt;

    assert_eq!(Some(1).map(|n| n + 1), Some(2));
    assert_eq!(Some(1_u8).and_then(|n| n.checked_sub(2)), None);
    assert_eq!(Some(3).or_else(|| [4].first().copied()), Some(3));
    assert_eq!(Some(1).zip(Some(2)), Some((1, 2)));
    assert_eq!([1, 2].map(|n| n * 2), [2, 4]);
    assert_eq!(["a", "b"].join("-"), "a-b");
    assert_eq!(Ok::<_, u8>(1).and_then(Err::<u8, u8>), Err(1));
}

/// What a name resolves to that no type has by itself.
#[derive(Debug, PartialEq)]
struct Free;

/// The methods of `ScopeExt`, those that are to come included, on every type.
trait Names: Sized {
    fn with(self) -> Free {
        Free
    }
    fn using(self) -> Free {
        Free
    }
    fn with_report(self) -> Free {
        Free
    }
    fn open(self) -> Free {
        Free
    }
    fn named(self) -> Free {
        Free
    }
    fn protected(self) -> Free {
        Free
    }
    fn exit_within(self) -> Free {
        Free
    }
    fn view_as(self) -> Free {
        Free
    }
    fn boxed(self) -> Free {
        Free
    }
    fn then_enter(self) -> Free {
        Free
    }
    fn or_enter(self) -> Free {
        Free
    }
}
impl<T> Names for T {}

/// An inherent method of `value` would be found before the trait's, and would not do here.
macro_rules! assert_free {
    ($($value:expr),* $(,)?) => {$(
        assert_eq!($value.with(), Free);
        assert_eq!($value.using(), Free);
        assert_eq!($value.with_report(), Free);
        assert_eq!($value.open(), Free);
        assert_eq!($value.named(), Free);
        assert_eq!($value.protected(), Free);
        assert_eq!($value.exit_within(), Free);
        assert_eq!($value.view_as(), Free);
        assert_eq!($value.boxed(), Free);
        assert_eq!($value.then_enter(), Free);
        assert_eq!($value.or_enter(), Free);
    )*};
}

#[test]
fn no_type_that_may_be_a_scope_has_a_method_of_that_name() {
    assert_free![
        Some(1),
        [1, 2],
        vec![1],
        (1, 2),
        (1, 2, 3),
        Ok::<u8, u8>(1),
        Box::new(1),
        &1,
        &mut 1,
        Arc::new(1),
        Mutex::new(1),
        String::new(),
        std::path::PathBuf::new(),
    ];
}
