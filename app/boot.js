// Runs before the first paint: what would flash or be lost if it waited for the wasm.
(() => {
  const root = document.documentElement;
  let theme = null;
  try {
    theme = localStorage.getItem("theme");
  } catch {
    // Storage is forbidden here: the system's theme it is.
  }
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;

  // index.html has the entry form painted; on other pages it would flash.
  if (!/^\/(entry\/?)?$/.test(location.pathname)) root.dataset.painted = "shell";

  // The phrase's field takes several lines, yet Enter submits, with the wasm or before it.
  addEventListener("keydown", (event) => {
    const field = event.target;
    const submits = event.key === "Enter" && !event.shiftKey && !event.isComposing;
    if (submits && field.id === "phrase" && field.form) {
      event.preventDefault();
      field.form.requestSubmit();
    }
  });
})();
