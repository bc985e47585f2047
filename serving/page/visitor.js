// Names for this browser that say nothing of who uses it; they last as long as storage lets them, or as the page. A page
// keeps to its names until it hears of a new one: what it shows was shown to them.

const STORAGES = { client: () => localStorage, session: () => sessionStorage }; // it ends when the tab is closed
const names = {};

export const client = () => named("client");
export const session = () => named("session");

export function renewNames() {
  for (const name of Object.keys(STORAGES)) renew(name);
}

// `renewed()` follows when another tab has renewed the client's name, or has cleared what was stored.
export function watchName(renewed) {
  addEventListener("storage", ({ key }) => {
    if (![null, "client"].includes(key) || stored("client") === names.client) return;
    delete names.client; // not written again: the tabs would answer each other for ever
    renew("session");
    renewed();
  });
}

const named = (name) => (names[name] ??= stored(name) ?? renew(name));

// The new name takes the place of the old one: there is no moment without a name, in which another tab would make one.
function renew(name) {
  names[name] = random();
  try {
    STORAGES[name]().setItem(name, names[name]);
  } catch { /* then it lasts as long as the page */ }
  return names[name];
}

function stored(name) {
  try {
    return STORAGES[name]().getItem(name);
  } catch { // storage may be switched off
    return null;
  }
}

const random = () => [...crypto.getRandomValues(new Uint8Array(16))]
  .map((byte) => byte.toString(16).padStart(2, "0")).join("");
