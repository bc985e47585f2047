// Data enters the page as text only, never as markup.

import { link } from "./address.js";

export const $ = (id) => document.getElementById(id);

export function element(tag, className, ...content) {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...content.filter((part) => part !== null));
  return made;
}

export function button(className, label, act) {
  const made = element("button", className, label);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

export function pageLink(className, asked, open, ...content) {
  const made = element("a", className, ...content);
  made.href = link(asked);
  made.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab is the browser's matter
    event.preventDefault();
    open(asked);
  });
  return made;
}

// What had the focus keeps it while its part of the page is made anew, and what was typed and not yet sent stays there;
// both are told apart by `data-key`.
export function renew(part, ...content) {
  const key = part.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  const typed = [...part.querySelectorAll("input[type=number]")].filter(({ value, defaultValue }) => value !== defaultValue);
  part.replaceChildren(...content);
  for (const { dataset, value } of typed) Object.assign(keyed(part, dataset.key) ?? {}, { value });
  if (key !== undefined) keyed(part, key)?.focus();
}

const keyed = (part, key) => part.querySelector(`[data-key="${CSS.escape(key)}"]`);
