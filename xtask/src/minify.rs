//! Takes comments and blanks out of the client's scripts: those that wasm-bindgen writes, and those within the documents.

use std::fs;
use std::path::Path;

use anyhow::{Context, anyhow};
use minifier::js;

use crate::precompress::originals;

pub(crate) fn folder(folder: &Path) -> anyhow::Result<()> {
    for file in originals(folder)? {
        let shorter: fn(&str) -> anyhow::Result<String> = match file.extension().and_then(|ending| ending.to_str()) {
            Some("js") => script,
            Some("html") => document,
            _ => continue,
        };
        let content = fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        fs::write(&file, shorter(&content)?)?;
    }
    Ok(())
}

fn script(script: &str) -> anyhow::Result<String> {
    Ok(js::minify(script).map_err(|why| anyhow!("a script cannot be made shorter: {why}"))?.to_string())
}

/// A document whose inline scripts are shorter.
fn document(document: &str) -> anyhow::Result<String> {
    let mut pieces = document.split("<script");
    let mut shorter = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        shorter.push_str("<script");
        match piece.split_once('>').and_then(|(head, rest)| Some((head, rest.split_once("</script>")?))) {
            Some((head, (inline, rest))) => {
                shorter.extend([head, ">", &script(inline)?, "</script>", rest]);
            }
            None => shorter.push_str(piece),
        }
    }
    Ok(shorter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_inline_scripts_change() {
        let page = "<p>a  // b</p><script src=/a.js></script><script type=module>// Why.\nlet a = 1;\n</script> <p>";
        assert_eq!(
            document(page).expect("scripts"),
            "<p>a  // b</p><script src=/a.js></script><script type=module>let a=1;</script> <p>"
        );
    }

    #[test]
    fn texts_and_patterns_stay() {
        let text = "const a = `x  ${b /* c */}  y`;\nconst c = / \\/ \"  /.test(\"// no comment\");\n";
        let shorter = script(text).expect("a script");
        for kept in ["`x  ${b /* c */}  y`", "/ \\/ \"  /", "\"// no comment\""] {
            assert!(shorter.contains(kept), "{shorter}");
        }
    }
}
