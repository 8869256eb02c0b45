//! What is let past the general rules, each opening in one list with its reason: partitions,
//! functions with the rights of their owner, and policies for further groups.

use super::{Rule, holds};

/// Functions that run with the rights of their owner.
const SECURITY_DEFINERS: &[(&str, &str)] = &[
    ("keep_audit_partitions", "only an owner makes and drops tables"),
    ("search_ids", "the index of a search serves no condition below row security"),
    ("write_audit", "nobody but the trigger may write audit entries"),
];
/// Those of them that a role of the service may call. Each decides by itself what is allowed: it
/// takes the tenant from the transaction, or, as these, touches no tenant's rows on anyone's word.
const CALLED_SECURITY_DEFINERS: &[(&str, &str)] = &[
    (
        "keep_audit_partitions",
        "takes no argument; what it drops depends on the machine's clock and a constant alone",
    ),
    (
        "search_ids",
        "takes the organisation from the transaction, and answers nothing but ids, which are read below row security",
    ),
];
/// Policies beside the tenant's own and those of `tessera_system`, as `table.policy`: each gives
/// rows to a further group.
const POLICIES_OF_FURTHER_GROUPS: &[(&str, &str)] = &[];

// A partition is reached through its table, whose policy decides. Row security without a policy and
// without grants closes the partition itself.
pub(super) const PARTITIONS: Rule = Rule {
    findings: "SELECT own.relname || ' is a partition that ' || reason FROM pg_class own
        JOIN pg_inherits ON inhrelid = own.oid JOIN pg_class parent ON parent.oid = inhparent
        CROSS JOIN LATERAL (
            SELECT 'has no row security' AS reason WHERE NOT own.relrowsecurity
            UNION ALL SELECT 'has another owner than its table' WHERE own.relowner <> parent.relowner
            UNION ALL SELECT 'has the policy ' || polname FROM pg_policy WHERE polrelid = own.oid
            UNION ALL SELECT 'lets ' || CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END || ' ' || privilege_type
                FROM (
                    SELECT own.relacl AS acl
                    UNION ALL SELECT attacl FROM pg_attribute WHERE attrelid = own.oid
                ) AS acls CROSS JOIN LATERAL aclexplode(acl) WHERE grantee <> own.relowner
        ) AS finding
        WHERE own.relnamespace = 'public'::regnamespace AND own.relispartition AND own.relkind IN ('r', 'p', 'f')",
    excused: &[],
};

pub(super) const OTHER_POLICIES: Rule = Rule {
    findings: "SELECT tablename || '.' || policyname || ' opens rows to ' || roles::text FROM pg_policies
        WHERE schemaname = 'public' AND policyname <> 'own_organisation' AND roles <> '{tessera_system}'",
    excused: POLICIES_OF_FURTHER_GROUPS,
};

pub(super) const DEFINERS: Rule = Rule {
    findings: "SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef",
    excused: SECURITY_DEFINERS,
};

// Without pg_temp at its end the path starts with pg_temp: anybody's temporary table of the same
// name would come first.
pub(super) const PINNED_DEFINERS: Rule = Rule {
    findings: "SELECT proname || ' has not its search_path pinned to pg_catalog, public, pg_temp: ' || coalesce(proconfig::text, 'none')
        FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND prosecdef
          AND NOT coalesce('search_path=pg_catalog, public, pg_temp' = ANY(proconfig), false)
        UNION ALL
        SELECT proname || ' is executable by PUBLIC' FROM pg_proc
        CROSS JOIN LATERAL aclexplode(coalesce(proacl, acldefault('f', proowner)))
        WHERE pronamespace = 'public'::regnamespace AND prosecdef AND grantee = 0",
    excused: &[],
};

pub(super) const CALLED_DEFINERS: Rule = Rule {
    findings: "SELECT proname || ' is executable by ' || grantee::regrole::text FROM pg_proc
        CROSS JOIN LATERAL aclexplode(coalesce(proacl, acldefault('f', proowner)))
        WHERE pronamespace = 'public'::regnamespace AND prosecdef AND grantee NOT IN (0, proowner)",
    excused: CALLED_SECURITY_DEFINERS,
};

#[tokio::test]
async fn no_partition_is_reached_but_through_its_table() {
    holds(&PARTITIONS).await;
}

#[tokio::test]
async fn no_further_group_sees_rows_without_being_listed() {
    holds(&OTHER_POLICIES).await;
}

#[tokio::test]
async fn every_function_with_its_owners_rights_is_listed_and_pinned() {
    holds(&DEFINERS).await;
    holds(&PINNED_DEFINERS).await;
    holds(&CALLED_DEFINERS).await;
}
