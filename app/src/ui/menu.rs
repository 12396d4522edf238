//! A button with something below it that opens and closes: a menu, or an explanation. The browser closes it on Escape
//! and on a press elsewhere.

use leptos::ev::MouseEvent;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::Element;

/// The space between the button and what it opens, in pixels.
const GAP: f64 = 6.0;

#[component]
pub fn MenuButton(
    /// The id of what opens.
    id: &'static str,
    /// Of the button.
    class: &'static str,
    /// What the button shows.
    face: AnyView,
    children: Children,
) -> impl IntoView {
    let popover = NodeRef::<html::Div>::new();
    // Its place is known when it opens. Not every browser can place it by itself.
    let place = RwSignal::new([String::new(), String::new(), String::new()]);
    let open = move |event: MouseEvent| {
        let Some(button) = event.current_target().and_then(|button| button.dyn_into::<Element>().ok()) else { return };
        place.set(place_below(&button));
    };
    let close = move |event: MouseEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        // An entry of the menu was chosen.
        if target.is_some_and(|target| target.closest("a").is_ok_and(|link| link.is_some())) {
            let _ = popover.get_untracked().map(|popover| popover.hide_popover());
        }
    };
    let side = move |index: usize| move || place.with(|place| place[index].clone());
    view! {
        <button class=class type="button" popovertarget=id on:click=open>{face}</button>
        <div
            class="menu_popover" id=id popover="auto" node_ref=popover
            style:top=side(0) style:left=side(1) style:right=side(2)
            on:click=close
        >
            {children()}
        </div>
    }
}

/// The distances from the window's top, left and right, as CSS: below `button`, and on its side of the window.
fn place_below(button: &Element) -> [String; 3] {
    let width = f64::from(document().document_element().map_or(0, |root| root.client_width()));
    let rect = button.get_bounding_client_rect();
    let pixels = |length: f64| format!("{length}px");
    let (left, right) = match rect.left() + rect.right() < width {
        true => (pixels(rect.left()), "auto".to_owned()),
        false => ("auto".to_owned(), pixels(width - rect.right())),
    };
    [pixels(rect.bottom() + GAP), left, right]
}
