//! Focalpoint's Postgres: migrations, rows, queries and the ordered log.
//!
//! A connection goes in, a domain value comes out; rows are private.

#[macro_use(message)]
extern crate domain;

pub mod accounts;
pub mod audit;
pub mod bulletins;
pub mod clients;
pub mod db;
pub mod directory;
pub mod entrances;
mod error;
pub mod event_costs;
pub mod identity;
pub mod imports;
pub mod inf_notes;
mod json;
pub mod log;
pub mod mail;
pub mod migrations;
pub mod mutant;
pub mod roles;
mod schema;
pub mod sessions;
pub mod sign_ins;

pub use db::{Conn, Db, Written};
pub use error::Error;
