//! The promises, over real HTTP against a real Postgres.
//!
//! `DATABASE_URL` names the server; every test has a database of its own there, called
//! `focalpoint_test_…`. Tests that break a server, those of `faults`, start one of their own and say that
//! they were skipped unless `FOCALPOINT_TEST_CLUSTER` is set.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

mod accounts;
mod audit;
mod bulletins;
mod clients;
mod command_line;
mod contract;
mod directory;
mod edge;
mod editions;
mod event_costs;
mod exports;
mod faults;
mod harness;
mod hostile;
mod http;
mod identity;
mod import_runs;
mod imports;
mod inf_notes;
mod matrix;
mod members;
mod messages;
mod model;
mod oauth;
mod operations;
mod ordered_log;
mod phone;
mod process;
mod restore;
mod revocation;
mod roles;
mod schema;
mod sessions;
mod sign_in;
mod sync;
