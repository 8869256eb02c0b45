//! The bounds of a request, each with the name that its error carries.

/// A bound. An error names it, so that a client can tell which one it met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// As errors and settings name it.
    pub name: &'static str,
    /// The largest number that is accepted.
    pub most: usize,
    /// What is counted, as it follows a number: `tokens in the document`.
    what: &'static str,
}

/// How far a request went beyond a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// The limit.
    pub limit: Limit,
    /// The number that was counted; where counting stopped early, the number it had reached.
    pub found: usize,
}

/// The largest number that every client can hold exactly: JavaScript's numbers have 53 bits.
const MOST_FOUND: usize = 9_007_199_254_740_991;

macro_rules! limits {
    ($($(#[doc = $doc:literal])* $name:ident = $most:expr, $what:literal;)*) => {
        $($(#[doc = $doc])* pub(crate) const $name: Limit =
            Limit { name: stringify!($name), most: $most, what: $what };)*
        /// Every limit of this crate.
        pub const LIMITS: &[Limit] = &[$($name),*];
    };
}

limits! {
    /// Large data travels in variables, so a document can be short.
    DOCUMENT_BYTES = 256 * 1024, "bytes in the document";
    /// Names, values and punctuation, as the specification defines tokens.
    TOKENS = 20_000, "tokens in the document";
    /// Levels of nested brackets, of any kind. Parsing and execution recurse that deep.
    BRACKETS = 200, "levels of nested brackets";
    /// Levels of nested lists and objects in the value of a variable.
    VARIABLE_DEPTH = 64, "levels of nested lists and objects in the variables";
    /// Values in the variables; and values that arguments hold, where each use of a variable
    /// counts as all of its value.
    VARIABLE_NODES = 200_000, "values in variables and arguments, counted at each use";
    OPERATIONS = 50, "operations in the document";
    FRAGMENTS = 500, "fragments in the document";
    /// Levels of nested selection sets, through fragments.
    FRAGMENT_DEPTH = 100, "levels of nested selection sets, fragments expanded";
    /// Levels of nested fields. The introspection query of an explorer needs 13.
    DEPTH = 20, "levels of nested fields";
    /// Fragments may double at each step, and every selection costs time.
    SELECTIONS = 20_000, "selections, fragments counted at each use";
    /// Plans of answers are made for single types.
    SELECTIONS_BY_TYPE = 100_000, "selections, those of interfaces counted for each type that fragments name";
    ROOT_FIELDS = 50, "fields at the root";
    MUTATIONS = 10, "mutations in one request";
    /// Each alias repeats a field in every row. (At the root `ROOT_FIELDS` counts.)
    ALIASES = 20, "aliases of one field";
    DIRECTIVES_OF_FIELD = 10, "directives at one place";
    DIRECTIVES = 200, "directives in the document";
    /// The cost of an operation does not count `__typename`.
    TYPENAMES = 500, "uses of __typename";
    INTROSPECTIONS = 2, "uses of __schema and __type";
    /// The cost of an operation does not count the schema's own lists. Explorers need three.
    INTROSPECTED_LISTS = 4, "levels of nested lists of the schema";
    /// Fields of the schema in the answer, estimated from the size of the schema. The introspection of
    /// an explorer asks for a sixth.
    INTROSPECTED_FIELDS = 2_000_000, "fields of the schema in the answer";
    /// Fields of the answer, where a list counts once for each row of its page.
    COMPLEXITY = 50_000, "fields in the answer, counted for each row of a page";
}

impl Limit {
    /// Accepts a number up to the limit.
    ///
    /// # Errors
    /// The limit and the number, if it is larger.
    pub(crate) fn check(self, found: usize) -> Result<(), Exceeded> {
        if found > self.most { Err(Exceeded { limit: self, found: found.min(MOST_FOUND) }) } else { Ok(()) }
    }
}

impl std::fmt::Display for Exceeded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}; at most {} are allowed.", self.found, self.limit.what, self.limit.most)
    }
}
