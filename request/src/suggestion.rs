/// The longest name that is compared with others.
const MAX_LENGTH: usize = 60;

/// A sentence that suggests the name a client may have meant; empty if none is close.
pub(crate) fn closest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    if name.len() > MAX_LENGTH {
        return String::new();
    }
    let name = name.to_lowercase();
    let distance = |known: &str| strsim::damerau_levenshtein(&name, &known.to_lowercase());
    let close = known.into_iter().map(|known| (distance(known), known));
    match close.filter(|(distance, known)| *distance <= known.len().div_ceil(3)).min() {
        Some((_, known)) => format!(" Did you mean {known}?"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_name_is_suggested_and_no_other() {
        let known = ["name", "kind", "createdAt"];
        assert_eq!(closest("nmae", known), " Did you mean name?");
        assert_eq!(closest("createdat", known), " Did you mean createdAt?");
        assert_eq!(closest("x", known), "");
        assert_eq!(closest(&"name".repeat(50), known), "");
    }
}
