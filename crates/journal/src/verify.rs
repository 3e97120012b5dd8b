//! Checks a whole log on all cores: frames, chains, tree and footers.
