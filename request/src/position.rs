use apollo_compiler::parser::SourceSpan;
use async_graphql::Pos;

/// Finds lines and columns of places in a text that are asked for in their order.
///
/// The text between two places is read once. A column of a long line, found from the start of its
/// line each time, would cost the square of the line's length.
pub(crate) struct Positions<'t> {
    text: &'t str,
    offset: usize,
    position: Pos,
}

impl<'t> Positions<'t> {
    /// Positions in this text.
    pub(crate) fn in_text(text: &'t str) -> Self {
        Self { text, offset: 0, position: Pos { line: 1, column: 1 } }
    }

    /// Where a node of the document begins.
    pub(crate) fn of(&mut self, span: Option<SourceSpan>) -> Pos {
        let offset = span.map_or(self.offset, |span| span.offset());
        if offset < self.offset {
            *self = Self::in_text(self.text);
        }
        let between = self.text.get(self.offset..offset).unwrap_or_default();
        for character in between.chars() {
            if character == '\n' {
                self.position = Pos { line: self.position.line + 1, column: 1 };
            } else {
                self.position.column += 1;
            }
        }
        self.offset = offset.min(self.text.len());
        self.position
    }
}
