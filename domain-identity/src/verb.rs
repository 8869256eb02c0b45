/// What a mutation does, for the name of its payload.
pub(crate) trait Verb: Send + Sync + 'static {
    /// As the type begins: `LogIn`.
    const NAME: &'static str;
}
