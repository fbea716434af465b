//! Scripts without what only their readers need: indentation, empty lines, lines that are a comment. What wasm-bindgen
//! writes is made small by nobody else (trunk's own tool does not know `export { … as default }`).

use std::fs;
use std::path::Path;

/// A script without them. Lines stay lines, so that nothing that ends with its line changes; a text that goes over
/// several lines (between back-quotes) stays as it is.
#[must_use]
pub fn small(script: &str) -> String {
    let mut out = String::with_capacity(script.len());
    let (mut comment, mut text) = (false, false);
    for line in script.lines() {
        let bare = line.trim();
        if text {
            out.push_str(line);
        } else if comment || bare.starts_with("/*") {
            let end = bare.find("*/");
            comment = end.is_none();
            // Code behind a comment stays with it.
            let only = end.is_none_or(|end| end + 2 == bare.len());
            if only {
                continue;
            }
            out.push_str(bare);
        } else if bare.is_empty() || bare.starts_with("//") {
            continue;
        } else {
            out.push_str(bare);
        }
        out.push('\n');
        text ^= line.matches('`').count() % 2 == 1;
    }
    out
}

/// Makes the scripts of the first load small, in place.
///
/// # Errors
/// A file that can't be read or written.
pub fn scripts(site: &Path) -> Result<(), String> {
    let first = |name: &str| {
        name == "habits.js"
            || name == "theme.js"
            || (name.starts_with("headroom-web-") && name.ends_with(".js"))
    };
    for entry in fs::read_dir(site).map_err(|e| format!("{}: {e}", site.display()))? {
        let path = entry.map_err(|e| e.to_string())?.path();
        let name = path.file_name().map(|name| name.to_string_lossy());
        if name.is_some_and(|name| first(&name)) {
            let cannot = |e| format!("{}: {e}", path.display());
            let script = fs::read_to_string(&path).map_err(cannot)?;
            fs::write(&path, small(&script)).map_err(cannot)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::small;

    #[test]
    fn comments_and_indentation_go_and_code_stays() {
        let script = "// a\n/**\n * b\n */\nfunction f() {\n    // c\n    return 2\n      * 3;\n\n}\n/* d */ f();\n";
        assert_eq!(
            small(script),
            "function f() {\nreturn 2\n* 3;\n}\n/* d */ f();\n"
        );
    }

    #[test]
    fn a_text_of_several_lines_stays() {
        let script = "const a = `x\n  // no comment\n  y`;\n  b();\n";
        assert_eq!(
            small(script),
            "const a = `x\n  // no comment\n  y`;\nb();\n"
        );
    }
}
