// Runs before any script of the page: notes when the first row was painted, and all memory of WebAssembly.
(() => {
    const seen = { firstRow: null, memories: [] };
    Object.defineProperty(window, '__seen', { value: seen });
    const look = () => {
        if (document.querySelector('[role=grid] [role=gridcell]')) {
            // The frame that this callback belongs to is painted before the next task.
            setTimeout(() => { seen.firstRow = performance.now(); });
        } else {
            requestAnimationFrame(look);
        }
    };
    requestAnimationFrame(look);
    for (const name of ['instantiate', 'instantiateStreaming']) {
        const original = WebAssembly[name];
        WebAssembly[name] = async (...given) => {
            const made = await original.apply(WebAssembly, given);
            for (const item of Object.values((made.instance ?? made).exports)) {
                if (item instanceof WebAssembly.Memory) {
                    seen.memories.push(item);
                }
            }
            return made;
        };
    }
})();
