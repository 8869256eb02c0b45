//! Requests that try to cost much: the work that they cause is counted, in allocations, which are
//! the same on every machine. Their time is measured by `cargo run --release -p bench -- requests`.

use tests::hostile;

/// The most allocations before a request is executed or refused. The most expensive one of those
/// within the limits takes half of it (measured); its time is 50 ms.
const MOST: u64 = 2_000_000;

#[test]
fn no_request_causes_much_work_before_it_is_executed_or_refused() {
    let model = gateway::model().unwrap();
    let mut most = (0, "");
    for request in hostile::requests() {
        let body = request.body();
        let allocations =
            allocation_counter::measure(|| drop(request::prepare(&model, body.as_bytes()))).count_total;
        most = most.max((allocations, request.name));
        assert!(allocations < MOST, "{}: {allocations} allocations", request.name);
    }
    eprintln!("most: {most:?}");
}
