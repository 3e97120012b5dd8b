//! The demo: what a newcomer runs first is what the README says.

use std::process::Command;

#[test]
fn the_demo_tells_every_decided_case_and_rebuilds_it_from_the_log() {
    let output = Command::new(tests::binary()).arg("demo").output().expect("the tool runs");
    let (said, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{errors}");
    for told in ["GC01", "Maximilian"] {
        assert!(said.contains(told), "{told} is not in\n{said}{errors}");
    }
}
