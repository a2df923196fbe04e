// Before anything is painted: the theme that the reader chose, or else the system's. header.js does the rest.
(() => {
  let theme = null;
  try {
    theme = localStorage.getItem('tally.theme');
  } catch {
    // storage may be forbidden
  }
  if (theme !== 'light' && theme !== 'dark') {
    theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  }
  document.documentElement.dataset.theme = theme;
})();
