//! Conditions on what stands in a column: the words of a search, the parts of a list.

use diesel::{QueryResult, sql_types as st};

use crate::{
    kind::Parts,
    sql::{
        condition::{Condition, Term},
        out::{Out, name},
    },
};

/// Whether a row contains each word of a text.
pub(in crate::sql) fn matches<'b>(text: &'b str, table: &str, out: &mut Out<'_, 'b>) -> QueryResult<()> {
    // COALESCE, because PostgreSQL takes LIKE for a condition that hardly any row meets, and would read and
    // sort all rows instead of walking along an index to the first that do. The sub-select makes the
    // patterns once for the statement.
    out.push_sql("COALESCE(");
    name(table, "search", out)?;
    out.push_sql(" LIKE ALL ((SELECT search_patterns(");
    out.push_bind_param::<st::Text, _>(text)?;
    out.push_sql("))::text[]), FALSE)");
    Ok(())
}

/// Whether one of the parts in the JSON of a term meets a condition: the parts are rows of a table whose
/// columns are their fields.
pub(in crate::sql) fn part<'b>(
    term: &'b Term,
    parts: Parts,
    condition: &'b Condition,
    (table, depth): (&str, usize),
    out: &mut Out<'_, 'b>,
) -> QueryResult<()> {
    out.push_sql("EXISTS (SELECT FROM jsonb_to_recordset(");
    term.render(table, depth, out)?;
    out.push_sql(") AS part(");
    for (place, field) in parts.fields.iter().enumerate() {
        out.push_sql(if place > 0 { ", " } else { "" });
        out.push_identifier(field.name)?;
        out.push_sql(" text");
        if let Some(collation) = field.collation {
            out.push_sql(" COLLATE ");
            out.push_identifier(collation)?;
        }
    }
    out.push_sql(") WHERE ");
    condition.render("part", depth, out)?;
    out.push_sql(")");
    Ok(())
}
