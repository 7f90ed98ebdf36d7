//! The published rate cards.

use uuid::Uuid;

use crate::{Collection, Item};
use domain::event_costs::RateCard;
use domain::{Audience, Language, Reader};

impl Item for RateCard {
    fn id(&self) -> Uuid {
        self.id.0
    }

    fn audience(&self) -> &Audience {
        &self.audience
    }

    /// By duty station, those of all first, then by title.
    fn sort_key(&self, language: Language) -> String {
        let place = self.duty_station.as_ref().map_or("", |place| place.as_str());
        format!("{place} {}", self.title.get(language).1)
    }
}

/// The published rate cards.
#[derive(Default)]
pub struct EventCosts {
    /// The cards.
    pub rate_cards: Collection<RateCard>,
}

impl EventCosts {
    /// These cards.
    pub fn new(rate_cards: Vec<RateCard>) -> Self {
        Self { rate_cards: Collection::new(rate_cards) }
    }

    /// Every card that `reader` may have estimates made from.
    pub fn cards(&self, reader: Reader) -> Vec<&RateCard> {
        self.rate_cards.visible(reader).map(|entry| &entry.value).collect()
    }
}
