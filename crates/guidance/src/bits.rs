//! Sets of slots as bits: the values of all leaves and nodes in two machine words.

use crate::value::Value;

/// The values of up to 128 slots: a slot in neither set is undetermined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Values {
    pub(crate) met: u128,
    pub(crate) not_met: u128,
}

impl Values {
    pub(crate) fn get(self, slot: u8) -> Value {
        if self.met & bit(slot) != 0 {
            Value::Met
        } else if self.not_met & bit(slot) != 0 {
            Value::NotMet
        } else {
            Value::Undetermined
        }
    }

    pub(crate) fn set(&mut self, slot: u8, value: Value) {
        let mask = bit(slot);
        match value {
            Value::Met => {
                self.met |= mask;
                self.not_met &= !mask;
            }
            Value::NotMet => {
                self.not_met |= mask;
                self.met &= !mask;
            }
            Value::Undetermined => {
                self.met &= !mask;
                self.not_met &= !mask;
            }
        }
    }

    /// The slots of a set that are undetermined.
    pub(crate) fn undetermined(self, of: u128) -> u128 {
        of & !self.met & !self.not_met
    }
}

/// The set of one slot.
pub(crate) const fn bit(slot: u8) -> u128 {
    1 << slot
}

/// The slots of a set, in order.
pub(crate) fn slots(mut set: u128) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        if set == 0 {
            return None;
        }
        let slot = set.trailing_zeros();
        set &= set - 1;
        u8::try_from(slot).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::{Values, bit, slots};
    use crate::value::Value;

    #[test]
    fn a_slot_holds_one_value_at_a_time() {
        let mut values = Values::default();
        for value in [
            Value::Met,
            Value::Met,
            Value::NotMet,
            Value::NotMet,
            Value::Undetermined,
            Value::Undetermined,
            Value::NotMet,
            Value::Met,
        ] {
            values.set(127, value);
            assert_eq!(values.get(127), value);
            assert_eq!(values.get(126), Value::Undetermined);
        }
        values.set(3, Value::NotMet);
        assert_eq!(values.undetermined(bit(3) | bit(4) | bit(127)), bit(4));
    }

    #[test]
    fn slots_come_in_order() {
        assert_eq!(slots(bit(0) | bit(5) | bit(127)).collect::<Vec<_>>(), [0, 5, 127]);
        assert_eq!(slots(0).count(), 0);
    }
}
