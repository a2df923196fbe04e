// What the reader chose, kept by the browser. Storage may be forbidden; the page then works without a memory.

export function recall(key, allowed) {
  try {
    const value = localStorage.getItem(`tally.${key}`);
    return allowed.includes(value) ? value : null;
  } catch {
    return null;
  }
}

export function remember(key, value) {
  try {
    localStorage.setItem(`tally.${key}`, value);
  } catch {
    // see recall()
  }
}
