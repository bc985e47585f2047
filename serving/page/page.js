// The storefront: asks v1/search and shows the answer. Data enters the page as text only, never as markup.

const WORDS = {
  en: {
    search: "Search", placeholder: "What are you looking for?", choose: "Search by picture", remove: "Remove the picture",
    welcome: "Find it by words or by picture", examples: "Example searches",
    hint: "Type in English or Chinese; choose, drop or paste a picture; or try one of these.",
    drop: "Drop a picture to search by it", busy: "Searching…", again: "Try again",
    nothing: "Nothing found", nothingHint: "Try other words or another picture.",
    failed: "The search failed", offline: "The server does not answer. Is it still running?",
    why: "Why is this here?", rank: "rank", score: "score", absent: "did not find it", other: "中文",
    legs: { text: "Meaning", keywords: "Words", image: "Picture" }, rating: "Rating",
    stock: { in_stock: "In stock", out_of_stock: "Out of stock", preorder: "Pre-order", backorder: "On back order",
      discontinued: "Discontinued" },
    found: (count, time) => `${count === LIMIT ? "The best " : ""}${count} ${count === 1 ? "result" : "results"} in ${time} ms`,
  },
  zh: {
    search: "搜索", placeholder: "您在找什么？", choose: "以图搜索", remove: "移除图片",
    welcome: "用文字或图片，找到好物", examples: "搜索示例",
    hint: "可用中文或英文输入，也可选择、拖入或粘贴图片；或试试下面的搜索。",
    drop: "松开鼠标，以图搜索", busy: "正在搜索…", again: "重试",
    nothing: "没有找到商品", nothingHint: "请换个词或换张图片试试。",
    failed: "搜索失败", offline: "服务器没有响应，请确认它仍在运行。",
    why: "为什么排在这里？", rank: "排名", score: "得分", absent: "未找到", other: "English",
    legs: { text: "语义", keywords: "关键词", image: "图片" }, rating: "评分",
    stock: { in_stock: "有货", out_of_stock: "缺货", preorder: "预售", backorder: "可预订", discontinued: "已停售" },
    found: (count, time) => `${count === LIMIT ? "最佳的 " : ""}${count} 个结果，用时 ${time} 毫秒`,
  },
};
const EXAMPLES = ["red striped dress", "green checked backpack", "black boots", "blue mug", "蓝色波点雨伞", "粉色手提包", "黄色台灯"];
const LIMIT = 24;

const $ = (id) => document.getElementById(id);
const pictures = new Map(); // what history entries of this visit point to: a picture has no address
let language = stored("language") ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
let picture = null;
let answer = null; // the newest one, kept so that another language can show it again
let running = new AbortController();

function stored(name) {
  try {
    return localStorage.getItem(name) in WORDS ? localStorage.getItem(name) : null;
  } catch { // storage may be switched off
    return null;
  }
}

function element(tag, className, ...content) {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...content.filter((part) => part !== null));
  return made;
}

function speak() {
  const words = WORDS[language];
  document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
  for (const spot of document.querySelectorAll("[data-word]")) spot.textContent = words[spot.dataset.word];
  for (const spot of document.querySelectorAll("[data-label]")) {
    spot.title = words[spot.dataset.label];
    spot.setAttribute("aria-label", spot.title);
  }
  $("words").placeholder = words.placeholder;
  $("language").textContent = words.other;
  $("language").lang = language === "zh" ? "en" : "zh-Hans";
  show();
}

function show() {
  const words = WORDS[language];
  const { results = [], notes = [], problem = null, busy = false } = answer ?? {};
  document.body.classList.toggle("start", answer === null);
  $("results").setAttribute("aria-busy", busy);
  $("status").textContent = busy ? words.busy : "";
  if (busy) return; // the old results stay until the new ones are here
  const empty = answer !== null && problem === null && results.length === 0;
  if (results.length) $("status").textContent = words.found(results.length, Math.max(1, Math.round(answer.took_ms)));
  if (problem) $("status").textContent = problem.title ?? words.failed;
  if (empty) $("status").textContent = words.nothing;
  $("status").classList.toggle("hidden", empty || problem !== null);
  $("message").hidden = !empty && problem === null;
  $("again").hidden = problem === null;
  $("message").querySelector("h2").textContent = problem ? problem.title ?? words.failed : words.nothing;
  $("message").querySelector("p").textContent = problem ? problem.detail ?? words.offline : words.nothingHint;
  $("notes").replaceChildren(...notes.map((note) => element("li", "", note)));
  const legs = Object.keys(words.legs).filter((leg) => results.some((result) => leg in (result.explanation ?? {})));
  $("results").replaceChildren(...results.map((result) => card(result, legs, results[0].score)));
}

function card({ product, explanation }, legs, best) {
  const words = WORDS[language];
  const { price, currency, rating, rating_count: count } = product;
  const title = element("h3", "", product.title);
  title.lang = product.language;
  title.title = product.title; // a long one is cut
  const cost = price === undefined ? "" : new Intl.NumberFormat(language, { style: "currency", currency }).format(price);
  const stars = rating === undefined ? null : element("span", "rating", element("b", "", `★ ${rating.toFixed(1)}`));
  if (stars && count) stars.append(` (${new Intl.NumberFormat(language).format(count)})`);
  if (stars) stars.title = words.rating;
  return element("li", "card", frame(product), element("div", "body",
    element("span", "brand", product.brand ?? ""), title,
    element("div", "facts", element("span", "price", cost), stars),
    element("span", `stock ${product.availability}`, words.stock[product.availability] ?? product.availability),
  ), why(explanation, legs, best));
}

function frame(product) {
  const link = product.image_links?.[0];
  const initial = () => element("span", "", [...product.title][0] ?? "");
  if (!link) return element("div", "picture", initial());
  const image = element("img", "");
  image.alt = ""; // the title stands right below
  image.loading = "lazy";
  image.addEventListener("error", () => image.replaceWith(initial()));
  image.src = link;
  return element("div", "picture", image);
}

function why(explanation, legs, best) {
  const words = WORDS[language];
  const list = element("dl", "");
  for (const leg of legs) {
    const found = explanation[leg];
    const bar = element("i", "");
    bar.style.width = `${found && best > 0 ? Math.max(0, (100 * found.contribution) / best) : 0}%`;
    bar.style.background = `var(--${leg})`;
    const score = found?.rank ? `${words.score} ${found.score.toFixed(3)}` : words.absent;
    const figures = found ? `${score} · +${found.contribution.toFixed(3)}` : score;
    list.append(element("dt", "", words.legs[leg], element("span", "", found?.rank ? `${words.rank} ${found.rank}` : "–")));
    list.append(element("dd", "", element("span", "bar", bar), element("span", "figures", figures)));
  }
  return legs.length ? element("details", "", element("summary", "", words.why), list) : null;
}

async function ask(text) {
  const { signal } = running;
  if (!picture) return fetch(`v1/search?${new URLSearchParams({ q: text, limit: LIMIT, explain: true })}`, { signal });
  const body = new FormData();
  for (const [name, value] of Object.entries({ text, limit: LIMIT, explain: true })) body.set(name, value);
  body.set("image", picture, picture.name || "picture");
  return fetch("v1/search", { method: "POST", body, signal });
}

async function search() {
  running.abort();
  const mine = (running = new AbortController());
  const text = $("words").value.trim();
  if (!text && !picture) answer = null;
  else {
    answer = { ...answer, busy: true };
    show();
    try {
      const response = await ask(text);
      const content = await response.json();
      if (mine.signal.aborted) return;
      answer = response.ok ? content : { problem: content };
    } catch {
      if (mine.signal.aborted) return; // a newer search has taken over
      answer = { problem: {} };
    }
  }
  show();
}

function choose(file) {
  URL.revokeObjectURL($("preview").src);
  picture = file ?? null;
  $("chosen").hidden = picture === null;
  $("preview").src = picture ? URL.createObjectURL(picture) : "";
}

// Each search is an entry of the history, so that links, Back and Forward work.
function go(text, file) {
  const key = file ? [...pictures].find(([, known]) => known === file)?.[0] ?? Date.now() : null;
  if (file) pictures.set(key, file);
  const address = text ? `?${new URLSearchParams({ q: text })}` : location.pathname;
  const same = new URL(address, location.href).href === location.href && (history.state?.picture ?? null) === key;
  if (!same) history.pushState({ picture: key }, "", address);
  arrive();
}

function arrive() {
  $("words").value = new URLSearchParams(location.search).get("q") ?? "";
  document.title = $("words").value ? `${$("words").value} · Millrace` : "Millrace";
  choose(pictures.get(history.state?.picture));
  search();
}

function watchPictures() {
  const dragged = (event) => event.dataTransfer?.types.includes("Files");
  const dragging = (event, on) => {
    if (!dragged(event)) return;
    event.preventDefault();
    document.body.classList.toggle("dragging", on);
  };
  $("choose").addEventListener("click", () => $("file").click());
  $("file").addEventListener("change", () => {
    if ($("file").files.length) go($("words").value.trim(), $("file").files[0]);
    $("file").value = "";
  });
  $("remove").addEventListener("click", () => { go($("words").value.trim(), null); $("words").focus(); });
  addEventListener("dragover", (event) => dragging(event, true));
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) dragging(event, false); });
  addEventListener("drop", (event) => {
    dragging(event, false);
    if (event.dataTransfer?.files.length) go("", event.dataTransfer.files[0]);
  });
  addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"));
    if (!file) return;
    event.preventDefault();
    go($("words").value.trim(), file);
  });
}

$("search").addEventListener("submit", (event) => { event.preventDefault(); go($("words").value.trim(), picture); });
$("again").addEventListener("click", search);
document.querySelector(".home").addEventListener("click", (event) => { event.preventDefault(); go("", null); });
$("language").addEventListener("click", () => {
  language = language === "zh" ? "en" : "zh";
  try { localStorage.setItem("language", language); } catch { /* then it lasts as long as the page */ }
  speak();
});
$("examples").append(...EXAMPLES.map((text) => {
  const link = element("a", "", text);
  link.href = `?${new URLSearchParams({ q: text })}`;
  link.lang = /\p{Script=Han}/u.test(text) ? "zh-Hans" : "en";
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab is the browser's matter
    event.preventDefault();
    go(text, null);
    $("status").focus();
  });
  return link;
}));
addEventListener("popstate", arrive);
watchPictures();
speak();
arrive();
