// Names for this browser that say nothing of who uses it; they last as long as storage lets them, or as the page.

const kept = {};

export const client = () => named("client", () => localStorage);
export const session = () => named("session", () => sessionStorage); // ends when the tab is closed

export function renewNames() {
  for (const [name, storage] of [["client", () => localStorage], ["session", () => sessionStorage]]) {
    delete kept[name];
    try {
      storage().removeItem(name);
    } catch { /* then it was never there */ }
  }
}

function named(name, storage) {
  try {
    kept[name] = storage().getItem(name) ?? kept[name] ?? random();
    storage().setItem(name, kept[name]);
  } catch { // storage may be switched off
    kept[name] ??= random();
  }
  return kept[name];
}

const random = () => [...crypto.getRandomValues(new Uint8Array(16))]
  .map((byte) => byte.toString(16).padStart(2, "0")).join("");
