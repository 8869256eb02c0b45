//! What a session does not see is, for it, not there: every entity, every asker and every way to ask.
//!
//! Each cell of the table asks twice, with the id of a row and with an id that never was anything's, and
//! compares the bytes of the answers (with ids replaced) and the statements that PostgreSQL was sent.

mod doors;
mod lost;
mod stage;
mod ways;

use std::{collections::BTreeMap, fmt::Write};

use expect_test::expect_file;
use serde_json::{Value, json};

use self::{
    doors::{Door, Export, Step},
    stage::{STANDINGS, Scene, Stage, Standing, Subject},
};
use crate::harness::{
    Client,
    askers::{Asker, askers, table},
    generate::{Filling, Schema},
    overheard::Overheard,
    rows::Row,
};

const LEGEND: &str = "\
A cell has a letter for a row of the asker's own, of a colleague's and of another organisation, and for a deleted
row of the asker's own and of a colleague's:
+ it is there   - the same bytes and statements as for an id that nothing has   ! refused, as for any id

";

/// What an answer tells of a row.
const SEEN: char = '+';
const UNSEEN: char = '-';
const REFUSED: char = '!';

/// What two answers that must not differ for an unseen row tell.
fn letter(there: &Value, nothing: &Value) -> char {
    if there != nothing {
        return SEEN;
    }
    let text = there.to_string();
    let mistake = ["BAD_REQUEST", "INTERNAL"].iter().any(|code| text.contains(code));
    assert!(!mistake, "this door cannot be tried so: {text}");
    if ["FORBIDDEN", "UNAUTHENTICATED"].iter().any(|code| text.contains(code)) { REFUSED } else { UNSEEN }
}

/// Fails unless PostgreSQL was sent the same for a row that is not seen and for nothing.
#[track_caller]
fn assert_same_statements(what: &str, there: &[String], nothing: &[String]) {
    assert_eq!(there, nothing, "{what}: other statements than for an id that nothing has");
}

/// The letters of a table: of each door by its name, of each asker in their order.
#[derive(Default)]
struct Letters(BTreeMap<String, Vec<String>>);

impl Letters {
    fn add(&mut self, door: &str, asker: usize, letter: char) {
        let cells = self.0.entry(door.to_owned()).or_default();
        cells.resize(cells.len().max(asker + 1), String::new());
        cells[asker].push(letter);
    }
}

/// One asker before the doors of one subject.
struct Visit<'a> {
    stage: &'a Stage,
    overheard: &'a Overheard,
    subject: &'a Subject,
    asker: &'a Asker,
    client: Client,
}

impl Visit<'_> {
    fn what(&self, standing: Standing) -> String {
        format!("{} for {}, {standing:?}", self.subject.label, self.asker.name)
    }

    /// What is answered about a scene, and the statements that were sent for it.
    async fn heard(&self, scene: &Scene, ask: impl AsyncFn(&Scene) -> Value) -> (Value, Vec<String>) {
        self.overheard.take();
        (ask(scene).await, self.overheard.take())
    }

    /// Asks about a row and about an id that nothing has: the letter, for a door of its own request.
    async fn tried(
        &self,
        what: &str,
        [there, nothing]: [&Scene; 2],
        ask: impl AsyncFn(&Scene) -> Value,
    ) -> char {
        let (there, sent) = self.heard(there, &ask).await;
        let (nothing, sent_for_nothing) = self.heard(nothing, &ask).await;
        let letter = letter(&there, &nothing);
        if letter != SEEN {
            assert_same_statements(what, &sent, &sent_for_nothing);
        }
        letter
    }

    /// Everything that can be read, in one request.
    async fn reads(&self, doors: &[Door], scenes: &[Scene; 3], standing: Standing) -> Vec<char> {
        let query = doors::document(doors, scenes[0].around.len());
        let ask = async |scene: &Scene| {
            let answer = self.client.run(&query, scene.variables()).await;
            serde_json::from_str::<Value>(&scene.hidden(&answer.text)).unwrap()
        };
        let (there, sent) = self.heard(&scenes[0], ask).await;
        let (nothing, _) = self.heard(&scenes[1], ask).await;
        let letters: Vec<char> = (0..doors.len())
            .map(|number| letter(&doors::part(&there, number), &doors::part(&nothing, number)))
            .collect();
        if !letters.contains(&SEEN) {
            // The doors of one request have no order among one another.
            let sorted = |mut statements: Vec<String>| {
                statements.sort();
                statements
            };
            let astray = sorted(self.heard(&scenes[2], ask).await.1);
            assert_same_statements(&self.what(standing), &sorted(sent), &astray);
        }
        letters
    }

    /// A list as a file.
    async fn export(&self, export: &Export, [there, nothing, _]: &[Scene; 3], standing: Standing) -> char {
        let ask = async |scene: &Scene| {
            let id = export.place.map_or(&scene.row.id, |place| &scene.around[place]);
            let filter = json!({ "id": { "eq": id } }).to_string();
            let asked = [("where", filter.as_str()), ("columns", &export.columns)];
            let exported = self.client.export(&format!("{}.csv", export.list), &asked).await;
            json!([exported.status().as_u16(), scene.hidden(&exported.text().await.unwrap())])
        };
        self.tried(&format!("{}, {}", export.name, self.what(standing)), [there, nothing], ask).await
    }

    /// One mutation of the row, or with a reference to it.
    async fn step(&self, step: &Step, [there, nothing, _]: &[Scene; 3], standing: Standing) -> char {
        let own = self.stage.own_rows(self.asker);
        let ask = async |scene: &Scene| {
            let row = Row { revision: step.revision.unwrap_or(scene.row.revision), ..scene.row.clone() };
            let filling = Filling {
                rows: own,
                other: Some((&step.place.path, &row)),
                log_in: &self.asker.client.log_in,
            };
            let request = Schema::served().request_to_depth(&step.root, 1, filling);
            let answer = self.client.run(&request.query, request.variables).await;
            serde_json::from_str::<Value>(&scene.hidden(&answer.text)).unwrap()
        };
        let letter =
            self.tried(&format!("{}, {}", step.name, self.what(standing)), [there, nothing], ask).await;
        if letter == SEEN {
            self.stage.put_back(there, self.asker).await;
        }
        letter
    }

    /// All doors for a row of this standing; the letter of each by the door's name.
    async fn all(&self, doors: &[Door], steps: &[Step], standing: Standing) -> Vec<(String, char)> {
        let scenes = self.stage.scenes(self.subject, self.asker, standing).await;
        let letters = self.reads(doors, &scenes, standing).await;
        let mut all: Vec<_> = doors.iter().map(|door| door.name.clone()).zip(letters).collect();
        for export in doors::exports(self.subject) {
            all.push((export.name.clone(), self.export(&export, &scenes, standing).await));
        }
        for step in steps {
            all.push((step.name.clone(), self.step(step, &scenes, standing).await));
        }
        let seen = |name: &str| all.iter().any(|(door, letter)| door == name && *letter == SEEN);
        let shown = if standing.is_deleted() { seen(doors::DELETED) } else { seen(doors::NODE) };
        let told: Vec<_> = all.iter().filter(|(_, letter)| *letter == SEEN).map(|(name, _)| name).collect();
        assert!(shown || told.is_empty(), "{} is not seen, but told by {told:?}", self.what(standing));
        assert!(!shown || standing != Standing::Elsewhere, "{} is seen", self.what(standing));
        all
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_seen_is_answered_as_what_does_not_exist_through_every_door() {
    let stage = Stage::set().await;
    let askers = askers(&stage.admin).await;
    let stage = stage.with_own_rows(&askers).await;
    let overheard = Overheard::start().await;
    let mut text = LEGEND.to_owned();
    for subject in stage.subjects() {
        let (doors, steps) = (doors::reads(&subject), doors::steps(&subject));
        let mut letters = Letters::default();
        for (number, asker) in askers.iter().enumerate() {
            let client = overheard.client(&asker.client);
            let visit = Visit { stage: &stage, overheard: &overheard, subject: &subject, asker, client };
            for standing in STANDINGS.into_iter().filter(|standing| subject.can_be(*standing)) {
                for (door, letter) in visit.all(&doors, &steps, standing).await {
                    letters.add(&door, number, letter);
                }
            }
        }
        let lines: Vec<_> = letters.0.into_iter().collect();
        write!(text, "{}\n{}\n", subject.label, table(&askers, STANDINGS.len(), &lines)).unwrap();
    }
    expect_file!["golden/sight.txt"].assert_eq(&text);
}
