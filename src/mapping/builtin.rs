//! The mapping tables that come with udmap.

use super::Mapping;

/// Names and texts of the tables.
const TABLES: [(&str, &str); 10] = [
    ("duo_telephony", include_str!("../../mappings/duo_telephony.toml")),
    ("duo_telephony_extended", include_str!("../../mappings/duo_telephony_extended.toml")),
    ("duo_auth", include_str!("../../mappings/duo_auth.toml")),
    ("duo_auth_extended", include_str!("../../mappings/duo_auth_extended.toml")),
    ("duo_admin", include_str!("../../mappings/duo_admin.toml")),
    ("duo_admin_extended", include_str!("../../mappings/duo_admin_extended.toml")),
    ("duo_activity", include_str!("../../mappings/duo_activity.toml")),
    ("duo_offline_enrollment", include_str!("../../mappings/duo_offline_enrollment.toml")),
    ("duo_trust_monitor", include_str!("../../mappings/duo_trust_monitor.toml")),
    ("duo", include_str!("../../mappings/duo.toml")),
];

/// Names and texts of the files that their rules name: maps.
const FILES: [(&str, &str); 2] = [
    ("duo_activity_types.tsv", include_str!("../../mappings/duo_activity_types.tsv")),
    ("duo_factors.tsv", include_str!("../../mappings/duo_factors.tsv")),
];

/// The names of the built-in tables; the first is the default.
pub fn builtin_mappings() -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|(name, _)| *name)
}

/// The text of the built-in table called `name`.
pub fn builtin_text(name: &str) -> Option<&'static str> {
    TABLES.iter().find(|(table, _)| *table == name).map(|(_, text)| *text)
}

/// The text of the file called `name` that a table names: a built-in table, or a map of one.
pub(super) fn builtin_file(name: &str) -> Option<&'static str> {
    builtin_text(name).or_else(|| FILES.iter().find(|(file, _)| *file == name).map(|(_, text)| *text))
}

impl Mapping {
    /// The built-in table called `name`, such as `duo_telephony`. Nothing if none is called that.
    pub fn builtin(name: &str) -> Option<Mapping> {
        let base =
            |name: &str| builtin_file(name).map(str::to_owned).ok_or_else(|| "no such table".to_owned());
        // The built-in tables are right; a test holds that.
        Mapping::load(name, builtin_text(name)?, &base).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_table_is_right_and_bears_its_name() {
        for name in builtin_mappings() {
            assert_eq!(Mapping::builtin(name).map(|m| m.name().to_owned()).as_deref(), Some(name));
        }
        assert!(Mapping::builtin("nothing").is_none());
    }
}
