//! Who asks in the matrix, and what each role was agreed to permit: written down here once more, so that the
//! server's own table is compared with something.

use std::collections::BTreeSet;

/// Which roles carry a scope.
pub(super) const MAY: [(&str, &[&str]); 10] = [
    (
        "read",
        &[
            "delegate",
            "integrator",
            "editor",
            "security_officer",
            "approver",
            "admin",
            "mission_admin",
            "auditor",
            "importer",
        ],
    ),
    ("directory:import", &["editor", "admin", "importer"]),
    ("event_costs:import", &["editor", "admin", "importer"]),
    ("inf_notes:import", &["editor", "admin", "importer"]),
    ("bulletins:import", &["security_officer", "admin", "importer"]),
    ("account", &["delegate", "editor", "security_officer", "approver", "admin", "mission_admin", "auditor"]),
    ("members:manage", &["mission_admin", "admin"]),
    ("accounts:manage", &["admin"]),
    ("clients:manage", &["admin"]),
    ("audit:read", &["auditor"]),
];

/// What kind of caller it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Without a token.
    Stranger,
    /// With a token that somebody else signed.
    Forged,
    /// Signed in until a moment ago: the session has ended.
    Ended,
    /// Signed in.
    Person,
    /// A client with a secret.
    Service,
}

/// Somebody who asks. Whoever belongs to a mission belongs to `ours`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Identity {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) roles: &'static [&'static str],
    /// What the token was asked for; all that the roles permit unless told.
    pub(super) token: Option<&'static str>,
    /// What the app may ask for, or what the service was narrowed to.
    pub(super) within: Option<&'static str>,
}

const fn of(name: &'static str, kind: Kind, roles: &'static [&'static str]) -> Identity {
    Identity { name, kind, roles, token: None, within: None }
}

const fn person(name: &'static str, roles: &'static [&'static str]) -> Identity {
    of(name, Kind::Person, roles)
}

pub(super) const IDENTITIES: [Identity; 20] = [
    of("stranger", Kind::Stranger, &[]),
    of("forged", Kind::Forged, &[]),
    of("ended", Kind::Ended, &["delegate"]),
    person("delegate", &["delegate"]),
    person("mission_admin", &["mission_admin"]),
    person("delegate+mission_admin", &["delegate", "mission_admin"]),
    Identity { token: Some("read account"), ..person("mission_admin:read,account", &["mission_admin"]) },
    Identity { token: Some("members:manage"), ..person("mission_admin:members", &["mission_admin"]) },
    of("integrator", Kind::Service, &["integrator"]),
    person("editor", &["editor"]),
    person("security_officer", &["security_officer"]),
    person("approver", &["approver"]),
    person("auditor", &["auditor"]),
    person("editor+approver+auditor", &["editor", "approver", "auditor"]),
    person("admin", &["admin"]),
    Identity { token: Some("read"), ..person("admin:read", &["admin"]) },
    Identity {
        token: Some("account members:manage accounts:manage clients:manage directory:import"),
        ..person("admin:all-but-read", &["admin"])
    },
    Identity { within: Some("read account"), ..person("admin-in-a-narrow-app", &["admin"]) },
    of("importer", Kind::Service, &["importer"]),
    Identity { within: Some("read inf_notes:import"), ..of("importer-of-notes", Kind::Service, &["importer"]) },
];

impl Identity {
    /// The identity of this name.
    pub(super) fn named(name: &str) -> &'static Self {
        IDENTITIES.iter().find(|identity| identity.name == name).unwrap_or_else(|| panic!("nobody is called {name}"))
    }

    /// Whether nobody is accepted by this token.
    pub(super) fn is_refused(&self) -> bool {
        matches!(self.kind, Kind::Forged | Kind::Ended)
    }

    pub(super) fn has_role(&self, role: &str) -> bool {
        self.roles.contains(&role)
    }

    pub(super) fn is_of_a_mission(&self) -> bool {
        self.roles.iter().any(|role| ["delegate", "mission_admin", "integrator"].contains(role))
    }

    /// What the roles carry.
    pub(super) fn carried(&self) -> BTreeSet<&'static str> {
        MAY.iter().filter(|(_, roles)| roles.iter().any(|role| self.has_role(role))).map(|(scope, _)| *scope).collect()
    }

    /// Whether roles, token and app together permit this.
    pub(super) fn may(&self, scope: &str) -> bool {
        let narrows = |by: Option<&str>| by.is_none_or(|names| names.split(' ').any(|name| name == scope));
        !self.is_refused() && self.carried().contains(scope) && narrows(self.token) && narrows(self.within)
    }
}
