//! The audit's words: who acts, what is done, and what it is done to.

use crate::codes::codes;

codes! {
    /// Who acts.
    ActorKind {
        /// A person who has signed in.
        Person = "person",
        /// A service.
        Client = "client",
        /// The passing of time.
        System = "system",
        /// The command line, or somebody in psql.
        Operator = "operator",
    }
}

codes! {
    /// What is done.
    Op {
        /// A row is there that was not.
        Insert = "insert",
        /// Columns of a row differ.
        Update = "update",
        /// A row is there no more.
        Delete = "delete",
        /// Entries of the audit were exported.
        Export = "export",
    }
}

codes! {
    /// What it is done to.
    ObjectKind {
        /// An organization.
        Organization = "organization",
        /// A unit.
        Unit = "unit",
        /// A function.
        Function = "function",
        /// A mission.
        Mission = "mission",
        /// A person of the directory.
        Person = "person",
        /// A service of the directory.
        Service = "service",
        /// A rate card.
        RateCard = "rate_card",
        /// An INF note.
        InfNote = "inf_note",
        /// A bulletin.
        Bulletin = "bulletin",
        /// A place.
        Place = "place",
        /// An account, and what its person signs in with.
        Account = "account",
        /// Somebody's session in an app.
        Session = "session",
        /// A browser in which somebody is signed in on our pages.
        BrowserSession = "browser_session",
        /// A service that calls, with a secret.
        Client = "client",
        /// An app.
        App = "app",
        /// A key that tokens are signed with.
        SigningKey = "signing_key",
        /// The audit itself.
        Audit = "audit",
    }
}
