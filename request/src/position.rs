use apollo_compiler::parser::SourceSpan;
use async_graphql::Pos;

/// Converts byte offsets to lines and columns, which count characters. Ascending offsets are cheap:
/// the text between two of them is read once.
pub(crate) struct Positions<'t> {
    text: &'t str,
    offset: usize,
    position: Pos,
    /// Whether the text before the offset ends with a carriage return.
    after_return: bool,
}

impl<'t> Positions<'t> {
    /// Positions in this text.
    pub(crate) fn in_text(text: &'t str) -> Self {
        Self { text, offset: 0, position: Pos { line: 1, column: 1 }, after_return: false }
    }

    /// Where a node of the document begins.
    pub(crate) fn of(&mut self, span: Option<SourceSpan>) -> Pos {
        self.at(span.map_or(self.offset, |span| span.offset()))
    }

    /// The position of a byte offset.
    pub(crate) fn at(&mut self, offset: usize) -> Pos {
        if offset < self.offset {
            *self = Self::in_text(self.text);
        }
        let between = self.text.get(self.offset..offset).unwrap_or_default();
        for character in between.chars() {
            match character {
                // The second half of a line end that was counted.
                '\n' if self.after_return => {}
                '\n' | '\r' => self.position = Pos { line: self.position.line + 1, column: 1 },
                _ => self.position.column += 1,
            }
            self.after_return = character == '\r';
        }
        self.offset = offset.min(self.text.len());
        self.position
    }
}
