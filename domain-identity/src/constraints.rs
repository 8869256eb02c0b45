use tenancy::{
    Constraint,
    ErrorCode::{AlreadyExists, Invalid, NotFound},
};

/// What the constraints of this crate's tables say to a user.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint {
        name: "accounts_email_key",
        code: AlreadyExists,
        field: "email",
        message: "There is an account with this e-mail already.",
    },
    Constraint {
        name: "organisations_slug_key",
        code: AlreadyExists,
        field: "slug",
        message: "Another organisation has this short name.",
    },
    Constraint {
        name: "users_account_key",
        code: AlreadyExists,
        field: "email",
        message: "This account is a user of the organisation already.",
    },
    Constraint {
        name: "users_account_fk",
        code: NotFound,
        field: "email",
        message: "There is no such account.",
    },
    Constraint {
        name: "users_roles_check",
        code: Invalid,
        field: "roles",
        message: "There is no such role.",
    },
    Constraint {
        name: "login_sessions_user_fk",
        code: NotFound,
        field: "",
        message: "You are not a user of this organisation any more.",
    },
    Constraint {
        name: "login_sessions_end_reason_check",
        code: Invalid,
        field: "",
        message: "A log-in session cannot end for this reason.",
    },
    Constraint {
        name: "refresh_tokens_login_session_fk",
        code: NotFound,
        field: "refreshToken",
        message: "The log-in session is gone.",
    },
    Constraint {
        name: "refresh_tokens_successor_fk",
        code: NotFound,
        field: "refreshToken",
        message: "There is no such refresh token.",
    },
    Constraint {
        name: "mailed_tokens_account_fk",
        code: NotFound,
        field: "email",
        message: "There is no such account.",
    },
    Constraint {
        name: "mailed_tokens_purpose_check",
        code: Invalid,
        field: "",
        message: "No mail has this purpose.",
    },
    Constraint {
        name: "mailed_tokens_roles_check",
        code: Invalid,
        field: "roles",
        message: "There is no such role.",
    },
    Constraint {
        name: "mailed_tokens_whom_check",
        code: Invalid,
        field: "",
        message: "An invitation names whom it is for, and other mails do not.",
    },
];
