//! Lets every browser use the wasm that a document has preloaded.
//!
//! Trunk's link preloads it as for a request between origins. WebKit does not hand that to the request of Trunk's script,
//! and loads it twice. All browsers hand it on if both are requests within the origin.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};

use crate::precompress::originals;

/// As in the documents that are already minified.
const LINK: &str = "<link as=fetch crossorigin href=";
const SCRIPT: &str = "init({module_or_path:'";

pub(crate) fn folder(folder: &Path) -> anyhow::Result<()> {
    for file in originals(folder)?.into_iter().filter(|file| file.extension().is_some_and(|ending| ending == "html")) {
        let name = || format!("the preload in {}", file.display());
        let document = fs::read_to_string(&file).with_context(name)?;
        fs::write(&file, within_the_origin(&document).with_context(name)?)?;
    }
    Ok(())
}

fn within_the_origin(document: &str) -> anyhow::Result<String> {
    ensure!(document.matches(LINK).count() == 1, "Trunk writes another link than `{LINK}`");
    let (before, rest) =
        document.split_once(SCRIPT).with_context(|| format!("Trunk writes no script with `{SCRIPT}`"))?;
    let (path, after) = rest.split_once('\'').context("the path has no end")?;
    let request = format!("init({{module_or_path:fetch('{path}',{{mode:'no-cors',credentials:'include'}})");
    Ok(format!("{before}{request}{after}").replace(LINK, "<link as=fetch href="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_requests_are_within_the_origin() {
        let page = "<script type=module>const wasm=await init({module_or_path:'/a.wasm'});b('c');</script>\
                    <link crossorigin href=/a.js rel=modulepreload>\
                    <link as=fetch crossorigin href=/a.wasm rel=preload type=application/wasm>";
        assert_eq!(
            within_the_origin(page).expect("a document as Trunk writes it"),
            "<script type=module>const wasm=await init({module_or_path:\
             fetch('/a.wasm',{mode:'no-cors',credentials:'include'})});b('c');</script>\
             <link crossorigin href=/a.js rel=modulepreload>\
             <link as=fetch href=/a.wasm rel=preload type=application/wasm>"
        );
        within_the_origin("<link as=fetch crossorigin href=/a.wasm>").expect_err("no script");
    }
}
