/** Light, dark, or as the system has it. */
export type Theme = "system" | "light" | "dark";

const KEY = "flyball.theme";
const ORDER: Theme[] = ["system", "light", "dark"];
const dark = matchMedia("(prefers-color-scheme: dark)");

class ThemeState {
  chosen = $state<Theme>(stored());
  systemIsDark = $state(dark.matches);

  get isDark(): boolean {
    return this.chosen === "dark" || (this.chosen === "system" && this.systemIsDark);
  }

  next(): void {
    this.chosen = ORDER[(ORDER.indexOf(this.chosen) + 1) % ORDER.length] ?? "system";
    localStorage.setItem(KEY, this.chosen);
    apply(this.chosen);
  }
}

function stored(): Theme {
  const value = localStorage.getItem(KEY);
  return value === "light" || value === "dark" ? value : "system";
}

function apply(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}

export const theme = new ThemeState();
apply(theme.chosen);
dark.addEventListener("change", () => (theme.systemIsDark = dark.matches));
