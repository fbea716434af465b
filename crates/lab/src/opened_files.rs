//! The files that were opened stay over a reload: an address cannot hold them. They are kept in the browser's cache, where a
//! large one has room too, and go nowhere. A browser that keeps nothing (a sandboxed frame, no storage) is fine.

use headroom_web::platform;
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

/// Name of the cache. The service worker throws away what begins with `headroom-`, with each new version.
const CACHE: &str = "opened";
const KEY: &str = "/opened-files";
/// Where it is kept at which step one was.
const STEP: &str = "opened";
/// Between names and texts; JSON has it as an escape alone (RFC 8259, 7).
const JOINT: char = '\0';

#[wasm_bindgen]
extern "C" {
    type Cache;
    #[wasm_bindgen(js_namespace = caches, js_name = open, catch)]
    fn open_cache(name: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(js_namespace = caches, js_name = delete, catch)]
    fn delete_cache(name: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn put(this: &Cache, key: &str, response: &Response) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, js_name = match, catch)]
    fn find(this: &Cache, key: &str) -> Result<Promise, JsValue>;
}

/// A file: name and text.
pub type File = (String, String);

/// Keeps files in place of those before.
///
/// # Errors
/// The browser keeps none.
pub async fn keep(files: &[File]) -> Result<(), JsValue> {
    let parts: Vec<&str> = files
        .iter()
        .flat_map(|(name, text)| [name.as_str(), text.as_str()])
        .collect();
    let body = parts.join(&JOINT.to_string());
    let response = Response::new_with_opt_str(Some(&body))?;
    let kept = cache().await?.put(KEY, &response)?;
    JsFuture::from(kept).await.map(drop)
}

/// The files that were kept.
pub async fn kept() -> Vec<File> {
    let text = text().await.ok().flatten().unwrap_or_default();
    let parts: Vec<&str> = text.split(JOINT).collect();
    let pair = |pair: &[&str]| match pair {
        [name, text] => Some(((*name).to_owned(), (*text).to_owned())),
        _ => None,
    };
    parts.chunks(2).filter_map(pair).collect()
}

async fn cache() -> Result<Cache, JsValue> {
    let cache = JsFuture::from(open_cache(CACHE)?).await?;
    Ok(cache.unchecked_into())
}

async fn text() -> Result<Option<String>, JsValue> {
    let found = JsFuture::from(cache().await?.find(KEY)?).await?;
    let Ok(response) = found.dyn_into::<Response>() else {
        return Ok(None);
    };
    let text = JsFuture::from(response.text()?).await?;
    Ok(text.as_string())
}

/// Keeps at which step one was, as an address, or forgets it.
pub fn keep_step(address: Option<&str>) {
    platform::store(STEP, address);
}

/// The step that was kept.
pub fn kept_step() -> Option<String> {
    platform::stored(STEP)
}

/// Forgets all of it.
pub async fn forget() {
    keep_step(None);
    if let Ok(gone) = delete_cache(CACHE) {
        let _ = JsFuture::from(gone).await;
    }
}
