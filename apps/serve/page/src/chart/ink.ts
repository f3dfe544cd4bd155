// Colours of charts, light and dark. Series are told apart without colour vision too (contrast to the ground at least 3:1, and to each other in lightness).
export interface Ink {
  text: string;
  muted: string;
  rule: string;
  faint: string;
  ground: string;
  series: string[];
  out: string;
}

const light: Ink = {
  text: "#1d2a30", muted: "#586871", rule: "#e7e4dc", faint: "#b9bfbf", ground: "#ffffff",
  series: ["#0b7a84", "#c2571a", "#4658ad", "#8f3f7c", "#5f6f17", "#7a5230", "#2f6f4f", "#a3334a"], out: "#a8adad",
};
const dark: Ink = {
  text: "#e4ebec", muted: "#9db0b6", rule: "#263439", faint: "#4d5f66", ground: "#162126",
  series: ["#5ac8c8", "#f2a36b", "#9fb0fa", "#e09fd0", "#c2cf6a", "#d3a983", "#7fcfa4", "#f08fa2"], out: "#617279",
};

export const inkOf = (isDark: boolean): Ink => (isDark ? dark : light);
/** Single quotes: these names go into attributes of saved SVG files as they are. */
export const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', sans-serif";
