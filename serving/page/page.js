// The storefront: each question is an entry of the history, so that links, Back and Forward work.

import { begun, chosenAttributes, cleared, fromAddress, link, withOne } from "./address.js";
import { emptyCart, showCart, watchCart } from "./cart.js";
import { $, pageLink } from "./elements.js";
import { attributeFields, FIELDS } from "./facets.js";
import { watchNews } from "./news.js";
import { watchPanel } from "./panel.js";
import { keyOf, picture, usePicture, watchPictures } from "./pictures.js";
import { forget, heatMap, PAGE_SIZE, search, similar } from "./server.js";
import { forgetRest, tellRest, watchSending } from "./events.js";
import { emptyShelves, fillShelves } from "./shelf.js";
import { asksForKey, show, showMore, showPanel, speak } from "./view.js";
import { client, renewNames, watchName } from "./visitor.js";
import { arrived, leave, watchShopper } from "./watching.js";
import { changeLanguage, words } from "./words.js";

const EXAMPLES = ["red striped dress", "green checked backpack", "boots under 80 euros", "blue mug", "蓝色波点雨伞", "粉色手提包",
  "黄色台灯"];
const MOST_AT_ONCE = 100; // the server gives no more

let asked = fromAddress();
let answer = null; // the newest one, kept so that another language can show it again
let running = new AbortController();
let forgotten = () => ""; // what became of the shopper's name, in the page's language

const actions = {
  change: (next) => go(next, picture),
  takeOff: (next) => { go(next, picture); $("status").focus(); }, // what was pressed is gone
  open: (next) => { go(next, null); $("status").focus(); },
  heat: (id) => heatMap(id, asked, picture),
};
const typed = () => $("words").value.trim();

async function load() {
  running.abort();
  const { signal } = (running = new AbortController());
  const { depth = PAGE_SIZE, scroll = 0 } = history.state ?? {};
  const shown = answer?.choices?.map(({ field }) => field) ?? [];
  const facets = [...new Set([...FIELDS, ...chosenAttributes(asked), ...shown])];
  if (!picture && !asked.has("q") && !asked.has("similar")) answer = null;
  else {
    answer = { ...answer, busy: true };
    show(answer, asked, actions);
    try {
      answer = asked.has("similar")
        ? await similar(asked.get("similar"), signal)
        : await search(asked, picture, { limit: Math.min(depth, MOST_AT_ONCE), facets }, signal);
    } catch (error) {
      if (signal.aborted) return; // a newer question has taken over
      answer = { problem: error.problem ?? {} };
    }
  }
  show(answer, asked, actions);
  scrollTo(0, scroll);
  if (answer === null) await fillShelves(EXAMPLES.join(" "), actions.open, signal);
  if (answer?.facets) await loadChoices(signal);
}

// Which attributes are worth asking for is known from the results: mostly the same as of the answer before.
async function loadChoices(signal) {
  const { facets } = answer;
  const fields = [...FIELDS, ...attributeFields(answer.results, asked)];
  const missing = fields.filter((field) => !facets.some((facet) => facet.field === field));
  showChoices(fields, facets);
  if (missing.length === 0) return;
  try {
    const found = await search(asked, picture, { limit: 1, facets: missing, explain: false, track: false }, signal);
    showChoices(fields, [...facets, ...found.facets]);
  } catch { /* the panel goes without them, or a newer question has taken over */ }
}

function showChoices(fields, facets) {
  answer.choices = fields.flatMap((field) => facets.filter((facet) => facet.field === field));
  showPanel(answer, asked, actions.change);
}

async function more() {
  if ($("more").ariaBusy === "true") return;
  const { signal } = running;
  $("more").ariaBusy = "true";
  try {
    const found = await search(asked, picture, { offset: answer.next }, signal);
    const known = new Set(answer.results.map(({ product }) => product.id));
    const added = found.results.filter(({ product }) => !known.has(product.id)); // the shop may have changed meanwhile
    const from = answer.results.length;
    const { next, total, took_ms } = found;
    history.replaceState({ ...history.state, depth: from + PAGE_SIZE }, "");
    answer = { ...answer, next, total, took_ms, results: [...answer.results, ...added] };
    showMore(answer, from, actions);
  } catch (error) {
    if (!signal.aborted) $("status").textContent = error.problem?.title ?? words.failed;
  } finally {
    $("more").ariaBusy = "false";
  }
}

function go(next, file) {
  const key = keyOf(file);
  const same = link(next) === link(asked) && (history.state?.picture ?? null) === key;
  if (!same) {
    keepScroll();
    history.pushState({ picture: key }, "", link(next));
  }
  arrive();
}

function arrive() {
  arrived();
  asked = fromAddress();
  $("words").value = asked.get("q") ?? "";
  usePicture(history.state?.picture);
  load();
}

const keepScroll = () => history.replaceState({ ...history.state, scroll: scrollY }, "");

function ask(text, file) {
  const same = file === picture && text === (asked.get("q") ?? "") && !asked.has("similar");
  go(same ? asked : begun(text, asked), file);
}

function example(text) {
  const made = pageLink("", new URLSearchParams({ q: text }), actions.open, text);
  made.lang = /\p{Script=Han}/u.test(text) ? "zh-Hans" : "en";
  return made;
}

function focusWords(event) {
  const typing = event.target.closest("input:not([type=checkbox]), select, textarea");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  $("words").select();
}

// What is on screen was put in order for the old name, and what waits to be told is of it.
function beginAnew() {
  leave();
  forgetRest();
  emptyCart();
  keepScroll();
  emptyShelves();
  $("results").replaceChildren();
  load();
}

// The name goes in any case, so that nothing new comes to what the shop may still keep under it. Where the shop asks for
// a key, nobody can erase it from here: who wants that has to name the old one.
async function forgetMe() {
  const name = client();
  renewNames();
  beginAnew();
  const taken = !asksForKey() && await forget(name).catch(() => false);
  forgotten = () => (taken ? words.forgotten : asksForKey() ? words.renamed(name) : words.forgottenHere(name));
  $("forgotten").textContent = forgotten();
}

function sayAgain() {
  changeLanguage();
  speak();
  $("forgotten").textContent = forgotten();
  showCart();
  show(answer, asked, actions);
  if (answer?.choices) showPanel(answer, asked, actions.change);
}

$("search").addEventListener("submit", (event) => { event.preventDefault(); ask(typed(), picture); });
$("again").addEventListener("click", load);
$("more").addEventListener("click", more);
$("clear").addEventListener("click", () => actions.takeOff(cleared(asked, answer.understood?.phrases ?? [])));
$("sort").addEventListener("change", () => actions.change(withOne(asked, { sort: $("sort").value })));
$("language").addEventListener("click", sayAgain);
document.querySelector(".home").addEventListener("click", (event) => {
  event.preventDefault();
  go(new URLSearchParams(), null);
});
$("examples").append(...EXAMPLES.map(example));
addEventListener("keydown", focusWords);
addEventListener("popstate", arrive);
addEventListener("pagehide", () => { keepScroll(); leave(); tellRest(); });
document.addEventListener("visibilitychange", () => { if (document.hidden) tellRest(); });
$("forget").addEventListener("click", forgetMe);
history.scrollRestoration = "manual"; // the results come after the browser would scroll
watchPictures((file, alone) => ask(alone ? "" : typed(), file));
watchPanel();
watchShopper();
watchSending();
watchName(beginAnew);
watchCart();
showCart();
watchNews(
  () => ({ asked, isSearch: asked.has("q") && !picture && Boolean(answer?.results) }),
  actions.open,
  () => actions.takeOff(asked),
);
speak();
arrive();
