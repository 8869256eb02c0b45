/// Puts what [`crate::Related`] answers into an entity's GraphQL object, with the resolvers of the
/// entity's own in braces, if it has any:
///
/// ```ignore
/// listing::related!(Contact);
/// ```
///
/// The struct needs `#[graphql(complex)]`, and its crate async-graphql.
#[macro_export]
macro_rules! related {
    ($entity:ident) => {
        $crate::related!($entity {});
    };
    ($entity:ident { $($resolvers:tt)* }) => {
        const _: () = {
            // ComplexObject expects OutputType in scope where it flattens.
            use async_graphql::{ComplexObject, OutputType};

            #[ComplexObject]
            impl $entity {
                $($resolvers)*

                #[graphql(flatten)]
                #[expect(clippy::unused_async, reason = "ComplexObject awaits what it flattens")]
                async fn related(&self) -> $crate::Related<'_, $entity> {
                    $crate::Related(self)
                }
            }
        };
    };
}
