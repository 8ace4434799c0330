// Buttons that copy: a text as it is, or this page's address with its relative times made absolute.
export function startCopy(root = document) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("[data-copy], [data-copy-link]")) {
    if (!button.hidden) continue;
    button.hidden = false;
    const label = button.textContent;
    button.addEventListener("click", async () => {
      const link = button.dataset.copyLink;
      await navigator.clipboard.writeText(link === undefined ? button.dataset.copy : new URL(link, location.href).href);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = label; }, 1500);
    });
  }
}
