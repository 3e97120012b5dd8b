//! Support for the tests: a node started for real, and what they share.
