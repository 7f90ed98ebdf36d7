//! Roles and what each may do.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Broken, Rule};

/// The id of an OAuth 2 client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientId(pub Uuid);

/// What somebody is to Focalpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A delegate of a mission.
    Delegate,
    /// A mission's systems.
    Integrator,
    /// Keeps directory, rate cards and notes.
    Editor,
    /// Issues bulletins.
    SecurityOfficer,
    /// Gives the second signature.
    Approver,
    /// Runs the system.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] =
        [Self::Delegate, Self::Integrator, Self::Editor, Self::SecurityOfficer, Self::Approver, Self::Admin];

    /// The name in the database, in tokens and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Delegate => "delegate",
            Self::Integrator => "integrator",
            Self::Editor => "editor",
            Self::SecurityOfficer => "security_officer",
            Self::Approver => "approver",
            Self::Admin => "admin",
        }
    }

    /// The role of this name.
    pub fn parse(name: &str) -> Result<Self, Broken> {
        Self::ALL.into_iter().find(|r| r.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Broken::new(Rule::OneOf, message!("must be one of {values}", values = names))
        })
    }

    /// Whether who has it belongs to a mission; everybody else belongs to the Secretariat.
    pub fn is_of_a_mission(self) -> bool {
        matches!(self, Self::Delegate | Self::Integrator)
    }

    /// Whether it carries `scope`. The one table of permissions.
    pub fn may(self, scope: Scope) -> bool {
        match scope {
            Scope::Read => true,
            Scope::ImportDirectory | Scope::ImportCosts | Scope::ImportNotes => {
                matches!(self, Self::Editor | Self::Admin)
            }
            Scope::ImportBulletins => matches!(self, Self::SecurityOfficer | Self::Admin),
        }
    }

    /// Every scope it carries, in the order of [`Scope::ALL`].
    pub fn scopes(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.may(*scope))
    }
}

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
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 5] =
        [Self::Read, Self::ImportDirectory, Self::ImportCosts, Self::ImportNotes, Self::ImportBulletins];

    /// The name in tokens and in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::ImportDirectory => "directory:import",
            Self::ImportCosts => "event_costs:import",
            Self::ImportNotes => "inf_notes:import",
            Self::ImportBulletins => "bulletins:import",
        }
    }

    /// The scope of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }
}

/// A set of scopes, as a token carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scopes(u8);

impl Scopes {
    /// Whether `scope` is in it.
    pub fn contains(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u8) != 0
    }

    /// The scopes of a scope parameter (RFC 6749 §3.3); names nobody knows are left out.
    pub fn parse(parameter: &str) -> Self {
        let scopes = parameter.split(' ').filter_map(Scope::from_name);
        Self(scopes.fold(0, |set, scope| set | 1 << scope as u8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missions_only_read() {
        for role in [Role::Delegate, Role::Integrator] {
            assert_eq!(role.scopes().collect::<Vec<_>>(), [Scope::Read]);
        }
    }

    #[test]
    fn a_set_has_the_scopes_it_was_given() {
        let scopes = Scopes::parse("read bulletins:import root");
        let has = Scope::ALL.into_iter().filter(|s| scopes.contains(*s)).collect::<Vec<_>>();
        assert_eq!(has, [Scope::Read, Scope::ImportBulletins]);
    }

    #[test]
    fn names_read_back() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.name()), Ok(role));
        }
        for scope in Scope::ALL {
            assert_eq!(Scope::from_name(scope.name()), Some(scope));
        }
        assert!(Role::parse("root").is_err());
    }
}
