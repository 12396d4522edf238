//! `--save`.

use std::os::unix::fs::symlink;

use api::COUNTRIES;

use crate::command::Lab;

#[tokio::test]
async fn the_stored_flags_are_those_of_the_lab() {
    let lab = Lab::new();
    let ended = lab.run(&["flags", "--style", "async", "--latency", "10ms", "--save", "new/flags"]).await;
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:?}");
    let folder = lab.folder().join("new/flags");
    for code in COUNTRIES.map(str::to_lowercase) {
        let saved = std::fs::read_to_string(folder.join(format!("{code}.svg"))).expect(&code);
        assert_eq!(Some(&*saved), lab::flag(&code));
    }
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), COUNTRIES.len(), "and nothing else");
}

#[tokio::test]
async fn a_link_is_replaced_and_not_followed() {
    let lab = Lab::new();
    let precious = lab.folder().join("precious");
    std::fs::write(&precious, "mine").unwrap();
    symlink(&precious, lab.folder().join("br.svg")).unwrap();
    lab.run(&["flags", "BR", "--latency", "10ms", "--save", "."]).await;
    assert_eq!(std::fs::read_to_string(precious).unwrap(), "mine");
    assert_eq!(std::fs::read_to_string(lab.folder().join("br.svg")).ok().as_deref(), lab::flag("br"));
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_an_error() {
    let lab = Lab::new();
    std::fs::write(lab.folder().join("file"), "").unwrap();
    let ended = lab.run(&["flags", "BR", "--latency", "10ms", "--save", "file"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("file") && ended.err.contains("--save"), "{ended:?}");
}
