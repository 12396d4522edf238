// What others do to the page: translators and extensions replace its texts, password managers and extensions fill its
// fields. The wasm would go on with texts that are no longer in the page, and would not know what is in the fields.
(() => {
  // For a text node that was replaced: what stands in its place. Before the wasm uses the node, it returns to its place.
  const standIns = new WeakMap();
  new MutationObserver((records) => {
    const added = new Set(records.flatMap((record) => [...record.addedNodes]));
    for (const { removedNodes, addedNodes, previousSibling, nextSibling } of records) {
      for (const node of removedNodes) {
        if (node.nodeType !== Node.TEXT_NODE || node.isConnected) continue;
        const standIn = addedNodes[0] ?? [previousSibling, nextSibling].find((sibling) => added.has(sibling));
        if (standIn?.nodeType === Node.ELEMENT_NODE) standIns.set(node, standIn);
      }
    }
  }).observe(document, { childList: true, subtree: true });

  const reinstate = (node) => {
    const standIn = standIns.get(node);
    if (!standIn) return;
    standIns.delete(node);
    if (standIn.isConnected && !node.isConnected) standIn.replaceWith(node);
  };
  // Everything that leptos calls with a text node.
  const guard = (prototype, name, kind, node) => {
    const property = Object.getOwnPropertyDescriptor(prototype, name);
    const original = property[kind];
    property[kind] = function (...values) {
      reinstate(node === undefined ? this : values[node]);
      return original.apply(this, values);
    };
    Object.defineProperty(prototype, name, property);
  };
  guard(Node.prototype, "nodeValue", "set");
  guard(Node.prototype, "parentNode", "get");
  guard(Node.prototype, "insertBefore", "value", 1);
  guard(CharacterData.prototype, "remove", "value");

  // The value of each field as its last input event has told it. If it differs, the event is made up for.
  const told = new WeakMap();
  const tell = (field) => {
    const isTyped = /^(INPUT|TEXTAREA)$/.test(field.tagName) && !/^(radio|checkbox)$/.test(field.type);
    if (isTyped && told.get(field) !== field.value) field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  };
  const tellAll = (event) => [...event.target.elements].forEach(tell);
  addEventListener("input", ({ target }) => told.set(target, target.value), true);
  addEventListener("change", ({ target }) => tell(target), true);
  addEventListener("submit", tellAll, true);
  addEventListener("reset", (event) => setTimeout(tellAll, 0, event), true);
})();
