//! What happens to a GraphQL request before it is executed, and to its answer afterwards.
//!
//! [`Parameters`] reads the body of a request. [`Document::parse`] refuses a document that is too
//! large or not valid for the schema ([`Model`]) and compiles each of its operations.
//! [`Operation::prepare`] coerces the variables, evaluates `@skip` and `@include`, and hands the
//! execution library a document that holds nothing but what it has to execute.
//! [`AnswerPlan::complete`] gives the answer the shape that the GraphQL specification asks for.
//!
//! Nothing here reads a database, waits or knows HTTP, and every step is bounded by a [`Limit`].

mod coerce;
mod convert;
mod cost;
mod document;
mod executable;
mod limit;
mod literal;
mod model;
mod operation;
mod parameters;
mod plan;
mod position;
mod problems;
mod refusal;
mod size;
mod suggestion;
mod survey;
mod tokens;
mod validation;
mod value;
mod variable;

pub use self::{
    document::{Document, prepare},
    limit::{Exceeded, LIMITS, Limit},
    model::{Model, Settings, Shape},
    operation::{Operation, Prepared},
    parameters::Parameters,
    plan::AnswerPlan,
    refusal::{Problem, Refused},
    value::value_of_json,
};

#[cfg(test)]
mod tests;
