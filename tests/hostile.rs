//! Hostile input: bytes, texts and identities that were never meant to work.

mod bodies;
mod channels;
mod corpus;
mod framing;
mod identities;
