// What the style sheet says about colours and sizes, for what is drawn.

export function readLook(scale = 1) {
  const css = getComputedStyle(document.documentElement);
  const family = getComputedStyle(document.body).fontFamily;
  const rem = parseFloat(css.fontSize) * scale;
  const colour = (name) => css.getPropertyValue(name).trim();
  return {
    rem,
    family,
    font: `${0.8125 * rem}px ${family}`,
    stroke: Math.max(1, rem / 18),    // lines grow with the letters, for those who look from afar
    colour,
    paper: colour('--paper'),
    ink: colour('--ink'),
    quiet: colour('--quiet'),
    rule: colour('--rule'),
    grid: colour('--grid'),
    shade: colour('--shade'),
  };
}
