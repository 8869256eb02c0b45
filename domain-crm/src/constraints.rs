use tenancy::{
    Constraint,
    ErrorCode::{AlreadyExists, Invalid, NotFound},
};

/// What the constraints of this crate's tables say to a user.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint {
        name: "contacts_external_id_key",
        code: AlreadyExists,
        field: "externalId",
        message: "This id is in use.",
    },
    Constraint {
        name: "products_external_id_key",
        code: AlreadyExists,
        field: "externalId",
        message: "This id is in use.",
    },
    Constraint {
        name: "contacts_company_fk",
        code: NotFound,
        field: "companyId",
        message: "Nothing has this id.",
    },
    Constraint {
        name: "contacts_kind_check",
        code: Invalid,
        field: "kind",
        message: "There is no such kind.",
    },
    Constraint {
        name: "contacts_company_check",
        code: Invalid,
        field: "companyId",
        message: "Only a person belongs to a company.",
    },
    Constraint {
        name: "products_our_cost_check",
        code: Invalid,
        field: "ourCost",
        message: "This must not be below zero.",
    },
    Constraint {
        name: "products_client_price_check",
        code: Invalid,
        field: "clientPrice",
        message: "This must not be below zero.",
    },
];
