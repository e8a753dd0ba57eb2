//! Jobs over days, by a clock that can be set.

mod lines;
mod over_days;
mod trees;
mod world;
