//! The matcher against the plain loop, on random tasks and offers.
#![allow(
    clippy::similar_names,
    clippy::needless_for_each,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::panic
)]

use std::collections::{HashMap, HashSet};

use oxflow_scheduler::{
    Attributes, Constraint, Extras, Formula, Matcher, Mode, Offers, Policy, Settings, Spread, Tasks, Test, Value,
};
use proptest::prelude::*;
use proptest::sample::select;

const RESOURCES: usize = 3;

#[derive(Clone, Debug)]
struct Offer {
    name: String,
    free: Vec<f64>,
    capacity: Vec<f64>,
    rack: Option<&'static str>,
}

#[derive(Clone, Debug)]
struct Task {
    need: Vec<f64>,
    racks: Vec<&'static str>,
    group: Option<u8>,
    most: Option<(bool, u32)>,
    gang: Option<u8>,
    priority: u8,
}

#[derive(Clone, Debug)]
struct Rules {
    formula: Formula,
    weights: Vec<f64>,
    threshold: f64,
    good_enough: Option<f64>,
    shared: bool,
}

/// The loop that the matcher has to agree with.
struct Model {
    rules: Rules,
    line: Vec<Offer>,
    placed: Vec<(usize, Offer)>,
}

impl Model {
    fn term(&self, index: usize, need: f64, offer: &Offer) -> f64 {
        let (weight, free, capacity) = (self.rules.weights[index], offer.free[index], offer.capacity[index]);
        match self.rules.formula {
            Formula::BestFit => weight * (free - need),
            Formula::WorstFit => -(weight * (free - need)),
            Formula::Ratio if free > 0.0 => weight * (1.0 - need / free),
            Formula::MostAllocated if capacity > 0.0 => weight * ((free - need) / capacity),
            Formula::LeastAllocated if capacity > 0.0 => weight * (1.0 - (free - need) / capacity),
            _ => 0.0,
        }
    }

    fn allows(&self, tasks: &[Task], task: &Task, offer: &Offer) -> bool {
        let fits = (0..RESOURCES).all(|index| offer.free[index] >= task.need[index]);
        let ruled = task.racks.is_empty() || offer.rack.is_some_and(|rack| task.racks.contains(&rack));
        let spread = task.most.is_none_or(|(by_rack, most)| {
            let alike = |other: &Offer| if by_rack { other.rack == offer.rack } else { other.name == offer.name };
            let count =
                self.placed.iter().filter(|(placed, on)| tasks[*placed].group == task.group && alike(on)).count();
            (!by_rack || offer.rack.is_some()) && count < most as usize
        });
        fits && ruled && spread
    }

    fn place(&mut self, tasks: &[Task], index: usize) -> bool {
        let task = &tasks[index];
        let mut best = (self.rules.threshold, None);
        for (place, offer) in self.line.iter().enumerate() {
            if !self.allows(tasks, task, offer) {
                continue;
            }
            let mut score = 0.0;
            for (resource, need) in task.need.iter().enumerate() {
                score += self.term(resource, *need, offer);
            }
            if score < best.0 {
                best = (score, Some(place));
            }
            if self.rules.good_enough.is_some_and(|enough| score <= enough) {
                break;
            }
        }
        let Some(place) = best.1 else { return false };
        self.placed.push((index, self.line[place].clone()));
        if self.rules.shared {
            let offer = &mut self.line[place];
            offer.free.iter_mut().zip(&task.need).for_each(|(free, need)| *free -= need);
        } else {
            self.line.swap_remove(place);
        }
        true
    }

    fn run(&mut self, tasks: &[Task]) {
        let mut order: Vec<usize> = (0..tasks.len()).collect();
        order.sort_by_key(|index| std::cmp::Reverse(tasks[*index].priority));
        let mut tried = HashSet::new();
        for index in order.clone() {
            let members: Vec<usize> = match tasks[index].gang {
                Some(gang) if !tried.insert(gang) => continue,
                Some(gang) => order.iter().copied().filter(|other| tasks[*other].gang == Some(gang)).collect(),
                None => vec![index],
            };
            let (line, placed) = (self.line.clone(), self.placed.len());
            if !members.iter().all(|member| self.place(tasks, *member)) {
                self.line = line;
                self.placed.truncate(placed);
            }
        }
    }
}

fn settings(rules: &Rules) -> Settings {
    Settings {
        resources: (0..RESOURCES).map(|index| format!("r{index}")).collect(),
        policy: Policy::new(rules.formula, rules.weights.clone()).unwrap(),
        threshold: rules.threshold,
        good_enough: rules.good_enough,
        mode: if rules.shared { Mode::Shared } else { Mode::Exclusive },
        fair: false,
    }
}

fn offers_of(offers: &[Offer]) -> Offers {
    let mut attributes = Attributes::default();
    for offer in offers {
        if let Some(rack) = offer.rack {
            attributes.push("rack", &Value::Text(rack.into()));
        }
        attributes.close();
    }
    Offers {
        names: offers.iter().map(|offer| offer.name.as_str()).collect(),
        rows: offers.iter().flat_map(|offer| offer.free.clone()).collect(),
        attributes,
    }
}

fn tasks_of(tasks: &[Task], prefix: &str) -> Tasks {
    let names: Vec<String> = (0..tasks.len()).map(|index| format!("{prefix}{index}")).collect();
    let mut all = Tasks::new(names.iter().map(String::as_str).collect(), Vec::new());
    for (index, task) in tasks.iter().enumerate() {
        all.rows.extend(&task.need);
        let racks: Vec<Value> = task.racks.iter().map(|rack| Value::Text((*rack).into())).collect();
        let rack = Constraint { attribute: "rack".into(), test: Test::In(racks) };
        let spread = |(by_rack, most): (bool, u32)| Spread { attribute: by_rack.then(|| "rack".into()), most };
        all.extend(
            index,
            Extras {
                constraints: if task.racks.is_empty() { vec![] } else { vec![rack] },
                priority: f64::from(task.priority),
                group: task.group.map(|group| group.to_string()),
                spread: task.most.map(spread).into_iter().collect(),
                gang: task.gang.map(|gang| gang.to_string()),
                ..Extras::default()
            },
        );
    }
    all
}

/// Few different numbers, so that there are ties, and some that are rounded.
fn amount() -> impl Strategy<Value = f64> {
    prop_oneof![
        3 => (0_u8..6).prop_map(f64::from),
        1 => 0.0..6.0,
        1 => select(vec![0.1, 0.2, 0.1 + 0.2, 1.0 / 3.0]),
    ]
}

fn row() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(amount(), RESOURCES)
}

fn an_offer() -> impl Strategy<Value = Offer> {
    (row(), select(vec![None, Some("a"), Some("b"), Some("c")])).prop_map(|(free, rack)| Offer {
        name: String::new(),
        capacity: free.clone(),
        free,
        rack,
    })
}

fn line(most: usize) -> impl Strategy<Value = Vec<Offer>> {
    prop::collection::vec(an_offer(), 0..most).prop_map(|mut offers| {
        offers.iter_mut().enumerate().for_each(|(index, offer)| offer.name = format!("o{index}"));
        offers
    })
}

fn plain_task() -> impl Strategy<Value = Task> {
    let need = prop::collection::vec(prop_oneof![2 => Just(0.0), 3 => amount()], RESOURCES);
    need.prop_map(|need| Task { need, racks: vec![], group: None, most: None, gang: None, priority: 0 })
}

fn any_task() -> impl Strategy<Value = Task> {
    let racks = select(vec![vec![], vec![], vec!["a"], vec!["a", "b"], vec!["nowhere"]]);
    let spread = prop::option::weighted(0.3, (any::<bool>(), 0_u32..3));
    let gang = prop::option::weighted(0.3, 0_u8..4);
    (plain_task(), racks, prop::option::of(0_u8..3), spread, gang, 0_u8..3)
        .prop_map(|(task, racks, group, most, gang, priority)| Task { racks, group, most, gang, priority, ..task })
}

fn rules() -> impl Strategy<Value = Rules> {
    let formula = select(vec![
        Formula::BestFit,
        Formula::WorstFit,
        Formula::FirstFit,
        Formula::Ratio,
        Formula::MostAllocated,
        Formula::LeastAllocated,
    ]);
    let weights = prop::collection::vec(select(vec![0.0, 0.25, 1.0, 4.0, 0.1]), RESOURCES);
    let threshold = select(vec![f64::INFINITY, 31.0, 3.0, 1.0, 0.0]);
    let enough = prop::option::weighted(0.3, select(vec![-3.0, 0.0, 0.5, 2.0]));
    (formula, weights, threshold, enough, any::<bool>()).prop_map(|(formula, weights, threshold, enough, shared)| {
        Rules { formula, weights, threshold, good_enough: enough.filter(|enough| *enough < threshold), shared }
    })
}

fn check(rules: &Rules, offers: &[Offer], rounds: &[Vec<Task>]) {
    let mut matcher = Matcher::new(settings(rules)).unwrap();
    matcher.add_offers(&offers_of(offers)).unwrap();
    let mut model = Model { rules: rules.clone(), line: offers.to_vec(), placed: Vec::new() };
    for tasks in rounds {
        model.placed.clear();
        model.run(tasks);
        let matching = matcher.run(tasks_of(tasks, "t"), &HashSet::new(), None).unwrap();
        let found: Vec<(usize, String)> = matching.placed().map(|(task, offer)| (task, offer.to_owned())).collect();
        let expected: Vec<_> = model.placed.iter().map(|(task, offer)| (*task, offer.name.clone())).collect();
        assert_eq!(expected, found);
        let left: HashSet<_> = matching.refusals().iter().map(|refusal| refusal.task).collect();
        assert_eq!(tasks.len(), left.len() + found.len());
        let line: Vec<_> = matcher.offers().map(|(name, free)| (name.to_string(), free.to_vec())).collect();
        let kept: Vec<_> = model.line.iter().map(|offer| (offer.name.clone(), offer.free.clone())).collect();
        assert_eq!(kept, line, "the line is that of `swap_remove`");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn placements_are_those_of_the_plain_loop(
        rules in rules(), offers in line(150), tasks in prop::collection::vec(plain_task(), 0..150),
    ) {
        check(&rules, &offers, &[tasks]);
    }

    #[test]
    fn rules_of_all_kinds_leave_the_placements_of_the_plain_loop(
        rules in rules(), offers in line(70), rounds in prop::collection::vec(prop::collection::vec(any_task(), 0..40), 1..4),
    ) {
        check(&rules, &offers, &rounds);
    }

    #[test]
    fn offers_that_come_change_and_leave_are_those_of_a_new_matcher(
        rules in rules(), offers in line(120),
        rounds in prop::collection::vec(
            (prop::collection::vec((0_u8..3, any::<prop::sample::Index>(), an_offer()), 0..40),
             prop::collection::vec(any_task(), 0..12)),
            1..6),
    ) {
        let mut matcher = Matcher::new(settings(&rules)).unwrap();
        matcher.add_offers(&offers_of(&offers)).unwrap();
        let mut model = Model { rules, line: offers, placed: Vec::new() };
        let mut next = 1000;
        for (changes, tasks) in rounds {
            for (kind, index, mut offer) in changes {
                if kind == 0 || model.line.is_empty() {
                    offer.name = format!("o{next}");
                    next += 1;
                    matcher.add_offers(&offers_of(std::slice::from_ref(&offer))).unwrap();
                    model.line.push(offer);
                    continue;
                }
                let place = index.index(model.line.len());
                let name = model.line[place].name.clone();
                if kind == 1 {
                    matcher.remove_offer(&name).unwrap();
                    model.line.swap_remove(place);
                } else {
                    offer.name = name;
                    offer.capacity = offer.free.iter().zip(&model.line[place].capacity).map(|(a, b)| a.max(*b)).collect();
                    matcher.update_offers(&offers_of(std::slice::from_ref(&offer)), true).unwrap();
                    model.line[place] = offer;
                }
            }
            model.placed.clear();
            model.run(&tasks);
            let matching = matcher.run(tasks_of(&tasks, "t"), &HashSet::new(), None).unwrap();
            let found: Vec<_> = matching.placed().map(|(task, offer)| (task, offer.to_owned())).collect();
            let expected: Vec<_> = model.placed.iter().map(|(task, offer)| (*task, offer.name.clone())).collect();
            prop_assert_eq!(expected, found);
        }
    }

    #[test]
    fn a_users_score_gives_what_the_same_formula_gives(
        offers in line(60), tasks in prop::collection::vec(any_task(), 0..40), shared in any::<bool>(),
    ) {
        let rules = Rules { formula: Formula::BestFit, weights: vec![1.0; RESOURCES], threshold: 9.0, good_enough: None, shared };
        let pairs = |custom: bool| {
            let mut matcher = Matcher::new(settings(&rules)).unwrap();
            matcher.add_offers(&offers_of(&offers)).unwrap();
            let mut score = |task: &[f64], free: &[f64]| task.iter().zip(free).fold(0.0, |sum, (task, free)| sum + (free - task));
            let score: Option<&mut dyn oxflow_scheduler::Score> = if custom { Some(&mut score) } else { None };
            let matching = matcher.run(tasks_of(&tasks, "t"), &HashSet::new(), score).unwrap();
            matching.pairs().map(|(task, offer)| (task.to_owned(), offer.to_owned())).collect::<Vec<_>>()
        };
        prop_assert_eq!(pairs(false), pairs(true));
    }

    #[test]
    fn users_get_equal_dominant_shares(
        offers in line(60), tasks in prop::collection::vec((plain_task(), 0_u8..3), 0..60),
    ) {
        let rules = Rules { formula: Formula::FirstFit, weights: vec![1.0; RESOURCES], threshold: f64::INFINITY, good_enough: None, shared: true };
        let mut matcher = Matcher::new(Settings { fair: true, ..settings(&rules) }).unwrap();
        matcher.add_offers(&offers_of(&offers)).unwrap();
        let needs: Vec<Task> = tasks.iter().map(|(task, _)| task.clone()).collect();
        let mut given = tasks_of(&needs, "t");
        for (index, (_, user)) in tasks.iter().enumerate() {
            given.extend(index, Extras { user: Some(user.to_string()), ..Extras::default() });
        }
        let matching = matcher.run(given, &HashSet::new(), None).unwrap();
        let found: Vec<_> = matching.placed().map(|(task, offer)| (task, offer.to_owned())).collect();
        prop_assert_eq!(fair_model(rules, &offers, &tasks, &needs), found);
    }
}

/// The next task is always that of the user with the least share, the first to come among equals.
fn fair_model(rules: Rules, offers: &[Offer], tasks: &[(Task, u8)], needs: &[Task]) -> Vec<(usize, String)> {
    let total: Vec<f64> =
        (0..RESOURCES).map(|index| offers.iter().fold(0.0, |sum, offer| sum + offer.free[index])).collect();
    let mut users: Vec<u8> = Vec::new();
    tasks.iter().for_each(|(_, user)| {
        if !users.contains(user) {
            users.push(*user);
        }
    });
    let mut used: HashMap<u8, Vec<f64>> = users.iter().map(|user| (*user, vec![0.0; RESOURCES])).collect();
    let mut left: Vec<usize> = (0..tasks.len()).collect();
    let mut model = Model { rules, line: offers.to_vec(), placed: Vec::new() };
    while !left.is_empty() {
        let share = |user: u8| {
            let shares =
                (0..RESOURCES).filter(|index| total[*index] > 0.0).map(|index| used[&user][index] / total[index]);
            shares.fold(0.0, f64::max)
        };
        let waiting = users.iter().filter(|user| left.iter().any(|task| tasks[*task].1 == **user));
        let user = *waiting.min_by(|one, other| share(**one).total_cmp(&share(**other))).unwrap();
        let place = left.iter().position(|task| tasks[*task].1 == user).unwrap();
        let task = left.remove(place);
        if model.place(needs, task) {
            let used = used.get_mut(&user).unwrap();
            used.iter_mut().zip(&needs[task].need).for_each(|(used, need)| *used += need);
        }
    }
    model.placed.into_iter().map(|(task, offer)| (task, offer.name)).collect()
}
