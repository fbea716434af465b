//! `index.html`: what trunk put into it inline becomes files, so that the page's policy can forbid
//! every inline script.

use std::fs;
use std::path::Path;

use headroom_core::scene::svg::escape;

use crate::drawn::Drawn;

/// Moves every inline script of a page into a file beside it.
///
/// # Errors
/// A page that can't be read or written, or whose script has no end.
pub fn without_inline_scripts(site: &Path, page: &str) -> Result<String, String> {
    let mut out = String::with_capacity(page.len());
    let mut rest = page;
    while let Some(start) = rest.find("<script") {
        let (before, script) = rest.split_at(start);
        out.push_str(before);
        let open = script.find('>').ok_or("a <script> has no >")? + 1;
        let close = script.find("</script>").ok_or("a <script> has no end")?;
        let (tag, body) = (&script[..open], &script[open..close]);
        rest = &script[close + "</script>".len()..];
        if tag.contains(" src=") || body.trim().is_empty() {
            out.push_str(&script[..close + "</script>".len()]);
            continue;
        }
        let name = format!("start-{:08x}.js", hash(body.as_bytes()));
        let path = site.join(&name);
        fs::write(&path, body.trim_start()).map_err(|e| format!("{}: {e}", path.display()))?;
        let kind = if tag.contains("type=\"module\"") || tag.contains("type=module") {
            " type=\"module\""
        } else {
            " defer"
        };
        out.push_str(&format!("<script{kind} src=\"/{name}\"></script>"));
    }
    out.push_str(rest);
    Ok(out)
}

/// The script that runs before the first paint. It reads the address for which the page was drawn, and
/// hides the picture at any other: a host may give the start page for an address that has no page. Where it is the
/// address, it asks for the page's data at once.
const THEME: &str = "<script src=\"/theme.js\"></script>";

/// A page of its own: the template with another title, what is loaded beside the module, and what is
/// shown until the module has loaded.
///
/// # Errors
/// A template that lacks the place for one of them.
pub fn with_drawn(template: &str, drawn: &Drawn) -> Result<String, String> {
    let replaced = |text: &str, old: &str, new: &str| {
        // trunk takes the quotes away where a page is made small.
        let bare = old.replace('"', "");
        let old = if text.contains(old) { old } else { &bare };
        match text.matches(old).count() {
            1 => Ok(text.replacen(old, new, 1)),
            count => Err(format!("index.html has {old} {count} times")),
        }
    };
    let title = format!("<title>{}</title>", escape(&drawn.title));
    let body = format!(
        "<div id=\"drawn\">{}</div>\n    <div id=\"app\" hidden></div>",
        drawn.body
    );
    let page = replaced(template, "<title>Headroom</title>", &title)?;
    let meta = format!(
        "<meta name=\"drawn\" content=\"{}\" data-preload=\"{}\">\n    {THEME}",
        escape(&drawn.address),
        escape(&drawn.preload)
    );
    let page = replaced(&page, THEME, &meta)?;
    replaced(&page, "<div id=\"app\"></div>", &body)
}

/// The worker's loader with the options that wasm-bindgen asks for: as trunk writes it, each start of the simulator warns
/// of deprecated parameters.
///
/// # Errors
/// A loader that starts the worker in another way.
pub fn loader_with_options(text: &str) -> Result<String, String> {
    let (front, rest) = text
        .split_once("wasm_bindgen(\"")
        .ok_or("the worker's loader does not call wasm_bindgen with a path")?;
    let (path, behind) = rest
        .split_once("\")")
        .ok_or("the worker's loader names no path")?;
    Ok(format!(
        "{front}wasm_bindgen({{module_or_path:\"{path}\"}}){behind}"
    ))
}

/// FNV-1a: a name that changes with the content.
fn hash(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_was_made_small_has_the_same_places() {
        let drawn = Drawn {
            address: "/s/x".into(),
            title: "t".into(),
            preload: "/p".into(),
            body: "b".into(),
        };
        let template = "<title>Headroom</title><script src=/theme.js></script><div id=app></div>";
        let page = with_drawn(template, &drawn).expect("a page");
        assert!(page.contains("<div id=\"drawn\">b</div>"), "{page}");
        assert!(page.contains("data-preload=\"/p\""), "{page}");
        assert!(with_drawn("<div id=app></div><div id=app></div>", &drawn).is_err());
    }

    #[test]
    fn a_page_gets_its_own_title_and_picture_and_nothing_in_them_is_html() {
        let drawn = Drawn {
            title: "a <b>".into(),
            address: "/s/x".into(),
            preload: "/data/x.bin".into(),
            body: "<main>picture</main>".into(),
        };
        let template = "<head><title>Headroom</title><script src=\"/theme.js\"></script></head><body><div id=\"app\"></div></body>";
        assert_eq!(
            with_drawn(template, &drawn).expect("a page"),
            "<head><title>a &lt;b&gt;</title><meta name=\"drawn\" content=\"/s/x\" data-preload=\"/data/x.bin\">\n    <script src=\"/theme.js\"></script></head>\
             <body><div id=\"drawn\"><main>picture</main></div>\n    <div id=\"app\" hidden></div></body>"
        );
        assert!(with_drawn("<head></head>", &drawn).is_err());
    }

    #[test]
    fn the_loader_names_what_it_gives() {
        let trunk = "importScripts(\"./w.js\");wasm_bindgen(\"./w_bg.wasm\");";
        let want = "importScripts(\"./w.js\");wasm_bindgen({module_or_path:\"./w_bg.wasm\"});";
        assert_eq!(loader_with_options(trunk).as_deref(), Ok(want));
        assert!(loader_with_options(want).is_err());
    }

    #[test]
    fn inline_scripts_become_files_and_others_stay() {
        let site = std::env::temp_dir().join(format!("headroom-page-{}", std::process::id()));
        fs::create_dir_all(&site).expect("a folder");
        let page = "<head><script src=\"/theme.js\"></script><script type=\"module\">\nimport x from '/x.js';</script></head><script>let a = 1 < 2;</script>";
        let out = without_inline_scripts(&site, page).expect("a page");
        assert!(
            out.starts_with(
                "<head><script src=\"/theme.js\"></script><script type=\"module\" src=\"/start-"
            ),
            "{out}"
        );
        assert!(!out.contains("import") && !out.contains("let a"), "{out}");
        let mut written: Vec<String> = fs::read_dir(&site)
            .expect("the folder")
            .map(|entry| fs::read_to_string(entry.expect("an entry").path()).expect("a script"))
            .collect();
        written.sort();
        assert_eq!(written, ["import x from '/x.js';", "let a = 1 < 2;"]);
        assert!(without_inline_scripts(&site, "<script>").is_err());
        fs::remove_dir_all(&site).expect("gone");
    }
}
