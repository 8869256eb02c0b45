//! Counts what the parser would have to read, before it reads it.

use apollo_parser::{Lexer, TokenKind};

use crate::limit::{BRACKETS, DOCUMENT_BYTES, Exceeded, TOKENS};

/// Accepts a text with few enough tokens and levels of nesting to be parsed cheaply, and without
/// exhausting the stack of a thread.
///
/// # Errors
/// The limit that the text exceeds.
pub(crate) fn check(text: &str) -> Result<(), Exceeded> {
    DOCUMENT_BYTES.check(text.len())?;
    let (mut tokens, mut depth) = (0, 0_usize);
    for token in Lexer::new(text) {
        // What is not a token counts like one: the parser describes each.
        match token.map_or(TokenKind::Name, |token| token.kind()) {
            TokenKind::Whitespace | TokenKind::Comment | TokenKind::Comma | TokenKind::Eof => continue,
            TokenKind::LCurly | TokenKind::LParen | TokenKind::LBracket => depth += 1,
            TokenKind::RCurly | TokenKind::RParen | TokenKind::RBracket => depth = depth.saturating_sub(1),
            _ => {}
        }
        tokens += 1;
        TOKENS.check(tokens)?;
        BRACKETS.check(depth)?;
    }
    Ok(())
}
