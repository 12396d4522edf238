// Scrolls down by `screens` half screens, and returns the numbers of all rows that appeared.
const [screens, fromTop, done] = arguments;
const grid = document.querySelector('[role=grid]');
const seen = new Set();
if (fromTop) {
    grid.scrollTop = 0;
}
let left = screens;
const step = () => {
    for (const row of document.querySelectorAll('[id^=log-row-]')) {
        seen.add(Number(row.id.slice('log-row-'.length)));
    }
    if (left === 0) {
        return done([...seen]);
    }
    left -= 1;
    grid.scrollTop += grid.clientHeight / 2;
    // The page draws in the next frame; its rows are in the document one frame later.
    requestAnimationFrame(() => requestAnimationFrame(step));
};
requestAnimationFrame(() => requestAnimationFrame(step));
