// Three panes next to each other, or, on a small screen, one at a time with tabs.

import { byId } from "./dom";

const NAMES = ["raw", "table", "event"] as const;
export type PaneName = (typeof NAMES)[number];

const small = matchMedia("(max-width: 999px)");
let shown: PaneName = "raw";

/** Shows a pane, where only one is shown. */
export function showPane(name: PaneName): void {
  shown = name;
  lay();
}

export function setUpPanes(): void {
  for (const name of NAMES) {
    const tab = byId(`${name}-tab`);
    tab.addEventListener("click", () => showPane(name));
    tab.addEventListener("keydown", (event) => {
      const at = NAMES.indexOf(name);
      const to = { ArrowRight: at + 1, ArrowLeft: at + NAMES.length - 1, Home: 0, End: NAMES.length - 1 }[event.key];
      const next = to === undefined ? undefined : NAMES[to % NAMES.length];
      if (!next) return;
      event.preventDefault();
      showPane(next);
      byId(`${next}-tab`).focus();
    });
  }
  small.addEventListener("change", lay);
  lay();
}

function lay(): void {
  for (const name of NAMES) {
    const [tab, pane] = [byId(`${name}-tab`), byId(`${name}-pane`)];
    const isShown = name === shown;
    tab.setAttribute("aria-selected", String(isShown));
    tab.tabIndex = isShown ? 0 : -1;
    pane.classList.toggle("shown", isShown);
    if (small.matches) pane.setAttribute("role", "tabpanel");
    else pane.removeAttribute("role");
  }
}
