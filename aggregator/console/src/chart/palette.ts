/** Line colours that stay apart on paper and on black, and for most colour-blind eyes. */
const LIGHT = ["#1c6c5d", "#c2571a", "#3b62b5", "#9b3d85", "#8a7a00", "#2f8f3e", "#ad2219", "#54636b", "#7a5230", "#0f86a3", "#6a4fc0", "#a34a5e"];
const DARK = ["#5fc4ae", "#f09a5b", "#86a8f5", "#dd8fcb", "#d4c04a", "#7dcf86", "#f58a7e", "#a9b7bf", "#c9a07a", "#5cc3e0", "#a992f0", "#e596a7"];

export interface Inks {
  lines: readonly string[];
  axis: string;
  grid: string;
  gap: string;
  /** Of the chart's ground, around words that lie over lines. */
  halo: string;
  warning: string;
  limit: string;
  trip: string;
}

export function inks(dark: boolean): Inks {
  return dark
    ? { lines: DARK, axis: "#98a29d", grid: "#252b29", gap: "#98a29d", halo: "#171b1a", warning: "#e3aa4c", limit: "#f09a5b", trip: "#f58a7e" }
    : { lines: LIGHT, axis: "#5d6561", grid: "#ebebe5", gap: "#7d8682", halo: "#ffffff", warning: "#b57a10", limit: "#c2571a", trip: "#ad2219" };
}

export function lineColour(colours: Inks, index: number): string {
  return colours.lines[index % colours.lines.length] as string;
}
