use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::state::State;
use crate::engine::making::{BatchKey, GroupKey};
use crate::plan::Cursor;

/// All sessions, and lists of them by what they are looked for: there may be thousands, and one is looked for several times a batch.
#[derive(Default)]
pub(super) struct Sessions {
    all: BTreeMap<u64, (State, Place)>,
    lists: Lists,
}

/// What is summed up over all sessions, and lists of some of them, each by what puts them in order and by their number.
#[derive(Debug, Default, PartialEq, Eq)]
struct Lists {
    /// Those that may have tasks, by virtual time.
    turns: BTreeSet<(u64, u64)>,
    /// Those that have batches to be taken back, by when they last took one.
    lenders: BTreeSet<(u64, u64)>,
    /// Those that have no memory for another batch, by when they last took one.
    borrowers: BTreeSet<(u64, u64)>,
    /// Those that have no memory for any, by when they last took one.
    needy: BTreeSet<(u64, u64)>,
    /// Bytes of one batch of each.
    guaranteed: u64,
    /// Bytes of one batch of each that has none.
    owed: u64,
    /// Those that will begin another batch, group by group, by the next one: who is behind comes first.
    groups: HashMap<GroupKey, BTreeSet<(Cursor, u64)>>,
}

/// Where a session is in the lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Place {
    turn: Option<u64>,
    lends: Option<u64>,
    borrows: Option<u64>,
    needs: Option<u64>,
    guaranteed: u64,
    owed: u64,
    coming: Option<Cursor>,
}

impl Place {
    fn of(session: &State) -> Place {
        let (holds, starved) = (session.holds(), session.starved.is());
        Place {
            turn: session.has_turn.then_some(session.virtual_time),
            lends: session.lends().then_some(session.moved),
            borrows: (starved && holds).then_some(session.moved),
            needs: (starved && !holds).then_some(session.moved),
            guaranteed: session.bytes,
            owed: if holds { 0 } else { session.bytes },
            coming: session.coming(),
        }
    }
}

impl Lists {
    /// Moves a session of `group` from its old place to the new one.
    fn put(&mut self, id: u64, group: &GroupKey, from: Place, to: Place) {
        for (list, from, to) in [
            (&mut self.turns, from.turn, to.turn),
            (&mut self.lenders, from.lends, to.lends),
            (&mut self.borrowers, from.borrows, to.borrows),
            (&mut self.needy, from.needs, to.needs),
        ] {
            put(list, from.map(|at| (at, id)), to.map(|at| (at, id)));
        }
        self.guaranteed = self.guaranteed - from.guaranteed + to.guaranteed;
        self.owed = self.owed - from.owed + to.owed;
        if from.coming != to.coming {
            let sessions = self.groups.entry(group.clone()).or_default();
            put(sessions, from.coming.map(|at| (at, id)), to.coming.map(|at| (at, id)));
            if sessions.is_empty() {
                self.groups.remove(group);
            }
        }
    }
}

/// Moves what is in `list` as `from` to where it is `to`.
fn put<T: Ord>(list: &mut BTreeSet<T>, from: Option<T>, to: Option<T>) {
    if from == to {
        return;
    }
    if let Some(from) = from {
        list.remove(&from);
    }
    list.extend(to);
}

impl Sessions {
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &State)> {
        self.all.iter().map(|(id, (session, _))| (*id, session))
    }

    pub(super) fn get(&self, id: u64) -> Option<&State> {
        self.all.get(&id).map(|(session, _)| session)
    }

    pub(super) fn insert(&mut self, id: u64, session: State) {
        let place = Place::of(&session);
        self.lists.put(id, &session.group, Place::default(), place);
        self.all.insert(id, (session, place));
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<State> {
        let (session, place) = self.all.remove(&id)?;
        self.lists.put(id, &session.group, place, Place::default());
        Some(session)
    }

    /// Changes a session, and its places with it.
    pub(super) fn change<R>(&mut self, id: u64, change: impl FnOnce(&mut State) -> R) -> Option<R> {
        let (session, place) = self.all.get_mut(&id)?;
        let result = change(session);
        let (from, to) = (*place, Place::of(session));
        if from != to {
            *place = to;
            self.lists.put(id, &session.group, from, to);
        }
        Some(result)
    }

    /// The session that may have tasks and has had the least work done.
    pub(super) fn first_turn(&self) -> Option<u64> {
        self.lists.turns.first().map(|(_, id)| *id)
    }

    /// Its virtual time.
    pub(super) fn least_time(&self) -> Option<u64> {
        self.lists.turns.first().map(|(virtual_time, _)| *virtual_time)
    }

    /// How many tasks could be claimed now; no more are counted when there are `enough`.
    pub(super) fn claimable(&self, enough: usize) -> usize {
        let mut sum = 0;
        for (_, id) in &self.lists.turns {
            if sum >= enough {
                break;
            }
            sum += self.get(*id).map_or(0, State::claimable);
        }
        sum.min(enough)
    }

    /// The session that has not moved for the longest time, of those whose batches can be taken back.
    pub(super) fn first_lender(&self) -> Option<u64> {
        self.lists.lenders.first().map(|(_, id)| *id)
    }

    /// Those that have no memory for any batch, who has waited longest first.
    pub(super) fn needy(&self) -> Vec<u64> {
        self.lists.needy.iter().map(|(_, id)| *id).collect()
    }

    /// The session that took a batch last, of those that have no memory for another one.
    pub(super) fn last_borrower(&self) -> Option<u64> {
        self.lists.borrowers.last().map(|(_, id)| *id)
    }

    /// What one batch of every session takes together.
    pub(super) fn guaranteed(&self) -> u64 {
        self.lists.guaranteed
    }

    /// What one batch of every session that has none takes together.
    pub(super) fn owed(&self) -> u64 {
        self.lists.owed
    }

    /// Whether a session has yet to come to a batch.
    pub(super) fn await_it(&self, key: &BatchKey) -> bool {
        let Some(sessions) = self.lists.groups.get(&key.group) else { return false };
        let mut behind = sessions.range(..=(key.cursor, u64::MAX)).filter_map(|(_, id)| self.get(*id));
        behind.any(|session| session.is_behind(key.cursor))
    }
    /// Whether the lists are those that are found by looking at all sessions.
    #[cfg(test)]
    pub(super) fn are_all_in_their_places(&self) -> bool {
        let mut plain = Lists::default();
        for (id, (session, _)) in &self.all {
            plain.put(*id, &session.group, Place::default(), Place::of(session));
        }
        plain == self.lists
    }
}
