//! The published rate cards.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::{Collection, Item};
use domain::event_costs::RateCard;
use domain::{Audience, Kind, Language, Reader};

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

    /// These after a change: of `touched` there is what is among `cards`, and nothing else.
    pub fn with(&self, touched: &BTreeSet<(Kind, Uuid)>, cards: Vec<RateCard>) -> Self {
        let mut changes: BTreeMap<Uuid, Option<RateCard>> = touched.iter().map(|(_, id)| (*id, None)).collect();
        changes.extend(cards.into_iter().map(|card| (card.id.0, Some(card))));
        Self { rate_cards: self.rate_cards.with(changes).0 }
    }

    /// Every card that `reader` may have estimates made from.
    pub fn cards(&self, reader: Reader) -> Vec<&RateCard> {
        self.rate_cards.visible(reader).map(|entry| &entry.value).collect()
    }
}
