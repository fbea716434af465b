//! The service worker: the build knows which files there are, and gives it a version that changes with them.

use std::fs;
use std::path::Path;

/// Pages as the build has drawn them are not kept: without a network each address is the page itself, which draws it.
const NOT_BEFOREHAND: [&str; 2] = ["/s/", "/404.html"];

/// Fills in the list of files and the version. `template` is `static/sw.js`.
///
/// # Errors
/// A file that can't be read, a template without its two places.
pub fn worker(site: &Path, template: &str) -> Result<String, String> {
    let mut files = Vec::new();
    list(site, "", &mut files)?;
    files.retain(|name| {
        name != "/sw.js" && !NOT_BEFOREHAND.iter().any(|front| name.starts_with(front))
    });
    files.sort();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for name in &files {
        let path = site.join(name.trim_start_matches('/'));
        let bytes = fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        for byte in name.bytes().chain(bytes) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    // The page itself is kept under the address that stands for all of its addresses.
    let names: Vec<String> = files
        .iter()
        .map(|name| if name == "/index.html" { "/" } else { name })
        .map(|name| format!("{name:?}"))
        .collect();
    if !template.contains("VERSION") || !template.contains("/* FILES */") {
        return Err("static/sw.js: VERSION or /* FILES */ is missing".into());
    }
    Ok(template
        .replacen("VERSION", &format!("{hash:016x}"), 1)
        .replacen("/* FILES */", &names.join(", "), 1))
}

fn list(folder: &Path, front: &str, out: &mut Vec<String>) -> Result<(), String> {
    let cannot = |e: std::io::Error| format!("{}: {e}", folder.display());
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let name = format!("{front}/{}", entry.file_name().to_string_lossy());
        if entry.file_type().map_err(cannot)?.is_dir() {
            list(&entry.path(), &name, out)?;
        } else {
            out.push(name);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_follows_the_files() {
        let site = std::env::temp_dir().join(format!("headroom-offline-{}", std::process::id()));
        fs::create_dir_all(site.join("data/s/rec-x")).expect("a folder");
        fs::create_dir_all(site.join("s")).expect("a folder");
        fs::write(site.join("s/index.html"), "a").expect("a file");
        fs::write(site.join("index.html"), "a").expect("a file");
        fs::write(site.join("data/s/rec-x/t.bin"), "t").expect("a file");
        let template = "const CACHE = 'headroom-VERSION';\nconst FILES = [/* FILES */];";
        let first = worker(&site, template).expect("a worker");
        assert!(
            first.ends_with("const FILES = [\"/data/s/rec-x/t.bin\", \"/\"];"),
            "{first}"
        );
        fs::write(site.join("index.html"), "b").expect("a file");
        let second = worker(&site, template).expect("a worker");
        assert_ne!(first, second);
        assert!(worker(&site, "nothing").is_err());
        fs::remove_dir_all(&site).expect("gone");
    }
}
