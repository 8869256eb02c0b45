//! Reads a text as tokens, before the parser builds anything of it.

use apollo_parser::{Lexer, TokenKind};

use crate::{
    limit::{BRACKETS, DOCUMENT_BYTES, TOKENS},
    position::Positions,
    problems::cut,
    refusal::{Problem, Refused},
};

/// What a bracket encloses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Selections,
    /// Arguments or definitions of variables.
    Arguments,
    Object,
    List,
}

/// Accepts a text with few enough tokens and levels of nesting to be parsed cheaply, and without
/// exhausting the stack of a thread.
///
/// # Errors
/// The limit that the text exceeds; a name in arguments or in an object that no colon follows, which
/// the parser would pass over with all that it means.
pub(crate) fn check(text: &str) -> Result<(), Refused> {
    DOCUMENT_BYTES.check(text.len())?;
    let (mut tokens, mut depth) = (0, 0_usize);
    let mut around = vec![];
    let mut before = TokenKind::Eof;
    // The name that is waiting for its colon, and where it is.
    let mut key: Option<(usize, &str)> = None;
    // Whether the parser will find another mistake, after which nothing is certain.
    let mut is_broken = false;
    for token in Lexer::new(text) {
        // What is not a token counts like one: the parser describes each.
        is_broken |= token.is_err();
        let (kind, index, data) =
            token.map_or((TokenKind::Int, 0, ""), |token| (token.kind(), token.index(), token.data()));
        if matches!(kind, TokenKind::Whitespace | TokenKind::Comment | TokenKind::Comma) {
            continue;
        }
        if let Some((index, name)) = key.take().filter(|_| kind != TokenKind::Colon && !is_broken) {
            let position = Some(Positions::in_text(text).at(index));
            let message = format!("Syntax error: expected \":\" and a value after {}.", cut(name));
            return Err(Problem { position, ..Problem::new(message) }.into());
        }
        let inside = around.last().copied().unwrap_or(Inside::Selections);
        match kind {
            TokenKind::Eof => continue,
            TokenKind::LParen => around.push(Inside::Arguments),
            TokenKind::LBracket => around.push(Inside::List),
            TokenKind::LCurly if inside == Inside::Selections => around.push(Inside::Selections),
            TokenKind::LCurly => around.push(Inside::Object),
            TokenKind::RCurly | TokenKind::RParen | TokenKind::RBracket => {
                let closes = match around.pop() {
                    Some(Inside::Selections | Inside::Object) => TokenKind::RCurly,
                    Some(Inside::Arguments) => TokenKind::RParen,
                    Some(Inside::List) => TokenKind::RBracket,
                    None => TokenKind::Eof,
                };
                is_broken |= kind != closes;
            }
            TokenKind::Name if matches!(inside, Inside::Arguments | Inside::Object) => {
                let is_value =
                    matches!(before, TokenKind::Colon | TokenKind::Dollar | TokenKind::Eq | TokenKind::At);
                key = (!is_value).then_some((index, data));
            }
            _ => {}
        }
        depth = depth.max(around.len());
        tokens += 1;
        TOKENS.check(tokens)?;
        BRACKETS.check(depth)?;
        before = kind;
    }
    Ok(())
}
