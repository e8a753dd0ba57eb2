//! Generated from `wit/`: what Spin gives a component beside WASI.
#![allow(missing_docs, clippy::pedantic)]

wasmtime::component::bindgen!({
    path: "wit",
    imports: { default: async | trappable },
    with: { "spin:sqlite/sqlite.connection": crate::sqlite::Connection },
});
