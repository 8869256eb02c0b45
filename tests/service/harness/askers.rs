//! Who asks: the sessions that tests of permissions and of sight try everything with.

use async_graphql::resolver_utils::EnumType;
use tenancy::{Permission, Role};

use super::Client;

/// Sessions with grants beside the role USER. A kind of session that is added here (an API key, a
/// support session, a participant) gets its column in every table.
const GRANTED: &[(&str, &[Permission])] =
    &[("(own contacts)", &[Permission::ReadOwnContacts, Permission::WriteContacts])];

/// One who asks, and what stands above the column.
pub(crate) struct Asker {
    pub(crate) name: String,
    pub(crate) client: Client,
}

impl Asker {
    fn new(name: impl Into<String>, client: Client) -> Self {
        Self { name: name.into(), client }
    }
}

/// Users of this admin's organisation, one of each role alone, one without any and one of each set of
/// grants; and a client that is not logged in.
pub(crate) async fn askers(admin: &Client) -> Vec<Asker> {
    let mut askers = vec![];
    for role in Role::items() {
        askers.push(Asker::new(role.name, admin.colleague(&[role.name]).await));
    }
    askers.push(Asker::new("(no role)", admin.colleague(&[]).await));
    for (name, permissions) in GRANTED {
        askers.push(Asker::new(*name, admin.granted(permissions).await));
    }
    askers.push(Asker::new("(anonymous)", admin.anonymous()));
    askers
}

/// A small table: a name, then a cell for each asker of at least this width.
pub(crate) fn table<C: AsRef<str>>(askers: &[Asker], width: usize, lines: &[(String, Vec<C>)]) -> String {
    let widest = lines.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let line = |name: &str, cells: Vec<&str>| {
        let mut text = format!("{name:widest$}");
        for (cell, asker) in std::iter::zip(cells, askers) {
            text += &format!("  {cell:width$}", width = asker.name.len().max(width));
        }
        format!("{}\n", text.trim_end())
    };
    let header = line("", askers.iter().map(|asker| asker.name.as_str()).collect());
    let lines = lines.iter().map(|(name, cells)| line(name, cells.iter().map(AsRef::as_ref).collect()));
    std::iter::once(header).chain(lines).collect()
}
