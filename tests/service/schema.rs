//! The schema as a whole.

use expect_test::expect_file;

#[test]
fn schema_graphql_is_what_the_code_says() {
    expect_file!["../../schema.graphql"].assert_eq(&gateway::sdl());
}
