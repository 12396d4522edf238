// Scrolls down for `time` milliseconds. Returns the time of each frame, and the most rows that were in the page.
const [time, step, done] = arguments;
const grid = document.querySelector('[role=grid]');
const frames = [];
let rows = 0;
let last = null;
const begin = performance.now();
const frame = now => {
    if (last !== null) {
        frames.push(now - last);
    }
    last = now;
    rows = Math.max(rows, grid.querySelectorAll('[role=row]:has([role=gridcell])').length);
    grid.scrollTop += step;
    if (now - begin < time) {
        requestAnimationFrame(frame);
    } else {
        done({ frames, rows, top: grid.scrollTop });
    }
};
requestAnimationFrame(frame);
