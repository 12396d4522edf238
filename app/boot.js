// Runs before the first paint: what would flash, or be lost, if it waited for the wasm; and what says so if the wasm
// never comes, or stops.
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

  // The search page shows a search, whose results take the place of the big words: they must not move. One that came
  // with a link has no receipt.
  if (history.state) root.dataset.asked = "";
  else if (new URLSearchParams(location.search).get("phrase")) root.dataset.asked = "shared";

  // As Route::is_console says.
  if (/^\/(viewlog|system|audit|jobs(\/\d+)?)\/?$/.test(location.pathname)) root.dataset.frame = "console";

  // The phrase may have several lines, yet Enter submits it, also before the wasm is there. The Enter that ends the
  // composition of a word belongs to the input method; Safari says so only by the key code 229.
  addEventListener("keydown", (event) => {
    const field = event.target;
    const submits = event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229;
    if (submits && field.id === "phrase" && field.form) {
      event.preventDefault();
      field.form.requestSubmit();
    }
  });

  // The skip link moves the focus, and leaves the address alone: its fragment may be a setup link's token.
  addEventListener("click", (event) => {
    const opensElsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    if (!opensElsewhere && event.target.closest?.(".skip_link")) {
      event.preventDefault();
      document.getElementById("main").focus();
    }
  });

  const form = () => document.querySelector(".search_form");
  let state = "loading";

  // A search that is submitted early waits for the wasm. Without it, the server answers the form with a page.
  addEventListener(
    "submit",
    (event) => {
      if (state === "loading" && event.target === form()) {
        event.preventDefault();
        root.dataset.submitted = "";
      }
    },
    true,
  );
  addEventListener("TrunkApplicationStarted", () => {
    state = "started";
    remember("reloaded", null);
  });

  const fail = (text) => {
    if (state === "failed") return;
    const isSearch = state === "loading" && form() && root.dataset.preview !== "shell";
    state = "failed";
    if (isSearch) {
      const query = new URLSearchParams(location.search);
      for (const field of form().elements) {
        if (query.has(field.name) && field.value === field.defaultValue) field.value = query.get(field.name);
      }
      text += " The search works without it.";
      root.dataset.plain = "";
      if ("submitted" in root.dataset) return form().submit();
    }
    const notice = document.createElement("div");
    notice.className = "notice boot_notice";
    notice.dataset.tone = "error";
    notice.setAttribute("role", "alert");
    notice.append(Object.assign(document.createElement("p"), { textContent: text }));
    // One reload may help, for instance after an update of the server. A second one will not.
    if (remember("reloaded") === null) {
      const reload = document.createElement("button");
      reload.className = "button";
      reload.textContent = "Reload";
      reload.onclick = () => {
        remember("reloaded", "yes");
        location.reload();
      };
      notice.append(reload);
    }
    (document.getElementById("main") ?? document.body).prepend(notice);
  };

  // Reads a value that outlives a reload, or writes it; null removes it.
  function remember(name, value) {
    try {
      if (value === undefined) return sessionStorage.getItem(name);
      value === null ? sessionStorage.removeItem(name) : sessionStorage.setItem(name, value);
    } catch {
      // Without storage the button is shown each time.
    }
    return null;
  }

  const broken = (error) => {
    if (state === "started") {
      // Only the wasm's own errors: those of extensions stop nothing of ours.
      if (globalThis.WebAssembly && error instanceof WebAssembly.RuntimeError) {
        fail("This page has stopped, because its program has failed. Reload it to go on. What was recorded is safe.");
      }
    } else if (!globalThis.WebAssembly) {
      fail("This page needs WebAssembly, which is off in this browser. Allow it for this site, and reload the page.");
    } else {
      fail("The program of this page could not be loaded: it is blocked, or the server was updated just now.");
    }
  };
  addEventListener("unhandledrejection", (event) => broken(event.reason));
  // A module that does not load is told so itself, so the event is caught on its way. Others' scripts do not count.
  const isOurs = ({ target, filename }) => target.type === "module" || filename?.startsWith(location.origin);
  addEventListener("error", (event) => isOurs(event) && broken(event.error), true);
  setTimeout(() => state === "loading" && fail("The program of this page is still loading."), 15_000);
})();
