//! The audit: replay, and what it says where something does not come out as recorded.

mod replay;
