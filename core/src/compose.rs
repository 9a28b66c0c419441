//! Scopes that are composed of scopes.

mod abreast;
mod alternative;
pub(crate) mod composite;
pub(crate) mod crew;
mod debt;
pub(crate) mod entering;
pub(crate) mod join;
pub(crate) mod lazy;
pub(crate) mod one_of;
mod option;
pub(crate) mod or_enter;
pub(crate) mod race;
mod row;
pub(crate) mod shared;
pub(crate) mod then_enter;
mod tuple;
mod unwinding;
