//! Rows of every entity, as somebody's own and as nobody's, with rows around them that refer to them.
//! They are copies of rows that the service made, written past its triggers, so that a hundred askers
//! cost no more than a few statements each.

use std::{collections::HashMap, iter};

use gateway::entities;
use listing::{AnyEntity, ColumnRelation, id_text, uuid_of};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{
    Client,
    askers::Asker,
    generate::Schema,
    organisation,
    rows::{Row, Rows},
    server, superuser,
};

/// Columns that two rows of a table cannot share.
const UNIQUE: &[(&str, &str)] = &[("users", "account_id"), ("webhook_deliveries", "event_id")];

/// Rows that are a `Node` without being an entity with a list.
const WITHOUT_LIST: &[&str] = &["Organisation"];

/// Whose row it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Own,
    Colleagues,
    Elsewhere,
    OwnDeleted,
    ColleaguesDeleted,
}

pub(super) const STANDINGS: [Standing; 5] = [
    Standing::Own,
    Standing::Colleagues,
    Standing::Elsewhere,
    Standing::OwnDeleted,
    Standing::ColleaguesDeleted,
];

impl Standing {
    pub(super) fn is_deleted(self) -> bool {
        matches!(self, Self::OwnDeleted | Self::ColleaguesDeleted)
    }
}

/// What is asked about: rows of one name.
pub(super) struct Subject {
    pub(super) label: String,
    pub(super) entity: &'static AnyEntity,
    /// The row that all others are copies of.
    template: Uuid,
    /// The relations that lead to it, each with the entity that has it and that one's template.
    pub(super) links: Vec<(&'static AnyEntity, ColumnRelation, Uuid)>,
}

impl Subject {
    pub(super) fn can_be(&self, standing: Standing) -> bool {
        !standing.is_deleted() || Schema::served().has_field(self.entity.name, "deletedAt")
    }
}

/// A row that was copied, to be copied again.
#[derive(Clone)]
struct Copied {
    entity: &'static AnyEntity,
    template: Uuid,
    columns: Value,
}

/// A row, or nothing in its place, and for each link the row at its other end and one more like that, which
/// leads nowhere.
pub(super) struct Scene {
    pub(super) row: Row,
    pub(super) around: Vec<String>,
    made: Option<Copied>,
}

impl Scene {
    /// What the document of all doors is sent with.
    pub(super) fn variables(&self) -> Value {
        let around = self.around.iter().enumerate().map(|(number, id)| (format!("r{number}"), json!(id)));
        iter::once(("id".to_owned(), json!(self.row.id))).chain(around).collect()
    }

    /// An answer without its ids.
    pub(super) fn hidden(&self, answer: &str) -> String {
        let around = self.around.iter().enumerate();
        let text = answer.replace(&self.row.id, "the id");
        around.fold(text, |text, (number, id)| text.replace(id, &format!("id {number}")))
    }
}

/// Two organisations, and the rows that others are copies of.
pub(super) struct Stage {
    pub(super) admin: Client,
    stranger: Client,
    rows: Rows,
    behind: tokio_postgres::Client,
    own: HashMap<String, (Rows, Vec<Copied>)>,
}

/// Writes a row as JSON has it.
fn insertion(table: &str) -> String {
    format!(
        "DO $do$ DECLARE given text; BEGIN
             SELECT string_agg(quote_ident(attname), ', ') INTO given FROM pg_attribute
                 WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
                   AND attidentity = '';
             EXECUTE format('CREATE OR REPLACE FUNCTION pg_temp.put_{table}(given jsonb) RETURNS void LANGUAGE sql AS $$
                 INSERT INTO {table} (%1$s) SELECT %1$s FROM jsonb_populate_record(NULL::{table}, given) $$', given);
         END $do$"
    )
}

impl Stage {
    pub(super) async fn set() -> Self {
        let (admin, stranger) = tokio::join!(organisation(), organisation());
        let rows = Rows::of(&admin).await;
        let behind = superuser(server().addresses.database()).await;
        behind.batch_execute("SET session_replication_role = replica").await.unwrap();
        for entity in entities() {
            behind.batch_execute(&insertion(entity.table())).await.unwrap();
        }
        Self { admin, stranger, rows, behind, own: HashMap::new() }
    }

    /// With a row of every name for each asker, as their own.
    pub(super) async fn with_own_rows(mut self, askers: &[Asker]) -> Self {
        for asker in askers {
            let (mut own, mut copies) = (vec![], vec![]);
            for name in Schema::served().row_names() {
                let row = self.rows.row(name).clone();
                let row = match self.entity(name) {
                    None => row,
                    Some(entity) => {
                        let id = Uuid::now_v7();
                        let columns = json!({ "id": id, "created_by": self.creator(asker) });
                        let copied = Copied { entity, template: uuid_of(&row.id).unwrap().1, columns };
                        self.copy(&copied).await;
                        copies.push(copied);
                        Row { id: id_text(entity.prefix, id), ..row }
                    }
                };
                own.push((name.to_owned(), row));
            }
            self.own.insert(asker.name.clone(), (Rows::made(own, &self.rows.marker), copies));
        }
        self
    }

    pub(super) fn own_rows(&self, asker: &Asker) -> &Rows {
        &self.own[&asker.name].0
    }

    /// The entity of the rows of a name.
    fn entity(&self, name: &str) -> Option<&'static AnyEntity> {
        let prefix = uuid_of(&self.rows.row(name).id).unwrap().0;
        entities().find(|entity| entity.prefix == prefix)
    }

    /// Who has made what is the asker's own; some user where the asker is none.
    fn creator(&self, asker: &Asker) -> Uuid {
        if asker.client.log_in.is_null() { self.admin.user_id() } else { asker.client.user_id() }
    }

    /// Every entity, and every other name that the harness makes rows of.
    pub(super) fn subjects(&self) -> Vec<Subject> {
        let template = |name: &str| uuid_of(&self.rows.row(name).id).unwrap().1;
        let subject = |label: &str| {
            let entity = self.entity(label)?;
            let leads_here = |link: &ColumnRelation| {
                // Other names are of rows that belong to no other.
                link.target.name == entity.name && !(link.is_many && label != entity.name)
            };
            let links =
                entities().flat_map(|source| source.column_relations().map(move |link| (source, link)));
            let links = links.filter(|(_, link)| leads_here(link));
            let links = links.map(|(source, link)| (source, link, template(source.name))).collect();
            Some(Subject { label: label.to_owned(), entity, template: template(label), links })
        };
        let names = Schema::served().row_names();
        let subjects: Vec<_> = names.iter().filter_map(|name| subject(name)).collect();
        for name in names.iter().filter(|name| !WITHOUT_LIST.contains(name)) {
            let known = subjects.iter().any(|subject| subject.label == *name);
            assert!(
                known,
                "nobody has tried who sees a {name}: give its entity to gateway::entities, or name it in WITHOUT_LIST"
            );
        }
        subjects
    }

    /// Adds a copy of a row with other columns, an id among them, in place of the one with that id.
    async fn copy(&self, Copied { entity, template, columns }: &Copied) {
        let (table, id) = (entity.table(), columns["id"].as_str().unwrap());
        let mut columns = columns.clone();
        for (_, column) in UNIQUE.iter().filter(|(of, _)| *of == table) {
            columns[column] = json!(Uuid::now_v7());
        }
        self.behind.execute(&format!("DELETE FROM {table} WHERE id = '{id}'"), &[]).await.unwrap();
        let copy = format!(
            "SELECT pg_temp.put_{table}(to_jsonb(t) || $1::text::jsonb) FROM {table} t WHERE id = '{template}'"
        );
        self.behind.execute(&copy, &[&columns.to_string()]).await.unwrap();
    }

    /// Undoes what a mutation has changed of a row and of the asker's own ones.
    pub(super) async fn put_back(&self, scene: &Scene, asker: &Asker) {
        for copied in self.own[&asker.name].1.iter().chain(&scene.made) {
            self.copy(copied).await;
        }
    }

    /// Whether a column of a table may be empty.
    async fn is_nullable(&self, table: &str, column: &str) -> bool {
        let query = "SELECT NOT attnotnull FROM pg_attribute WHERE attrelid = $1::text::regclass AND attname = $2::text::name";
        self.behind.query_one(query, &[&table, &column]).await.unwrap().get(0)
    }

    /// A row of this standing to the asker; the same scene where nothing was ever referred to; and where
    /// references lead to what is not there, which no column could hold.
    pub(super) async fn scenes(&self, subject: &Subject, asker: &Asker, standing: Standing) -> [Scene; 3] {
        let own = self.creator(asker);
        let other = if own == self.admin.user_id() { Uuid::now_v7() } else { self.admin.user_id() };
        let mut columns = match standing {
            Standing::Own | Standing::OwnDeleted => json!({ "created_by": own }),
            Standing::Colleagues | Standing::ColleaguesDeleted => json!({ "created_by": other }),
            Standing::Elsewhere => json!({
                "created_by": self.stranger.user_id(), "organisation_id": self.stranger.organisation_id(),
            }),
        };
        if standing.is_deleted() {
            columns["deleted_at"] = json!("2026-01-01T00:00:00Z");
        }
        let [id, nothing, astray] = [(); 3].map(|()| Uuid::now_v7());
        let mut around = [vec![], vec![], vec![]];
        for (source, link, template) in &subject.links {
            // No column refers to another organisation, so there is nothing to compare that with.
            let is_empty = !link.is_many
                && standing != Standing::Elsewhere
                && self.is_nullable(source.table(), link.column).await;
            let empty = |id: Uuid| if is_empty { Value::Null } else { json!(id) };
            // In this order, so that rows of one time are answered in one order in all scenes.
            for (scene, to) in around.iter_mut().zip([json!(id), empty(nothing), json!(astray)]) {
                for to in [to, empty(Uuid::now_v7())] {
                    let made = Uuid::now_v7();
                    let mut columns = json!({ "id": made, "created_by": own });
                    if !link.is_many {
                        columns[link.column] = to;
                    }
                    self.copy(&Copied { entity: source, template: *template, columns }).await;
                    scene.push((source.prefix, made));
                }
            }
            if link.is_many {
                columns[link.column] = json!(around[0][around[0].len() - 2].1);
            }
        }
        columns["id"] = json!(id);
        let made = Copied { entity: subject.entity, template: subject.template, columns };
        self.copy(&made).await;
        let revision = self.rows.row(&subject.label).revision;
        let [there, beside, lost] = around
            .map(|around| around.into_iter().map(|(prefix, id)| id_text(prefix, id)).collect::<Vec<_>>());
        let row = |id| Row { id: id_text(subject.entity.prefix, id), revision };
        [
            Scene { row: row(id), around: there, made: Some(made) },
            Scene { row: row(nothing), around: beside, made: None },
            Scene { row: row(astray), around: lost, made: None },
        ]
    }
}
