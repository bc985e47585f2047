// The picture that is searched by: chosen, dropped or pasted.

import { $ } from "./elements.js";

const kept = new Map(); // what history entries of this visit point to: a picture has no address

export let picture = null;

export function keyOf(file) {
  if (!file) return null;
  const key = [...kept].find(([, known]) => known === file)?.[0] ?? Date.now();
  kept.set(key, file);
  return key;
}

export function usePicture(key) {
  URL.revokeObjectURL($("preview").src);
  picture = kept.get(key) ?? null;
  $("chosen").hidden = picture === null;
  $("preview").src = picture ? URL.createObjectURL(picture) : "";
}

// `use(file, alone)`: by the file and the words, or by the file alone; null takes the picture away.
export function watchPictures(use) {
  const dragging = (event, on) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    document.body.classList.toggle("dragging", on);
  };
  $("choose").addEventListener("click", () => $("file").click());
  $("file").addEventListener("change", () => {
    if ($("file").files.length) use($("file").files[0], false);
    $("file").value = "";
  });
  $("remove").addEventListener("click", () => { use(null, false); $("words").focus(); });
  addEventListener("dragover", (event) => dragging(event, true));
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) dragging(event, false); });
  addEventListener("drop", (event) => {
    dragging(event, false);
    if (event.dataTransfer?.files.length) use(event.dataTransfer.files[0], true);
  });
  addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"));
    if (!file) return;
    event.preventDefault();
    use(file, false);
  });
}
