// Milliseconds from the navigation, and from the request for rows, to the first row; null if it has not appeared.
const { firstRow } = window.__seen;
const asked = performance.getEntriesByType('resource').find(entry => entry.name.includes('/api/admin/log/rows'));
return firstRow !== null && asked ? { navigation: firstRow, request: firstRow - asked.startTime } : null;
