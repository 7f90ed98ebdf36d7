//! Focalpoint over HTTP: bodies, handlers, identity, the contract, and what runs behind them.

#[macro_use(message)]
extern crate domain;

pub mod accounts;
pub mod answers;
pub mod app;
pub mod audit;
pub mod bulletins;
pub mod clients;
pub mod coding;
pub mod command_line;
pub mod config;
pub mod contract;
pub mod cors;
pub mod demonstration;
pub mod deprecation;
pub mod directory;
pub mod edge;
pub mod editing;
pub mod entrances;
pub mod event_costs;
pub mod exports;
mod follower;
pub mod frame;
mod health;
pub mod identity;
pub mod imports;
pub mod inf_notes;
mod json;
pub mod limits;
pub mod lists;
pub mod lookalikes;
pub mod mail;
pub mod members;
pub mod metrics;
pub mod oauth;
pub mod objects;
pub mod operator;
pub mod params;
mod payload;
pub mod probe;
pub mod problem;
pub mod rendering;
pub mod rows;
mod scheduler;
pub mod security_txt;
pub mod server;
pub mod sessions;
pub mod sign_in;
pub mod state;
pub mod store;
pub mod sync;
mod trace_context;
pub mod turns;

pub use server::{Server, start};
