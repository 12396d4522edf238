// Runs before the first paint: what would flash, or be lost, if it waited for the wasm.
(() => {
  const root = document.documentElement;
  let theme = null;
  try {
    theme = localStorage.getItem("theme");
  } catch {
    // Without storage the system's theme applies.
  }
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;

  // index.html shows the search form; on other pages it would flash.
  if (!/^\/(entry\/?)?$/.test(location.pathname)) root.dataset.preview = "shell";

  // The phrase may have several lines, yet Enter submits it, also before the wasm is there.
  addEventListener("keydown", (event) => {
    const field = event.target;
    const submits = event.key === "Enter" && !event.shiftKey && !event.isComposing;
    if (submits && field.id === "phrase" && field.form) {
      event.preventDefault();
      field.form.requestSubmit();
    }
  });
})();
