use async_graphql::Enum;

/// The state of a delivery.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(name = "WebhookDeliveryState")]
pub enum DeliveryState {
    /// Waiting for the first attempt, for a retry, or for the delivery of an earlier event of the same
    /// entity.
    Pending,
    /// The endpoint accepted it.
    Delivered,
    /// All attempts failed, or the endpoint was disabled or deleted.
    Failed,
}

impl DeliveryState {
    pub(super) const PENDING: &'static str = "PENDING";
    pub(super) const DELIVERED: &'static str = "DELIVERED";
    pub(super) const FAILED: &'static str = "FAILED";
}
