//! Hostile input: bytes, texts, tokens and identities that were never meant to work.

mod apps;
mod bodies;
mod channels;
mod corpus;
mod flood;
mod framing;
mod identities;
mod isolation;
mod revoked;
mod spellings;
mod timing;
mod tokens;
