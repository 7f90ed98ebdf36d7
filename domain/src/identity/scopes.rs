//! Permissions, as OAuth 2 scopes.

/// A permission, as an OAuth 2 scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Read what is published for one's audience.
    Read,
    /// Import the directory.
    ImportDirectory,
    /// Import rate cards.
    ImportCosts,
    /// Import INF notes.
    ImportNotes,
    /// Import bulletins and places.
    ImportBulletins,
    /// See one's own account and devices, and sign devices out.
    Account,
    /// Invite, suspend and remove a mission's people, and sign their devices out.
    ManageMembers,
    /// Manage everybody's accounts and roles.
    ManageAccounts,
    /// Manage services and apps.
    ManageClients,
    /// Read who did what.
    ReadAudit,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 10] = [
        Self::Read,
        Self::ImportDirectory,
        Self::ImportCosts,
        Self::ImportNotes,
        Self::ImportBulletins,
        Self::Account,
        Self::ManageMembers,
        Self::ManageAccounts,
        Self::ManageClients,
        Self::ReadAudit,
    ];

    /// The name in tokens and in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::ImportDirectory => "directory:import",
            Self::ImportCosts => "event_costs:import",
            Self::ImportNotes => "inf_notes:import",
            Self::ImportBulletins => "bulletins:import",
            Self::Account => "account",
            Self::ManageMembers => "members:manage",
            Self::ManageAccounts => "accounts:manage",
            Self::ManageClients => "clients:manage",
            Self::ReadAudit => "audit:read",
        }
    }

    /// The scope of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }
}

/// A set of scopes, as a token carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scopes(u16);

impl Scopes {
    /// Every scope.
    pub fn all() -> Self {
        Scope::ALL.into_iter().collect()
    }

    /// Whether `scope` is in it.
    pub fn contains(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u16) != 0
    }

    /// Whether it has none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What is in both.
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Each of them, in the order of [`Scope::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.contains(*scope))
    }

    /// The scopes of a scope parameter (RFC 6749 §3.3); names nobody knows are left out.
    pub fn parse(parameter: &str) -> Self {
        parameter.split(' ').filter_map(Scope::from_name).collect()
    }

    /// The scopes of a scope parameter; none where it has a name nobody knows, or no name.
    pub fn parse_known(parameter: &str) -> Option<Self> {
        let names = parameter.split(' ').filter(|name| !name.is_empty());
        let scopes: Self = names.map(Scope::from_name).collect::<Option<_>>()?;
        (!scopes.is_empty()).then_some(scopes)
    }

    /// As a scope parameter.
    pub fn parameter(self) -> String {
        self.iter().map(Scope::name).collect::<Vec<_>>().join(" ")
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |set, scope| set | 1 << scope as u16))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_the_scopes_it_was_given() {
        let scopes = Scopes::parse("read bulletins:import root");
        assert_eq!(scopes.iter().collect::<Vec<_>>(), [Scope::Read, Scope::ImportBulletins]);
        assert_eq!(scopes.parameter(), "read bulletins:import");
        assert_eq!(scopes.and(Scopes::parse("read account")).parameter(), "read");
    }

    #[test]
    fn a_scope_that_nobody_knows_is_told_from_one_that_is_known() {
        assert_eq!(Scopes::parse_known("audit:read read").map(Scopes::parameter).as_deref(), Some("read audit:read"));
        for unknown in ["root", "read root", "", " ", "READ"] {
            assert_eq!(Scopes::parse_known(unknown), None, "{unknown:?}");
        }
    }

    #[test]
    fn names_read_back() {
        for scope in Scope::ALL {
            assert_eq!(Scope::from_name(scope.name()), Some(scope));
        }
    }
}
