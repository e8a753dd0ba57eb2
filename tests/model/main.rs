//! The drive held against a model of it: whatever is asked of it, in whatever order, whatever
//! fails below it and whoever else is at it, it does what a simple tree in memory would do.
//!
//! - `sequences`: random operations one after the other
//! - `locks`: every operation against every lock
//! - `failures`: one operation, and each call to the database or the object store failing in turn
//! - `interleavings`: two operations at once, in the orders that the database allows (`race`)
//!
//! They share the `operation`s, how they are drawn (`strategy`) and what is sent for each
//! (`requests`) to a `world`; the model (`tree`, and in `refusals` what it refuses; uploads in
//! `pieces` and tokens, by their `bearers`, besides), both side by side (`pair`); what a client sees
//! (`listing`), what webhooks are told (`events`), and what must always hold below (`invariants`).

mod bearers;
mod events;
mod failures;
mod interleavings;
mod invariants;
mod limits;
mod listing;
mod locks;
mod operation;
mod pair;
mod pieces;
mod race;
mod refusals;
mod requests;
mod sequences;
mod strategy;
mod tree;
mod world;
