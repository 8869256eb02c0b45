//! Who may use whom: the arrows of ARCHITECTURE.md, held against `cargo metadata`.

use std::process::Command;

use serde_json::Value;

/// From the top down; each may use every one below it.
const CHAIN: &[&str] = &[
    "domain-tickets",
    "domain-crm",
    "domain-collaboration",
    "domain-identity",
    "events",
    "listing",
    "tenancy",
];
/// Crates beside the chain, and the highest of its crates that they may use.
const BESIDE: &[(&str, Option<&str>)] = &[
    ("domain-vow", Some("domain-collaboration")),
    ("domain-learning", Some("domain-collaboration")),
    ("assistant", None),
    ("request", None),
];
/// What stands above everything, and may use all of it. Nothing may use these.
const ABOVE: &[&str] = &["gateway"];
/// What only measures or tests: may use everything, the gateway and each other too.
const OUTSIDE: &[&str] = &["tests", "bench"];

/// Packages that one crate of the workspace has to itself.
const OWNED: &[(&str, &str, &str)] = &[
    ("tenancy", "diesel-async", "it is the only door to the database"),
    ("tenancy", "deadpool", "the pool is private to it"),
    ("tenancy", "tokio-postgres", "it would be a second door to the database"),
    ("gateway", "axum", "only the gateway knows HTTP"),
    ("request", "apollo-compiler", "only it validates documents"),
];

/// Name, and the names of everything it depends on: to build, to run or to test.
type Package = (String, Vec<String>);

fn workspace() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    packages(&serde_json::from_slice(&output.stdout).unwrap())
}

fn packages(metadata: &Value) -> Vec<Package> {
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let uses = |package: &Value| package["dependencies"].as_array().unwrap().iter().map(name).collect();
    metadata["packages"].as_array().unwrap().iter().map(|package| (name(package), uses(package))).collect()
}

/// What a crate may use of the workspace; nothing for a crate that nobody has drawn.
fn below(name: &str) -> Option<Vec<&'static str>> {
    let from = |top: &str| CHAIN.iter().copied().skip_while(|link| *link != top).collect::<Vec<_>>();
    let beside = || BESIDE.iter().map(|(beside, _)| *beside);
    if OUTSIDE.contains(&name) {
        let all = CHAIN.iter().copied().chain(beside()).chain(ABOVE.iter().copied());
        return Some(all.chain(OUTSIDE.iter().copied()).collect());
    }
    if ABOVE.contains(&name) {
        return Some(CHAIN.iter().copied().chain(beside()).collect());
    }
    match BESIDE.iter().find(|(beside, _)| *beside == name) {
        Some((_, highest)) => Some(highest.map(from).unwrap_or_default()),
        None if CHAIN.contains(&name) => Some(from(name).split_off(1)),
        None => None,
    }
}

fn wrong_arrows(packages: &[Package]) -> Vec<String> {
    let mut wrong = vec![];
    for (name, uses) in packages {
        let Some(below) = below(name) else {
            wrong.push(format!("{name} has no place yet: draw it in ARCHITECTURE.md and in architecture.rs"));
            continue;
        };
        let members = uses.iter().filter(|used| packages.iter().any(|(member, _)| member == *used));
        wrong.extend(
            members.filter(|used| !below.contains(&used.as_str())).map(|used| format!("{name} -> {used}")),
        );
    }
    wrong
}

fn borrowed(packages: &[Package]) -> Vec<String> {
    let inside = packages.iter().filter(|(name, _)| !OUTSIDE.contains(&name.as_str()));
    inside
        .flat_map(|(name, uses)| {
            let foreign = OWNED
                .iter()
                .filter(move |(owner, package, _)| owner != name && uses.iter().any(|used| used == package));
            foreign.map(move |(owner, package, why)| format!("{name} -> {package}: it is {owner}'s, {why}"))
        })
        .collect()
}

#[test]
fn every_dependency_between_our_crates_is_drawn() {
    assert_eq!(wrong_arrows(&workspace()), [""; 0]);
}

#[test]
fn only_tenancy_reaches_the_pool_and_only_the_gateway_knows_axum() {
    assert_eq!(borrowed(&workspace()), [""; 0]);
}

#[test]
fn an_arrow_up_or_sideways_and_a_borrowed_package_are_found() {
    let package =
        |name: &str, uses: &[&str]| (name.to_owned(), uses.iter().map(|&used| used.to_owned()).collect());
    let drawn = [
        package("gateway", &["axum", "domain-vow", "assistant", "tenancy"]),
        package("domain-vow", &["domain-collaboration", "domain-crm", "axum"]),
        package("domain-collaboration", &["domain-identity"]),
        package("domain-identity", &["domain-crm", "domain-identity"]),
        package("domain-crm", &["deadpool", "events", "gateway"]),
        package("assistant", &["tenancy"]),
        package("events", &["tenancy", "uuid"]),
        package("tenancy", &["diesel-async", "deadpool", "listing"]),
        package("listing", &["tenancy"]),
        package("tests", &["gateway", "axum"]),
        package("surprise", &[]),
    ];
    let wrong = [
        "domain-vow -> domain-crm",
        "domain-identity -> domain-crm",
        "domain-identity -> domain-identity",
        "domain-crm -> gateway",
        "assistant -> tenancy",
        "tenancy -> listing",
        "surprise has no place yet: draw it in ARCHITECTURE.md and in architecture.rs",
    ];
    assert_eq!(wrong_arrows(&drawn), wrong);
    assert_eq!(
        borrowed(&drawn),
        [
            "domain-vow -> axum: it is gateway's, only the gateway knows HTTP",
            "domain-crm -> deadpool: it is tenancy's, the pool is private to it",
        ]
    );
}
