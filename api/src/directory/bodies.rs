//! The directory's entries as readers get them: in one language, with a named fallback.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::rendering::{ContactBody, ProvenanceBody, Rendering, audience_word};
use domain::Language;
use domain::directory::{FormerName, Function, Mission, Organization, Person, Service, StateStatus, Unit, UnitKind};
use edition::Directory;

macro_rules! body {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Serialize, ToSchema)]
        pub struct $name {
            /// Its id, for good.
            #[schema(example = "0193a5f0-7c1e-7a54-9a55-0d5c3f6f2b11")]
            pub id: Uuid,
            $($(#[$field_doc])* pub $field: $type,)*
            /// Who may see it: `public`, `delegates`, `secretariat` or `missions` (named ones).
            #[schema(example = "delegates")]
            pub audience: &'static str,
            /// Where the entry comes from and how far to rely on it.
            pub provenance: ProvenanceBody,
            /// The language asked for.
            #[schema(value_type = String, example = "fr")]
            pub language: Language,
            /// The fields that are not in it, and the language they are in instead.
            #[schema(value_type = BTreeMap<String, String>, example = json!({"name": "en"}))]
            pub fallbacks: BTreeMap<String, Language>,
        }
    };
}

/// A name that is no longer used.
#[derive(Debug, Serialize, ToSchema)]
pub struct FormerNameBody {
    /// The former name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Department of Public Information")]
    pub name: Option<String>,
    /// The former acronym.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "DPI")]
    pub acronym: Option<String>,
    /// The last day on which it was in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2018-12-31")]
    pub until: Option<NaiveDate>,
}

fn former_names(rendering: &mut Rendering, names: &[FormerName]) -> Vec<FormerNameBody> {
    let body = |(i, former): (usize, &FormerName)| FormerNameBody {
        name: rendering.text_or_none(format_args!("former_names.{i}.name"), former.name.as_ref()),
        acronym: former.acronym.as_deref().map(str::to_owned),
        until: former.until,
    };
    names.iter().enumerate().map(body).collect()
}

body! {
    /// An organization.
    OrganizationBody {
        /// Its name.
        #[schema(example = "United Nations Office at Geneva")]
        name: String,
        /// Its acronym.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(example = "UNOG")]
        acronym: Option<String>,
        /// What it was called before.
        former_names: Vec<FormerNameBody>,
        /// How to reach it.
        contact: ContactBody,
    }
}

impl OrganizationBody {
    /// Renders an organization.
    pub fn of(organization: &Organization, mut rendering: Rendering) -> Self {
        Self {
            id: organization.id.0,
            name: rendering.text("name", &organization.name),
            acronym: rendering.text_or_none("acronym", organization.acronym.as_ref()),
            former_names: former_names(&mut rendering, &organization.former_names),
            contact: rendering.contact(&organization.contact),
            audience: audience_word(&organization.audience),
            provenance: (&organization.provenance).into(),
            language: rendering.language,
            fallbacks: rendering.fallbacks(),
        }
    }
}

body! {
    /// A unit of an organization's tree.
    UnitBody {
        /// Its name.
        #[schema(example = "Department of Global Communications")]
        name: String,
        /// Its acronym.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(example = "DGC")]
        acronym: Option<String>,
        /// What sort of unit: `department`, `office`, `division`, `branch`, `section`, `service`,
        /// `unit`, `centre`, `mission`, `programme`, `fund` or `body`.
        #[schema(value_type = String, example = "department")]
        unit_kind: UnitKind,
        /// The organization it belongs to.
        organization: Uuid,
        /// The unit above it.
        #[serde(skip_serializing_if = "Option::is_none")]
        parent: Option<Uuid>,
        /// What it was called before.
        former_names: Vec<FormerNameBody>,
        /// Where it sits.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(example = "NY")]
        duty_station: Option<String>,
        /// How to reach it.
        contact: ContactBody,
    }
}

impl UnitBody {
    /// Renders a unit.
    pub fn of(unit: &Unit, mut rendering: Rendering) -> Self {
        Self {
            id: unit.id.0,
            name: rendering.text("name", &unit.name),
            acronym: rendering.text_or_none("acronym", unit.acronym.as_ref()),
            unit_kind: unit.kind,
            organization: unit.organization.0,
            parent: unit.parent.map(|id| id.0),
            former_names: former_names(&mut rendering, &unit.former_names),
            duty_station: unit.duty_station.as_ref().map(|s| s.as_str().to_owned()),
            contact: rendering.contact(&unit.contact),
            audience: audience_word(&unit.audience),
            provenance: (&unit.provenance).into(),
            language: rendering.language,
            fallbacks: rendering.fallbacks(),
        }
    }
}

body! {
    /// A function: a post that answers for something, whoever holds it.
    FunctionBody {
        /// What it answers for.
        #[schema(example = "Room booking and cost estimates")]
        title: String,
        /// The unit it belongs to.
        unit: Uuid,
        /// Where.
        #[schema(example = "GVA")]
        duty_station: String,
        /// How to reach whoever holds it.
        contact: ContactBody,
        /// The people who hold it.
        holders: Vec<Uuid>,
    }
}

impl FunctionBody {
    /// Renders a function. Holders whom the reader may not see are left out.
    pub fn of(function: &Function, directory: &Directory, mut rendering: Rendering) -> Self {
        Self {
            id: function.id.0,
            title: rendering.text("title", &function.title),
            unit: function.unit.0,
            duty_station: function.duty_station.as_str().to_owned(),
            contact: rendering.contact(&function.contact),
            holders: directory.holders(function, rendering.reader),
            audience: audience_word(&function.audience),
            provenance: (&function.provenance).into(),
            language: rendering.language,
            fallbacks: rendering.fallbacks(),
        }
    }
}

/// That a person holds a function.
#[derive(Debug, Serialize, ToSchema)]
pub struct HoldingBody {
    /// The function.
    pub function: Uuid,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<NaiveDate>,
}

body! {
    /// A person.
    PersonBody {
        /// Given names.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(example = "Ada")]
        given_name: Option<String>,
        /// Family name, or the only name.
        #[schema(example = "Okafor")]
        family_name: String,
        /// The whole name in Latin script.
        #[schema(example = "Ada Okafor")]
        full_name: String,
        /// The whole name in the person's own script.
        #[serde(skip_serializing_if = "Option::is_none")]
        native_name: Option<String>,
        /// How to address them.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(example = "Ms.")]
        honorific: Option<String>,
        /// What they are.
        #[serde(skip_serializing_if = "Option::is_none")]
        job_title: Option<String>,
        /// The unit they work in.
        #[serde(skip_serializing_if = "Option::is_none")]
        unit: Option<Uuid>,
        /// The mission they belong to.
        #[serde(skip_serializing_if = "Option::is_none")]
        mission: Option<Uuid>,
        /// The functions they hold.
        functions: Vec<HoldingBody>,
        /// Where they work.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(example = "NY")]
        duty_station: Option<String>,
        /// How to reach them.
        contact: ContactBody,
    }
}

impl PersonBody {
    /// Renders a person.
    pub fn of(person: &Person, mut rendering: Rendering) -> Self {
        let owned = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        Self {
            id: person.id.0,
            given_name: owned(&person.name.given),
            family_name: person.name.family.to_string(),
            full_name: person.name.full(),
            native_name: owned(&person.name.native),
            honorific: owned(&person.honorific),
            job_title: rendering.text_or_none("job_title", person.job_title.as_ref()),
            unit: person.unit.map(|id| id.0),
            mission: person.mission.map(|id| id.0),
            functions: person
                .functions
                .iter()
                .map(|h| HoldingBody { function: h.function.0, since: h.since })
                .collect(),
            duty_station: person.duty_station.as_ref().map(|s| s.as_str().to_owned()),
            contact: rendering.contact(&person.contact),
            audience: audience_word(&person.audience),
            provenance: (&person.provenance).into(),
            language: rendering.language,
            fallbacks: rendering.fallbacks(),
        }
    }
}

/// The State that a mission represents.
#[derive(Debug, Serialize, ToSchema)]
pub struct StateBody {
    /// ISO 3166-1 alpha-2.
    #[schema(example = "FR")]
    pub iso2: String,
    /// ISO 3166-1 alpha-3.
    #[schema(example = "FRA")]
    pub iso3: String,
    /// UN M49.
    #[schema(example = "250")]
    pub m49: String,
    /// `member` or `observer`.
    #[schema(value_type = String, example = "member")]
    pub status: StateStatus,
    /// The day of admission to the United Nations.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "1945-10-24")]
    pub admitted_on: Option<NaiveDate>,
    /// The M49 region, in English.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Europe")]
    pub region: Option<String>,
}

body! {
    /// A Permanent Mission or Observer Mission.
    MissionBody {
        /// The short name of who it represents.
        #[schema(example = "France")]
        short_name: String,
        /// The formal name of who it represents.
        #[schema(example = "the French Republic")]
        formal_name: String,
        /// The State it represents; absent for an organization's mission.
        #[serde(skip_serializing_if = "Option::is_none")]
        state: Option<StateBody>,
        /// The organization it is accredited to.
        organization: Uuid,
        /// Where it is.
        #[schema(example = "NY")]
        duty_station: String,
        /// How to reach it.
        contact: ContactBody,
    }
}

impl MissionBody {
    /// Renders a mission.
    pub fn of(mission: &Mission, mut rendering: Rendering) -> Self {
        let state = mission.state.as_ref().map(|state| StateBody {
            iso2: state.iso2.to_string(),
            iso3: state.iso3.to_string(),
            m49: state.m49.to_string(),
            status: state.status,
            admitted_on: state.admitted_on,
            region: state.region.as_deref().map(str::to_owned),
        });
        Self {
            id: mission.id.0,
            short_name: rendering.text("short_name", &mission.short_name),
            formal_name: rendering.text("formal_name", &mission.formal_name),
            state,
            organization: mission.organization.0,
            duty_station: mission.duty_station.as_str().to_owned(),
            contact: rendering.contact(&mission.contact),
            audience: audience_word(&mission.audience),
            provenance: (&mission.provenance).into(),
            language: rendering.language,
            fallbacks: rendering.fallbacks(),
        }
    }
}

/// Whom to ask for a service at a duty station.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContactPointBody {
    /// Where.
    #[schema(example = "NY")]
    pub duty_station: String,
    /// The function to ask.
    pub function: Uuid,
}

body! {
    /// A service: what a delegate asks for.
    ServiceBody {
        /// Its name.
        #[schema(example = "Grounds pass")]
        name: String,
        /// What one gets.
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// Other words for it.
        keywords: Vec<String>,
        /// Whom to ask, by duty station.
        contact_points: Vec<ContactPointBody>,
    }
}

impl ServiceBody {
    /// Renders a service. Keywords that the language lacks are left out.
    pub fn of(service: &Service, mut rendering: Rendering) -> Self {
        let keywords = service.keywords.iter().filter_map(|k| k.exact(rendering.language)).map(str::to_owned).collect();
        let point = |p: &domain::directory::ContactPoint| ContactPointBody {
            duty_station: p.duty_station.as_str().to_owned(),
            function: p.function.0,
        };
        Self {
            id: service.id.0,
            name: rendering.text("name", &service.name),
            description: rendering.text_or_none("description", service.description.as_ref()),
            keywords,
            contact_points: service.contact_points.iter().map(point).collect(),
            audience: audience_word(&service.audience),
            provenance: (&service.provenance).into(),
            language: rendering.language,
            fallbacks: rendering.fallbacks(),
        }
    }
}
