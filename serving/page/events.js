// What the shopper turns to, told to the shop as events of User Behavior Insights.

// A link that counts as a click on a product; `position` where it stands in an answer, `query` which one if not the page's.
export function asClick(link, { id }, position, query) {
  link.dataset.product = id;
  if (position) link.dataset.position = position;
  if (query) link.dataset.query = query;
  return link;
}

export function watchClicks(queryId) {
  document.addEventListener("click", ({ target }) => {
    const link = target.closest("a[data-product]");
    if (link) tell("click", link.dataset.product, link.dataset.position, link.dataset.query ?? queryId());
  }, { capture: true }); // before the link brings the next answer
}

// Arrives also where the page is left at once; the shop goes on without it where it does not.
function tell(action, product, position, query) {
  const place = position ? { position: { ordinal: Number(position) } } : {};
  const event = {
    action_name: action,
    timestamp: new Date().toISOString(),
    session_id: session(),
    query_id: query,
    event_attributes: { object: { object_id: product, object_id_type: "product" }, ...place },
  };
  const headers = { "Content-Type": "application/json" };
  fetch("v1/events", { method: "POST", keepalive: true, headers, body: JSON.stringify(event) }).catch(() => {});
}

// For this tab alone: it ends when the tab is closed, or with the page where storage is switched off.
let ofPage = null;

function session() {
  try {
    const known = sessionStorage.getItem("session") ?? newSession();
    sessionStorage.setItem("session", known);
    return known;
  } catch {
    return ofPage ??= newSession();
  }
}

const newSession = () => [...crypto.getRandomValues(new Uint8Array(16))]
  .map((byte) => byte.toString(16).padStart(2, "0")).join("");
