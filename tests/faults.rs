//! What happens when Postgres breaks: with a server of the test's own, so that it can be broken.

pub(crate) mod cluster;
mod disk;
mod ledger;
mod outage;
mod standby;
