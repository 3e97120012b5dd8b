//! The invariants I1 to I22: their ids, their sentences and where they come from.

macro_rules! invariants {
    ($($variant:ident: $sentence:literal, $source:literal;)*) => {
        /// A rule that every history of a case obeys. A rejection names the one that it protects.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize, schemars::JsonSchema,
        )]
        pub enum Invariant {
            $(#[doc = $sentence] $variant,)*
        }

        impl Invariant {
            /// All of them, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The id, such as `I2`.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant),)* }
            }

            /// What holds, as a sentence.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)* }
            }

            /// Where the rule comes from.
            #[must_use]
            pub const fn source(self) -> &'static str {
                match self { $(Self::$variant => $source,)* }
            }
        }
    };
}

invariants! {
    I1: "Nobody is cleared for removal while the claim is pending, a time limit to appeal runs, an appeal is undetermined, service is unproved, protection stands, harm within article 3 was found and no court held otherwise, or a bar is active.", "1951 Convention art. 33; ECHR art. 3 and 13; APR 2024/1348 art. 68";
    I2: "Who assesses, who reviews and who decides are different people, and who decides an appeal took no earlier part in the case.", "APD 2013/32 art. 46; UNHCR procedural standards";
    I3: "A decision issues only on a completed and agreed review of the latest assessment.", "ICIBI 2021, recommendation 8";
    I4: "A refusal requires that every criterion of all three categories, of punishment and of complementary protection was found.", "UNHCR Handbook paras 196 and 203";
    I5: "Nobody is refused while the outcome is undetermined, unless a reasoned finding on the onus converts each open criterion.", "UNHCR Handbook paras 203 and 204";
    I6: "Exclusion is examined separately, after inclusion, with reasons of its own.", "UNHCR GIP 5; 1951 Convention art. 1F";
    I7: "Evidence or country information that is newer than an assessment voids its completion.", "Qualification Directive art. 4(3)";
    I8: "Country information on which a decision relies was disclosed to the claimant before.", "APD 2013/32 art. 12(1)(d); Qualification Directive art. 4";
    I9: "All three categories are recorded even where one of them suffices for a grant.", "the overlap of the categories";
    I10: "A departure from the proposal is reasoned.", "APD 2013/32 art. 11(2)";
    I11: "Time to appeal runs from proved service and is computed by the clocks of the profile; nobody gets less.", "ECHR art. 13; APR 2024/1348 art. 67; UNHCR procedural standards";
    I12: "A late appeal is ruled on, never rejected by itself.", "APD 2013/32 art. 46";
    I13: "A claim counts as withdrawn without the claimant's word only after a warning that was served and a time to answer that ran out.", "APD 2013/32 art. 28; UNHCR procedural standards";
    I14: "A remittal reopens the assessment with a new assessor and keeps the old findings visible.", "right to a fresh examination after remittal";
    I15: "Neither nationality nor side decides; conditions in a country enter only as dated findings.", "1951 Convention art. 3";
    I16: "Replay under the recorded guidance and engine gives the recorded proposal, bit for bit.", "the purpose of the record";
    I17: "Nothing is overwritten; a correction is an event of its own.", "GDPR art. 5(1)(d) and (f)";
    I18: "A file is closed only when no time limit runs and no appeal is pending.", "1951 Convention art. 33; ECHR art. 13";
    I19: "Every event names the legal basis on which its actor acted.", "GDPR art. 6; rule of law";
    I20: "Nothing goes to the state of origin or to anyone who acts for it.", "APD 2013/32 arts 30 and 48; UNHCR 2015 policy on personal data";
    I21: "How a person came in never undermines a finding.", "1951 Convention art. 31";
    I22: "The same command twice changes nothing.", "the promise of an acknowledgement";
}

impl std::fmt::Display for Invariant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}
