//! Counts what the parser would have to read, before it reads it.

use apollo_parser::{Lexer, TokenKind};

use crate::{
    Exceeded,
    limit::{BRACKETS, DOCUMENT_BYTES, TOKENS},
};

/// Accepts a text with so few tokens, and brackets that stand so little in one another, that
/// parsing it is cheap and cannot exhaust the stack of a thread.
///
/// # Errors
/// The limit that the text exceeds.
pub(crate) fn check(text: &str) -> Result<(), Exceeded> {
    DOCUMENT_BYTES.check(text.len())?;
    let (mut tokens, mut depth) = (0, 0_usize);
    // What is no token is an error of the parser's, with its place.
    for token in Lexer::new(text).filter_map(Result::ok) {
        match token.kind() {
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
