// Follows an address of this page like a link, and waits until a row is visible; with `alone`, until it is the only row.
// Returns the time in milliseconds, or null if the row does not appear in time.
const [url, row, alone, patience, done] = arguments;
const isThere = () => {
    const element = document.getElementById('log-row-' + row);
    const grid = document.querySelector('[role=grid]');
    if (!element || !grid) {
        return false;
    }
    const [place, frame] = [element.getBoundingClientRect(), grid.getBoundingClientRect()];
    const isAlone = document.querySelectorAll('[id^=log-row-]').length === 1;
    return place.bottom > frame.top && place.top < frame.bottom && (isAlone || !alone);
};
const begin = performance.now();
history.pushState(null, '', url);
dispatchEvent(new PopStateEvent('popstate'));
const look = () => {
    if (isThere()) {
        setTimeout(() => done(performance.now() - begin));
    } else if (performance.now() - begin > patience) {
        done(null);
    } else {
        requestAnimationFrame(look);
    }
};
requestAnimationFrame(look);
