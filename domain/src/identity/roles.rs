//! Roles and what each may do.

use serde::{Deserialize, Serialize};

use super::{Scope, Scopes};
use crate::{Broken, Rule};

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
    /// Manages a mission's people.
    MissionAdmin,
    /// Reads who did what.
    Auditor,
    /// The Secretariat's systems that import.
    Importer,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 9] = [
        Self::Delegate,
        Self::Integrator,
        Self::Editor,
        Self::SecurityOfficer,
        Self::Approver,
        Self::Admin,
        Self::MissionAdmin,
        Self::Auditor,
        Self::Importer,
    ];

    /// The name in the database, in the API and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Delegate => "delegate",
            Self::Integrator => "integrator",
            Self::Editor => "editor",
            Self::SecurityOfficer => "security_officer",
            Self::Approver => "approver",
            Self::Admin => "admin",
            Self::MissionAdmin => "mission_admin",
            Self::Auditor => "auditor",
            Self::Importer => "importer",
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
        matches!(self, Self::Delegate | Self::Integrator | Self::MissionAdmin)
    }

    /// Whether a service may have it. All other roles are people's: what one person signs with two clients
    /// would not be signed by two persons.
    pub fn is_of_a_service(self) -> bool {
        matches!(self, Self::Integrator | Self::Importer)
    }

    /// Whether who has it must show a second factor when signing in.
    pub fn needs_second_factor(self) -> bool {
        matches!(self, Self::SecurityOfficer | Self::Approver | Self::Admin)
    }

    /// Whether it carries `scope`. The one table of permissions.
    pub fn may(self, scope: Scope) -> bool {
        match scope {
            Scope::Read => true,
            Scope::ImportDirectory | Scope::ImportCosts | Scope::ImportNotes => {
                matches!(self, Self::Editor | Self::Admin | Self::Importer)
            }
            Scope::ImportBulletins => matches!(self, Self::SecurityOfficer | Self::Admin | Self::Importer),
            Scope::Account => !self.is_of_a_service(),
            Scope::ManageMembers => matches!(self, Self::MissionAdmin | Self::Admin),
            Scope::ManageAccounts | Scope::ManageClients => matches!(self, Self::Admin),
            Scope::ReadAudit => matches!(self, Self::Auditor),
        }
    }

    /// Every scope it carries, in the order of [`Scope::ALL`].
    pub fn scopes(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.may(*scope))
    }
}

/// The roles of a person, at least one: either a mission's or the Secretariat's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Roles(u16);

impl Roles {
    /// Of a service, which has one.
    pub fn of(role: Role) -> Self {
        Self(1 << role as u16)
    }

    /// A person's roles by their names. There must be one, none twice, all of them people's, and all of a
    /// mission or all of the Secretariat.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, Broken> {
        let mut roles = Self(0);
        for name in names {
            let role = Role::parse(name)?;
            if role.is_of_a_service() {
                return Err(Broken::new(Rule::Conflict, message!("{role} is a role of services", role = name)));
            }
            if roles.contains(role) {
                return Err(Broken::new(Rule::Duplicate, message!("is given twice")));
            }
            roles.0 |= 1 << role as u16;
        }
        if roles.0 == 0 {
            return Err(Broken::new(Rule::Required, message!("must name a role")));
        }
        let of_a_mission = roles.iter().filter(|role| role.is_of_a_mission()).count();
        if of_a_mission != 0 && of_a_mission != roles.iter().count() {
            return Err(Broken::new(
                Rule::Conflict,
                message!("roles of a mission and of the Secretariat cannot be held together"),
            ));
        }
        Ok(roles)
    }

    /// Each of them, in the order of [`Role::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.contains(*role))
    }

    /// Whether `role` is one of them.
    pub fn contains(self, role: Role) -> bool {
        self.0 & (1 << role as u16) != 0
    }

    /// Whether one of them carries `scope`.
    pub fn may(self, scope: Scope) -> bool {
        self.iter().any(|role| role.may(scope))
    }

    /// Every scope that one of them carries.
    pub fn scopes(self) -> Scopes {
        Scope::ALL.into_iter().filter(|scope| self.may(*scope)).collect()
    }

    /// Whether they are a mission's.
    pub fn are_of_a_mission(self) -> bool {
        self.iter().any(Role::is_of_a_mission)
    }

    /// Whether one of them needs a second factor.
    pub fn need_second_factor(self) -> bool {
        self.iter().any(Role::needs_second_factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missions_systems_only_read() {
        assert_eq!(Role::Integrator.scopes().collect::<Vec<_>>(), [Scope::Read]);
        assert_eq!(Role::Delegate.scopes().collect::<Vec<_>>(), [Scope::Read, Scope::Account]);
    }

    #[test]
    fn names_read_back() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.name()), Ok(role));
        }
        assert!(Role::parse("root").is_err());
    }

    #[test]
    fn a_person_is_of_a_mission_or_of_the_secretariat() {
        let rule = |names: &[&str]| Roles::parse(names.iter().copied()).unwrap_err().rule;
        assert_eq!(rule(&[]), Rule::Required);
        assert_eq!(rule(&["delegate", "editor"]), Rule::Conflict);
        assert_eq!(rule(&["integrator"]), Rule::Conflict, "a service's");
        assert_eq!(rule(&["editor", "editor"]), Rule::Duplicate);
        assert_eq!(rule(&["root"]), Rule::OneOf);
        let both = Roles::parse(["approver", "editor"]).unwrap();
        assert_eq!(both.iter().collect::<Vec<_>>(), [Role::Editor, Role::Approver]);
        assert!(both.need_second_factor() && both.may(Scope::ImportNotes) && !both.are_of_a_mission());
        assert!(!Roles::parse(["delegate", "mission_admin"]).unwrap().need_second_factor());
    }
}
