//! The law as data: criteria, profiles and their three-valued evaluation.
//!
//! In scope: reading and checking guidance files (bytes in, faults with file and line out),
//! finding the guidance in force at a date, evaluating findings, saying which open question
//! could still turn the outcome, and explaining an evaluation in sentences with sources.
//!
//! Out of scope: disk, clock and environment (the caller brings bytes and dates), cases, people
//! and evidence. Evidence never votes here: a person finds, the engine derives and proposes.
//!
//! Invariants:
//! - The hash of a profile's file fixes everything that an evaluation depends on, because that
//!   file pins its criteria by their hash. Same hash, question and [`ENGINE_VERSION`]: same answer.
//! - Every criterion is evaluated, always; the order of findings never matters.
//! - A certain outcome stays certain: turning an undetermined leaf that was not presumed into met
//!   or not met never changes an outcome other than `undetermined`.
//! - No rule sees nationality or side: the only facts that reach a rule are [`Facts`].
//!
//! ```
//! let library = guidance::Library::embedded().expect("the embedded guidance is checked by tests");
//! let eu = library.in_force("EU", jiff::civil::date(2020, 11, 19)).expect("in force");
//! let mut findings = eu.undetermined_findings();
//! findings.set(eu.leaf("C2.1").expect("a leaf"), guidance::Value::Met);
//! let question = guidance::Question {
//!     sought: guidance::Sought::Refugee,
//!     facts: guidance::Facts::default(),
//!     findings,
//! };
//! assert_eq!(eu.evaluate(&question).outcome(), guidance::Outcome::Undetermined);
//! ```

mod bits;
mod check;
mod choice;
mod criteria;
mod decisions;
mod diff;
mod embedded;
mod evaluate;
mod explain;
mod fault;
mod file;
mod fixture;
mod formula;
mod graph;
mod guidance;
mod hash;
mod lenient;
mod library;
mod open;
mod phrase;
mod profile;
mod program;
mod silence;
mod tell;
mod terms;
mod value;

pub use choice::Choice;
pub use criteria::{
    Annotation, Checked, Criterion, Join, Kind, Member, Override, Parameter, Presumption, Source,
    Target,
};
pub use diff::{Difference, compare};
pub use embedded::embedded_files;
pub use evaluate::{Evaluation, Presumed, Question};
pub use explain::{Explanation, Line};
pub use fault::{Fault, Faults};
pub use fixture::{Fixture, FixtureId};
pub use guidance::{Guidance, NotALeaf, Reading, Setting, Standard};
pub use hash::{GuidanceHash, NotAHash};
pub use library::{Library, NotInForce};
pub use program::{Findings, Leaf};
pub use terms::{Enlistment, Facts, Motive, Outcome, Posting, Sought, UnknownTerm};
pub use value::Value;

/// The version of the rules by which this engine turns guidance and findings into an evaluation.
///
/// It changes when the same guidance and findings would give another answer, and only then.
pub const ENGINE_VERSION: &str = "1";
