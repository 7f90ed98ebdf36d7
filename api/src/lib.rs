//! Focalpoint over HTTP: bodies, handlers, identity, the contract, and what runs behind them.

pub mod answers;
pub mod app;
pub mod bulletins;
pub mod config;
pub mod contract;
pub mod demonstration;
pub mod directory;
pub mod entrances;
pub mod event_costs;
mod follower;
pub mod frame;
mod health;
pub mod identity;
pub mod imports;
pub mod inf_notes;
mod json;
pub mod lists;
pub mod lookalikes;
pub mod objects;
pub mod params;
mod payload;
pub mod problem;
pub mod rendering;
pub mod rows;
mod scheduler;
pub mod server;
pub mod state;
pub mod store;
pub mod sync;

pub use server::{Server, start};
