//! The guidance files that are built into the program.

/// Name and text of each file of `schemas/guidance`.
pub(crate) const FILES: &[(&str, &str)] = &[
    ("criteria.toml", include_str!("../../../schemas/guidance/criteria.toml")),
    ("UNHCR.toml", include_str!("../../../schemas/guidance/UNHCR.toml")),
    ("EU.toml", include_str!("../../../schemas/guidance/EU.toml")),
    ("EU_2026.toml", include_str!("../../../schemas/guidance/EU_2026.toml")),
    ("DE.toml", include_str!("../../../schemas/guidance/DE.toml")),
    ("DE_2026.toml", include_str!("../../../schemas/guidance/DE_2026.toml")),
    ("FR.toml", include_str!("../../../schemas/guidance/FR.toml")),
    ("FR_2026.toml", include_str!("../../../schemas/guidance/FR_2026.toml")),
    ("UK_pre2022.toml", include_str!("../../../schemas/guidance/UK_pre2022.toml")),
    ("UK_post2022.toml", include_str!("../../../schemas/guidance/UK_post2022.toml")),
    ("CA.toml", include_str!("../../../schemas/guidance/CA.toml")),
    ("NZ.toml", include_str!("../../../schemas/guidance/NZ.toml")),
    ("AU.toml", include_str!("../../../schemas/guidance/AU.toml")),
    ("US.toml", include_str!("../../../schemas/guidance/US.toml")),
    ("ECHR.toml", include_str!("../../../schemas/guidance/ECHR.toml")),
];

/// The files that are built into the program: name and exact text, by which their hashes are made.
pub fn embedded_files() -> impl Iterator<Item = (&'static str, &'static str)> {
    FILES.iter().copied()
}
