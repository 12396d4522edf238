// What others and browsers do to the page: translators and extensions replace, split and join its texts, password managers and
// extensions fill its fields. The wasm would go on with texts that are no longer in the page, or only in part, and would
// not know what is in the fields.
(() => {
  // For each of the wasm's text nodes: what it has written into it.
  const texts = new WeakMap();
  // For a text node that was replaced or wrapped: what stands in its place. Before the wasm uses the node, it returns.
  const standIns = new WeakMap();
  // For a text node that was joined to the one before it, or removed because it was empty: where it was. And the reverse.
  const places = new WeakMap();
  const joined = new WeakMap();
  new MutationObserver((records) => {
    const added = new Set(records.flatMap((record) => [...record.addedNodes]));
    for (const { target, removedNodes, addedNodes, previousSibling, nextSibling } of records) {
      for (const node of removedNodes) {
        if (node.nodeType !== Node.TEXT_NODE) continue;
        const standIn = node.isConnected
          ? added.has(node.parentNode) && node.parentNode !== target && node.parentNode
          : addedNodes[0] ?? [previousSibling, nextSibling].find((sibling) => added.has(sibling));
        if (standIn?.nodeType === Node.ELEMENT_NODE) {
          standIns.set(node, standIn);
        } else if (!node.isConnected && texts.has(node)) {
          places.set(node, { target, previousSibling, nextSibling });
          if (previousSibling?.nodeType === Node.TEXT_NODE) {
            joined.set(previousSibling, (joined.get(previousSibling) ?? new Set()).add(node));
          }
        }
      }
    }
  }).observe(document, { childList: true, subtree: true });

  const isLost = (node) => !node.isConnected && texts.has(node);
  const isOurs = (node) => texts.has(node) || [...node.childNodes].some(isOurs);

  const reinstate = (node) => {
    if (!node) return;
    const standIn = standIns.get(node);
    if (standIn) {
      standIns.delete(node);
      if (standIn.isConnected && (!node.isConnected || standIn.contains(node))) standIn.replaceWith(node);
    }
    const place = places.get(node);
    if (place && !node.isConnected) {
      const { target, previousSibling, nextSibling } = place;
      places.delete(node);
      if (previousSibling?.nodeType === Node.TEXT_NODE) reinstate(previousSibling);
      if (node.isConnected) return;
      if (previousSibling?.parentNode === target) previousSibling.after(node);
      else if (nextSibling?.parentNode === target) target.insertBefore(node, nextSibling);
    }
    const text = texts.get(node);
    if (node.data === text) return;
    const followers = [...(joined.get(node) ?? [])].filter(isLost);
    joined.delete(node);
    const tail = followers.map((follower) => texts.get(follower)).join("");
    if (tail && node.data.endsWith(tail)) {
      node.data = node.data.slice(0, -tail.length);
      node.after(...followers);
    } else if (text?.startsWith(node.data)) {
      // The text was split: the rest of it follows, in nodes or elements of others.
      let rest = text.slice(node.data.length);
      for (let piece; (piece = node.nextSibling) && !isOurs(piece); ) {
        const part = piece.textContent;
        if (!part || !rest.startsWith(part)) break;
        rest = rest.slice(part.length);
        piece.remove();
        node.data += part;
      }
    }
  };

  // Everything that leptos calls with a text node.
  const guard = (prototype, name, kind, node, after) => {
    const property = Object.getOwnPropertyDescriptor(prototype, name);
    const original = property[kind];
    property[kind] = function (...values) {
      reinstate(node === undefined ? this : values[node]);
      const result = original.apply(this, values);
      after?.(this, values[0], result);
      return result;
    };
    Object.defineProperty(prototype, name, property);
  };
  guard(Node.prototype, "nodeValue", "set", undefined, (node, text) => texts.set(node, text ?? ""));
  guard(Node.prototype, "parentNode", "get");
  guard(Node.prototype, "insertBefore", "value", 1);
  guard(CharacterData.prototype, "remove", "value", undefined, (node) => texts.delete(node));
  guard(Document.prototype, "createTextNode", "value", undefined, (_, text, node) => texts.set(node, text));

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

  // WebKit resets the fields without completion when it shows a page again that it has kept. So what they are reset to is
  // what is in them.
  addEventListener("pagehide", ({ persisted }) => {
    if (!persisted) return;
    const fields = document.querySelectorAll("textarea, input:not([type=password], [type=radio], [type=checkbox])");
    for (const field of fields) field.defaultValue = field.value;
  });

  // WebKit does not show the focus that arrow keys have moved among radio buttons.
  addEventListener("keydown", ({ target, key }) => {
    if (target.type !== "radio" || !key.startsWith("Arrow")) return;
    setTimeout(() => {
      const moved = document.activeElement;
      if (moved === target || moved.matches(":focus-visible")) return;
      moved.blur();
      moved.focus();
    });
  });
})();
