// Light, dark, or as the system has it. The choice is a cookie, so that the server sends the next page in it at once.
const NAMES = { "": "Theme: system", light: "Theme: light", dark: "Theme: dark" };
const NEXT = { "": "dark", dark: "light", light: "" };

export function startTheme() {
  const button = document.querySelector("[data-theme-switch]");
  if (!button) return;
  const root = document.documentElement;
  const say = () => { button.textContent = NAMES[root.dataset.theme ?? ""]; };
  button.hidden = false;
  say();
  button.addEventListener("click", () => {
    const chosen = NEXT[root.dataset.theme ?? ""];
    if (chosen) root.dataset.theme = chosen;
    else delete root.dataset.theme;
    document.cookie = `tallystick-theme=${chosen};path=/;max-age=${chosen ? 31536000 : 0};samesite=lax`;
    say();
  });
}
