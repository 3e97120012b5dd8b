//! placeholder
pub mod broker;
pub mod keys;
