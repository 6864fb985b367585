use std::collections::BTreeSet;

use super::*;
use crate::commit::Position;

type Had = Ownership<&'static str>;

fn at(epoch: u64, offset: i64) -> Settled {
    Settled { epoch, position: Position { next: offset.unsigned_abs(), offset } }
}

fn only(partition: u32) -> BTreeSet<u32> {
    BTreeSet::from([partition])
}

/// One lane that has begun partition 0.
fn begun() -> Had {
    let mut had = Had::default();
    had.share_out(1);
    come(&mut had, "first");
    had
}

/// Partition 0 comes, and the lane begins it if it has given up what it had; its epoch.
fn come(had: &mut Had, queue: &'static str) -> Option<u64> {
    had.announce(&only(0));
    assert_eq!(None, had.assign(0, queue));
    begin(had)
}

fn begin(had: &mut Had) -> Option<u64> {
    had.news(0).assigned.first().map(|(owned, _)| owned.epoch)
}

/// Partition 0 goes; what is to be committed of it.
fn go(had: &mut Had) -> BTreeMap<u32, i64> {
    had.tell(&only(0));
    let gone = had.news(0).revoked;
    had.released(0, &gone);
    had.disown(&only(0))
}

#[test]
fn what_was_settled_before_a_partition_went_says_nothing_of_its_next_time() {
    let mut had = begun();
    had.settle(&BTreeMap::from([(0, at(1, 10))]));
    assert_eq!(BTreeMap::from([(0, 10)]), go(&mut had));
    assert_eq!(Some(2), come(&mut had, "second"));
    had.settle(&BTreeMap::from([(0, at(1, 7))]));
    assert_eq!(BTreeMap::new(), had.take_settled());
    had.settle(&BTreeMap::from([(0, at(2, 20))]));
    assert_eq!(BTreeMap::from([(0, 20)]), had.take_settled());
}

#[test]
fn a_commit_that_failed_is_put_back_for_its_own_time_alone() {
    let mut had = begun();
    had.settle(&BTreeMap::from([(0, at(1, 10))]));
    had.take_settled();
    had.put_back([(0, 10)].into_iter());
    assert_eq!(BTreeMap::from([(0, 10)]), had.take_settled());
    go(&mut had);
    come(&mut had, "second");
    had.put_back([(0, 10)].into_iter());
    assert_eq!(BTreeMap::new(), had.take_settled());
}

#[test]
fn a_failed_commit_does_not_undo_a_newer_one() {
    let mut had = begun();
    had.settle(&BTreeMap::from([(0, at(1, 10))]));
    had.take_settled();
    had.settle(&BTreeMap::from([(0, at(1, 12))]));
    had.put_back([(0, 10)].into_iter());
    assert_eq!(BTreeMap::from([(0, 12)]), had.take_settled());
}

#[test]
fn of_two_commits_that_are_under_way_the_newer_one_counts() {
    for refused in [[10, 12], [12, 10]] {
        let mut had = begun();
        had.settle(&BTreeMap::from([(0, at(1, 10))]));
        had.take_settled();
        had.settle(&BTreeMap::from([(0, at(1, 12))]));
        had.take_settled();
        had.put_back([(0, 10)].into_iter());
        assert_eq!(BTreeMap::new(), had.take_settled(), "the newer one may have arrived");
        for offset in refused {
            had.put_back([(0, offset)].into_iter());
        }
        assert_eq!(BTreeMap::from([(0, 12)]), had.take_settled());
    }
}

#[test]
fn who_sleeps_while_a_partition_goes_and_comes_back_has_taken_nothing() {
    let mut had = begun();
    // The lane asks for changes, hears of none, and sleeps; nobody waits for it for ever.
    had.tell(&only(0));
    had.disown(&only(0));
    had.announce(&only(0));
    // Its old queue may give messages of the new time before the new queue is there.
    assert!(!had.took(&[Owned { partition: 0, epoch: 1 }]));
    assert_eq!(Some("second"), had.assign(0, "second"), "it would go on behind what was taken");
    assert_eq!(only(0), had.take_again(), "what it took would be lost");
}

#[test]
fn nothing_counts_behind_what_was_taken_together_with_what_is_over() {
    let mut had = Had::default();
    had.share_out(1);
    had.announce(&BTreeSet::from([0, 1]));
    had.disown(&only(0));
    assert!(!had.took(&[Owned { partition: 0, epoch: 1 }, Owned { partition: 1, epoch: 2 }]));
    assert!(!had.took(&[Owned { partition: 1, epoch: 2 }]), "it is read again from before");
    had.settle(&BTreeMap::from([(1, at(2, 30))]));
    assert_eq!(BTreeMap::new(), had.disown(&only(1)));
}

#[test]
fn what_was_undone_does_not_count_while_its_lane_has_not_heard_of_it() {
    let mut had = begun();
    assert!(had.counts(1));
    had.hold();
    had.assign_again();
    assert!(!had.counts(1));
    let gone = had.news(0).revoked;
    had.released(0, &gone);
    assert!(come(&mut had, "second").is_some_and(|epoch| had.counts(epoch)));
}

#[test]
fn what_can_not_be_assigned_now_is_assigned_later() {
    let mut had = begun();
    had.put_back_again(BTreeSet::from([0, 7]));
    assert_eq!(only(0), had.take_again(), "7 is somebody else's");
}

#[test]
fn what_was_taken_of_a_partition_that_is_gone_is_read_by_others() {
    let mut had = begun();
    had.tell(&only(0));
    had.disown(&only(0));
    assert!(!had.took(&[Owned { partition: 0, epoch: 1 }]));
    assert_eq!(BTreeSet::new(), had.take_again());
}

#[test]
fn a_lane_begins_nothing_before_it_gave_up_what_went() {
    let mut had = begun();
    had.tell(&only(0));
    assert!(!had.is_given_up(&only(0)));
    assert_eq!(None, come(&mut had, "second"));
    had.released(0, &[0]);
    assert!(had.is_given_up(&only(0)));
    assert_eq!(Some(2), begin(&mut had));
}

#[test]
fn nothing_is_begun_while_everything_is_held() {
    let mut had = begun();
    had.hold();
    had.announce(&only(0));
    assert_eq!(Some("second"), had.assign(0, "second"));
    had.assign_again();
    assert_eq!(only(0), had.take_again());
    assert_eq!(None, come(&mut had, "third"), "the lane has not given up what it had");
    assert_eq!(Vec::<Owned>::new(), had.reset(0, &[Owned { partition: 0, epoch: 1 }]));
    assert_eq!(Some(3), begin(&mut had));
}

#[test]
fn what_came_since_everything_was_held_stays() {
    let mut had = begun();
    had.hold();
    let gone = had.news(0).revoked;
    had.released(0, &gone);
    had.assign_again();
    let owned = Owned { partition: 0, epoch: come(&mut had, "second").expect("it is begun") };
    assert_eq!(vec![owned], had.reset(0, &[owned]));
}

#[test]
fn a_lane_that_has_ended_takes_nothing() {
    let mut had = begun();
    had.ended(0);
    had.announce(&only(0));
    assert_eq!(Some("second"), had.assign(0, "second"));
}
