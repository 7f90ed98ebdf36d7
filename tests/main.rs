//! The promises, over real HTTP against a real Postgres.
//!
//! `DATABASE_URL` names the server; every test has a database of its own there, called
//! `focalpoint_test_…`. Tests that break a server start one of their own; they are called `fault_…`
//! and say that they were skipped unless `FOCALPOINT_TEST_CLUSTER` is set.
#![allow(missing_docs)]

mod bulletins;
mod contract;
mod directory;
mod event_costs;
mod faults;
mod harness;
mod http;
mod identity;
mod imports;
mod inf_notes;
mod ordered_log;
mod schema;
mod sync;
