// Many small buttons in a text, of which one is a tab stop: arrow keys, Home and End move between them.

export function roving(container: HTMLElement, selector: string): void {
  const all = () => [...container.querySelectorAll<HTMLElement>(selector)];
  container.addEventListener("focusin", (event) => {
    const target = (event.target as HTMLElement).closest<HTMLElement>(selector);
    if (!target) return;
    for (const element of all()) element.tabIndex = element === target ? 0 : -1;
  });
  container.addEventListener("keydown", (event) => {
    const target = (event.target as HTMLElement).closest<HTMLElement>(selector);
    if (!target || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      target.click();
      return;
    }
    const elements = all();
    const at = elements.indexOf(target);
    const steps: Record<string, number> = {
      ArrowRight: at + 1,
      ArrowDown: at + 1,
      ArrowLeft: at - 1,
      ArrowUp: at - 1,
      Home: 0,
      End: elements.length - 1,
    };
    const to = elements[steps[event.key] ?? -1];
    if (event.key in steps) event.preventDefault();
    to?.focus();
  });
}

/** Makes the first of them the tab stop, or keeps the one at the same place. */
export function firstStop(container: HTMLElement, selector: string, kept = 0): void {
  const elements = container.querySelectorAll<HTMLElement>(selector);
  elements.forEach((element, at) => {
    element.tabIndex = at === Math.min(kept, elements.length - 1) ? 0 : -1;
  });
}
