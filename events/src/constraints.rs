use tenancy::{
    Constraint,
    ErrorCode::{Invalid, NotFound},
};

/// The user errors for the constraints of this crate's tables.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint {
        name: "webhook_secrets_endpoint_fk",
        code: NotFound,
        field: "id",
        message: "Nothing has this id.",
    },
    Constraint {
        name: "webhook_deliveries_endpoint_fk",
        code: NotFound,
        field: "endpointId",
        message: "Nothing has this id.",
    },
    Constraint {
        name: "webhook_deliveries_state_check",
        code: Invalid,
        field: "state",
        message: "There is no such state.",
    },
    Constraint {
        name: "dead_letters_state_check",
        code: Invalid,
        field: "state",
        message: "There is no such state.",
    },
];
