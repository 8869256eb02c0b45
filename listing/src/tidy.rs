//! Texts as they are kept.

/// Text without white space at its edges; empty if nothing of it can be seen.
pub fn tidy(text: &str) -> &str {
    let text = text.trim();
    if text.chars().all(|character| character.is_whitespace() || is_invisible(character)) { "" } else { text }
}

/// Whether nothing is drawn for this character by itself: `Default_Ignorable_Code_Point` of Unicode
/// (DerivedCoreProperties.txt).
pub(crate) fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_go_and_what_nobody_sees_is_nothing() {
        assert_eq!(tidy(" Ada\u{a0}"), "Ada");
        for nothing in ["", " \t", "\u{200b}", "\u{2060} \u{feff}", "\u{ad}", "\u{3164}", "\u{202e}\u{202e}"]
        {
            assert_eq!(tidy(nothing), "", "{nothing:?}");
        }
        // They mean something beside others: a heart in colour, a family.
        for something in ["\u{2764}\u{fe0f}", "\u{1f468}\u{200d}\u{1f469}", "Ada\u{200b}"] {
            assert_eq!(tidy(something), something);
        }
    }
}
