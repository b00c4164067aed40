//! What must stay as it is, watched through a run.

use super::{identity, whole};
use milliwatt_wire::facts::Fact;
use milliwatt_wire::time::RunTime;

/// Between two looks, s.
const LOOK_S: u32 = 10;

/// Watches what [`super::IDENTITY`] names: by files only, so that it costs the run nothing.
#[derive(Debug)]
pub struct EnvironmentWatch {
    interface: Option<String>,
    last: Option<Vec<(String, String)>>,
    next_s: u32,
}

impl EnvironmentWatch {
    /// Of this machine and an interface of it.
    #[must_use]
    pub fn new(interface: Option<&str>) -> Self {
        Self {
            interface: interface.map(str::to_owned),
            last: None,
            next_s: 0,
        }
    }

    /// Looks now and then: told at the first look, and when something is not as it was at the last.
    pub fn look(&mut self, at: RunTime) -> Option<Fact> {
        if at.second() < self.next_s {
            return None;
        }
        self.next_s = at.second() + LOOK_S;
        let values = identity(self.interface.as_deref());
        if self.last.as_ref() == Some(&values) {
            return None;
        }
        self.last = Some(values.clone());
        Some(Fact::Environment {
            at,
            whole: false,
            values,
        })
    }

    /// All there is to know, at the end.
    #[must_use]
    pub fn end(&self, at: RunTime) -> Fact {
        Fact::Environment {
            at,
            whole: true,
            values: whole(self.interface.as_deref()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use milliwatt_wire::time::NS_PER_SECOND;

    #[test]
    fn what_stays_as_it_is_is_told_once() {
        let mut watch = EnvironmentWatch::new(Some("lo"));
        let at = |second: i64| RunTime(second * NS_PER_SECOND);
        let Some(Fact::Environment { whole, values, .. }) = watch.look(at(0)) else {
            panic!("the first look tells");
        };
        assert!(
            !whole && values.iter().any(|(name, _)| name == "nic_mac"),
            "{values:?}"
        );
        assert!((1..40).all(|second| watch.look(at(second)).is_none()));
    }

    #[test]
    fn what_is_not_as_it_was_is_told_again() {
        let mut watch = EnvironmentWatch::new(Some("lo"));
        watch.last = Some(vec![("nic_mac".to_owned(), "02:00:00:00:00:01".to_owned())]);
        assert!(watch.look(RunTime(0)).is_some());
        assert_eq!(watch.look(RunTime(9 * NS_PER_SECOND)), None, "not looked");
    }
}
