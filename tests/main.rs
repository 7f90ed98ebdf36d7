//! The promises, over real HTTP against a real Postgres.
