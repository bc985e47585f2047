// The choices beside the results; on a narrow screen they lie over the page until they are closed.

import { $, renew } from "./elements.js";
import { words } from "./words.js";

// The status is not among them: it tells how many the choice finds.
const COVERED = ["open-panel", "sorting", "correction", "chips", "notes", "found", "news"];
const covered = () => [document.querySelector("header"), ...COVERED.map($)];
const isOpen = () => document.body.classList.contains("panel-open");

// Until its groups are known, so that the results beside them do not jump.
export const keepPlace = () => document.body.classList.add("with-panel");

export function showGroups(groups, count, total) {
  document.body.classList.toggle("with-panel", groups.length > 0);
  if (groups.length === 0 && isOpen()) {
    setOpen(false);
    $("status").focus();
  }
  $("open-panel").hidden = groups.length === 0;
  $("chosen-count").textContent = count || "";
  $("show-results").textContent = words.showResults(total);
  renew($("groups"), ...groups);
}

export function watchPanel() {
  $("open-panel").addEventListener("click", () => { setOpen(true); $("close-panel").focus(); });
  for (const id of ["close-panel", "show-results"]) $(id).addEventListener("click", close);
  $("shade").addEventListener("click", close);
  addEventListener("keydown", (event) => { if (event.key === "Escape" && isOpen()) close(); });
  matchMedia("(min-width: 60rem)").addEventListener("change", () => setOpen(false)); // there it is always seen
}

function close() {
  setOpen(false);
  $("open-panel").focus();
}

function setOpen(open) {
  document.body.classList.toggle("panel-open", open);
  $("open-panel").setAttribute("aria-expanded", open);
  for (const part of covered()) part.inert = open;
}
