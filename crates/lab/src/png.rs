//! An SVG as a PNG file: the browser draws it on a canvas, twice as large as it is.

use js_sys::{Array, Promise, Uint8Array};
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, BlobPropertyBag, CanvasRenderingContext2d, HtmlCanvasElement, HtmlImageElement, Url,
};

use crate::browser;

/// How much larger than the SVG the picture is, for screens and slides of today.
const SCALE: f64 = 2.0;
/// Longest side of a canvas that browsers draw on.
const LONGEST: f64 = 16_000.0;

/// Draws an SVG and gives it to the reader as a file.
///
/// # Errors
/// A sentence, when the browser can't draw it.
pub async fn save(name: &str, svg: &str) -> Result<(), String> {
    let bytes = draw(svg)
        .await
        .map_err(|_| "This browser can't draw the picture; the SVG holds the same.".to_owned())?;
    browser::save(name, "image/png", &bytes);
    Ok(())
}

async fn draw(svg: &str) -> Result<Vec<u8>, JsValue> {
    let options = BlobPropertyBag::new();
    options.set_type("image/svg+xml");
    let parts = Array::of1(&JsValue::from_str(svg));
    let blob = Blob::new_with_str_sequence_and_options(&parts, &options)?;
    let address = Url::create_object_url_with_blob(&blob)?;
    let image = HtmlImageElement::new()?;
    image.set_src(&address);
    let decoded = JsFuture::from(image.decode()).await;
    Url::revoke_object_url(&address)?;
    decoded?;
    let (width, height) = (f64::from(image.width()), f64::from(image.height()));
    let scale = SCALE.min(LONGEST / width.max(height).max(1.0));
    let canvas: HtmlCanvasElement = document().create_element("canvas")?.unchecked_into();
    canvas.set_width((width * scale) as u32);
    canvas.set_height((height * scale) as u32);
    let context = canvas
        .get_context("2d")?
        .ok_or(JsValue::NULL)?
        .unchecked_into::<CanvasRenderingContext2d>();
    context.draw_image_with_html_image_element_and_dw_and_dh(
        &image,
        0.0,
        0.0,
        width * scale,
        height * scale,
    )?;
    let blob = JsFuture::from(png_of(&canvas)).await?;
    let blob: Blob = blob.dyn_into()?;
    let buffer = JsFuture::from(blob.array_buffer()).await?;
    Ok(Uint8Array::new(&buffer).to_vec())
}

/// The canvas as a PNG file, when the browser is done with it.
fn png_of(canvas: &HtmlCanvasElement) -> Promise {
    Promise::new(&mut |done, failed| {
        if canvas.to_blob(&done).is_err() {
            let _ = failed.call0(&JsValue::NULL);
        }
    })
}
