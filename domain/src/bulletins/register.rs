//! What follows from bulletins referring to one another.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Bulletin, BulletinId, MessageType};
use crate::codes::codes;
use crate::moment::Moment;
use crate::{Broken, Reader, Rule};

codes! {
    /// What has become of a bulletin, by what is written and visible, not by a clock.
    Standing {
        /// It holds.
        InForce = "in_force",
        /// A later bulletin replaced it.
        Updated = "updated",
        /// A later bulletin ended it.
        Cancelled = "cancelled",
        /// Its expiry has been noted.
        Expired = "expired",
    }
}

/// Bulletins by id, and those that refer to each.
#[derive(Debug, Clone, Default)]
pub struct Register {
    bulletins: BTreeMap<BulletinId, Arc<Bulletin>>,
    followers: BTreeMap<BulletinId, Vec<BulletinId>>,
}

impl Register {
    /// A register of these bulletins.
    pub fn new(bulletins: impl IntoIterator<Item = Arc<Bulletin>>) -> Self {
        let mut register = Self::default();
        for bulletin in bulletins {
            for earlier in &bulletin.references {
                register.followers.entry(*earlier).or_default().push(bulletin.id);
            }
            register.bulletins.insert(bulletin.id, bulletin);
        }
        let Self { bulletins, followers } = &mut register;
        for ids in followers.values_mut() {
            ids.sort_by_key(|id| (bulletins[id].sent.at, *id));
        }
        register
    }

    /// Every bulletin, whoever may see it.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Bulletin>> {
        self.bulletins.values()
    }

    /// A bulletin that `reader` may see.
    pub fn get(&self, id: BulletinId, reader: Reader) -> Option<&Arc<Bulletin>> {
        self.bulletins.get(&id).filter(|b| b.audience.admits(reader))
    }

    /// The updates and cancellations of a bulletin that `reader` may see, in the order they were sent.
    pub fn followers(&self, id: BulletinId, reader: Reader) -> impl Iterator<Item = &Arc<Bulletin>> {
        self.followers.get(&id).into_iter().flatten().filter_map(move |id| self.get(*id, reader))
    }

    /// What has become of a bulletin, as far as `reader` may know.
    pub fn standing(&self, bulletin: &Bulletin, reader: Reader) -> Standing {
        let followed = |message_type| self.followers(bulletin.id, reader).any(|b| b.message_type == message_type);
        match () {
            () if followed(MessageType::Cancel) => Standing::Cancelled,
            () if followed(MessageType::Update) => Standing::Updated,
            () if bulletin.expired_at.is_some() => Standing::Expired,
            () => Standing::InForce,
        }
    }

    /// When what a bulletin says stopped to hold, or will: at its expiry, or when an update or
    /// cancellation that `reader` may see was sent.
    pub fn ends<'a>(&'a self, bulletin: &'a Bulletin, reader: Reader) -> Option<&'a Moment> {
        let followed = self.followers(bulletin.id, reader).next().map(|b| &b.sent);
        [bulletin.expires.as_ref(), followed].into_iter().flatten().min_by_key(|m| m.at)
    }

    /// Whether a bulletin tells of something going on at `at`. A cancellation never does.
    pub fn holds_at(&self, bulletin: &Bulletin, at: DateTime<Utc>, reader: Reader) -> bool {
        bulletin.message_type != MessageType::Cancel
            && bulletin.sent.at <= at
            && bulletin.begins().at <= at
            && self.ends(bulletin, reader).is_none_or(|end| at < end.at)
    }

    /// Every rule that a bulletin's references break: they name bulletins of the same issuer, sent
    /// earlier (so that no chain closes on itself), none a cancellation or already cancelled, and
    /// whoever saw one of them may see this bulletin.
    pub fn check(&self, bulletin: &Bulletin) -> Vec<Broken> {
        bulletin.references.iter().filter_map(|id| self.check_reference(bulletin, *id).err()).collect()
    }

    fn check_reference(&self, bulletin: &Bulletin, id: BulletinId) -> Result<(), Broken> {
        let Some(earlier) = self.bulletins.get(&id) else {
            return Err(Broken::new(Rule::Reference, message!("names a bulletin that does not exist")));
        };
        let bulletin_named = &earlier.identifier;
        let refused = |detail: crate::Message| Err(Broken::new(Rule::Conflict, detail));
        let cancelled = |c: &BulletinId| {
            *c != bulletin.id
                && self.bulletins.get(c).is_some_and(|c| {
                    c.message_type == MessageType::Cancel && (c.sent.at, c.id) < (bulletin.sent.at, bulletin.id)
                })
        };
        match () {
            () if earlier.issuer.code() != bulletin.issuer.code() => {
                refused(message!("{bulletin} is another issuer's bulletin", bulletin = bulletin_named))
            }
            () if earlier.sent.at >= bulletin.sent.at => {
                refused(message!("{bulletin} was not sent earlier than this bulletin", bulletin = bulletin_named))
            }
            () if earlier.message_type == MessageType::Cancel => {
                refused(message!("{bulletin} is a cancellation: issue a new alert", bulletin = bulletin_named))
            }
            () if self.followers.get(&id).is_some_and(|f| f.iter().any(cancelled)) => {
                refused(message!("{bulletin} was cancelled before: issue a new alert", bulletin = bulletin_named))
            }
            () if !bulletin.audience.covers(&earlier.audience) => refused(message!(
                "{bulletin} has readers who would not see this bulletin: widen the audience",
                bulletin = bulletin_named
            )),
            () => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{alert, at, follow_up, id};
    use super::super::{Contents, Issuer};
    use super::*;
    use crate::{Audience, MissionId};
    use proptest::prelude::*;

    fn register(contents: impl IntoIterator<Item = Contents>) -> Register {
        Register::new(contents.into_iter().map(|c| Arc::new(Bulletin::parse(c).unwrap())))
    }

    fn refused(register: &Register, n: u8) -> String {
        let broken = register.check(&register.bulletins[&id(n.into())]);
        broken.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }

    fn standing(register: &Register, n: u8) -> Standing {
        register.standing(&register.bulletins[&id(n.into())], Reader::Stranger)
    }

    #[test]
    fn a_cancelled_bulletin_stays_and_is_marked() {
        let register = register([alert(1), follow_up(2, MessageType::Update, 1), follow_up(3, MessageType::Cancel, 2)]);
        assert_eq!(
            [1, 2, 3].map(|n| standing(&register, n)),
            [Standing::Updated, Standing::Cancelled, Standing::InForce]
        );
        assert_eq!([1, 2, 3].map(|n| refused(&register, n)), ["", "", ""]);
        let noted = Contents { expired_at: Some(at("2016-04-09T00:00:00Z")), ..alert(4) };
        assert_eq!(standing(&self::register([noted]), 4), Standing::Expired);
    }

    #[test]
    fn a_cancelled_bulletin_cannot_be_updated() {
        let late = register([alert(1), follow_up(2, MessageType::Cancel, 1), follow_up(3, MessageType::Update, 1)]);
        assert!(refused(&late, 3).contains("cancelled before"));
        let of_cancel =
            register([alert(1), follow_up(2, MessageType::Cancel, 1), follow_up(3, MessageType::Update, 2)]);
        assert!(refused(&of_cancel, 3).contains("is a cancellation"));
    }

    #[test]
    fn a_reference_names_an_earlier_bulletin_of_the_same_issuer() {
        assert!(refused(&register([follow_up(2, MessageType::Update, 1)]), 2).contains("does not exist"));
        let circle = register([follow_up(1, MessageType::Update, 2), follow_up(2, MessageType::Update, 1)]);
        assert!(refused(&circle, 1).contains("not sent earlier"));
        let name = [("en".to_owned(), "Police".to_owned())].into();
        let other = Contents { issuer: Issuer::parse("nypd", &name).unwrap(), ..alert(1) };
        assert!(refused(&register([other, follow_up(2, MessageType::Cancel, 1)]), 2).contains("another issuer"));
    }

    #[test]
    fn whoever_saw_a_bulletin_sees_that_it_was_cancelled() {
        let narrow = Contents { audience: Audience::Secretariat, ..follow_up(2, MessageType::Cancel, 1) };
        assert!(refused(&register([alert(1), narrow]), 2).contains("widen the audience"));
        let mission = Audience::Missions([MissionId(uuid::Uuid::from_u128(7))].into());
        let secret = Contents { audience: mission, ..alert(1) };
        assert_eq!(refused(&register([secret, follow_up(2, MessageType::Cancel, 1)]), 2), "");
    }

    #[test]
    fn what_a_reader_may_not_see_does_not_exist_for_them() {
        let register = register([Contents { audience: Audience::Delegates, ..alert(1) }]);
        assert!(register.get(id(1), Reader::Stranger).is_none());
        assert!(register.get(id(1), Reader::Mission(MissionId(uuid::Uuid::nil()))).is_some());
    }

    #[test]
    fn a_bulletin_holds_from_its_onset_until_it_expires_or_is_followed() {
        let moment = |text| Some(Moment::exact(at(text)));
        let (onset, expires) = (moment("2016-04-10T00:00:00Z"), moment("2016-04-20T00:00:00Z"));
        let holds = |register: &Register, n: u8, text| {
            register.holds_at(&register.bulletins[&id(n.into())], at(text), Reader::Stranger)
        };
        let alone = register([Contents { onset: onset.clone(), expires: expires.clone(), ..alert(1) }]);
        let answers = ["2016-04-09T23:59:59Z", "2016-04-10T00:00:00Z", "2016-04-19T23:59:59Z", "2016-04-20T00:00:00Z"];
        assert_eq!(answers.map(|t| holds(&alone, 1, t)), [false, true, true, false]);
        let ended = register([Contents { onset, expires, ..alert(1) }, follow_up(12, MessageType::Cancel, 1)]);
        assert!(holds(&ended, 1, "2016-04-12T15:59:59Z") && !holds(&ended, 1, "2016-04-12T16:00:00Z"));
        assert!(!holds(&ended, 12, "2016-04-12T16:00:00Z"));
    }

    proptest! {
        #[test]
        fn references_that_pass_never_close_a_circle(links in proptest::collection::vec((1u8..28, 1u8..28), 0..40)) {
            let mut contents = BTreeMap::<u8, Contents>::new();
            for n in 1..28 {
                contents.insert(n, alert(n));
            }
            for (from, to) in links.into_iter().filter(|(from, to)| from != to) {
                let c = contents.get_mut(&from).unwrap();
                c.message_type = MessageType::Update;
                c.references.insert(id(to.into()));
            }
            let register = register(contents.into_values());
            for bulletin in register.all().filter(|b| register.check(b).is_empty()) {
                for earlier in &bulletin.references {
                    prop_assert!(register.bulletins[earlier].sent.at < bulletin.sent.at);
                }
            }
        }
    }
}
