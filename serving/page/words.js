// What the page says, in the language that the shopper chose.

const WORDS = {
  en: {
    tag: "en", other: "中文",
    search: "Search", placeholder: "What are you looking for?",
    choose: "Search by picture", remove: "Remove the picture",
    welcome: "Find it by words or by picture", examples: "Example searches",
    hint: "Type in English or Chinese; choose, drop or paste a picture; or try one of these.",
    shelf: "From the shop", trending: "Trending now",
    drop: "Drop a picture to search by it", busy: "Searching…", again: "Try again",
    nothing: "Nothing found", nothingHint: "Try other words or another picture.",
    excluded: "No product fits all of these filters.", clear: "Clear filters", clearAll: "Clear all",
    nearest: (text, filtered) =>
      `Nothing found${text ? ` for “${text}”` : ""}${filtered ? " with these filters" : ""}. These come nearest:`,
    problems: { "unusable-picture": ["The picture cannot be read", "Choose another one, a JPEG or PNG for example."] },
    failed: "The search failed", offline: "The server does not answer. Is it still running?",
    results: "Results", filters: "Filters", close: "Close the filters", showResults: (total) => `Show ${total}`,
    total: (count, exact) => `${exact ? "" : "at least "}${count} ${count === "1" ? "result" : "results"}`,
    time: (time) => `in ${time} ms`, shown: (count) => `${count} shown`, more: "More results",
    sort: "Sort by",
    sorts: { relevance: "Best match", cheapest: "Price: low to high", dearest: "Price: high to low",
      rated: "Best rated", newest: "Newest" },
    fields: { brand: "Brand", categories: "Category", availability: "Availability", price: "Price", kind: "Kind",
      colour: "Colour", color: "Colour", pattern: "Pattern", size: "Size", material: "Material" },
    yes: "Yes", no: "No", lowest: "Lowest price", highest: "Highest price", apply: "Apply",
    moreValues: (count) => `${count} more`,
    from: (low) => `from ${low}`, upTo: (high) => `up to ${high}`, between: (low, high) => `${low} to ${high}`,
    chosen: "Chosen filters", phrases: "Read as a filter:", takeOff: (label) => `Remove the filter ${label}`,
    takeAsWords: (text) => `Search for the words “${text}” instead`,
    similar: "Similar products", similarTo: (title) => `Similar to ${title}`,
    why: "Why is this here?", rank: "rank", score: "score", absent: "did not find it", beyond: "not among its best: counts as the last",
    behind: (availability) => `${availability}: it comes after the others, whatever its score.`,
    heat: "Show where in the picture", heatOff: "Hide it in the picture", heatBusy: "Looking…",
    heatMap: (place) => `Heat map: what matches most is ${place}`, nowhere: "nowhere in the picture",
    place: (row, column) => [["at the top left", "at the top", "at the top right"],
      ["on the left", "in the middle", "on the right"],
      ["at the bottom left", "at the bottom", "at the bottom right"]][row][column],
    legs: { text: "Meaning", keywords: "Words", image: "Picture", identifiers: "Article number",
      brands: "Brand" }, rating: "Rating",
    corrected: "Showing results for", asWritten: (text) => `Search instead for “${text}”`,
    matched: "matching words",
    notes: { contradiction: (text) => text,
      keywords_left_out: () => "Your search has no words to look up: what comes near in meaning or by picture is shown.",
      not_personal: () => "This order is the same for everybody: what fits you cannot be told just now." },
    cart: "Cart", cartEmpty: "Nothing is in the cart.", addToCart: "Add to cart", takeOut: "Take out of the cart",
    inCart: (title) => `In the cart: ${title}`, buy: "Buy", bought: "Bought. This shop only plays: nothing is sold.",
    remembers: "This page tells the shop what you look at, under a random name, so that what fits you comes first.",
    forget: "Forget me", forgotten: "The shop forgets what it knew of you, and this page has a new name for you.",
    forgottenHere: (name) => `This page has a new name for you. The shop did not take the request to forget the old one, ${name}.`,
    rename: "Take a new name",
    renamed: (name) => `This page has a new name for you. The shop keeps what it knows under the old one until you ask it to erase ${name}.`,
    learning: "What the shop has learnt",
    moved: (from, to) => (from === to ? "By the search alone it would stand here, too."
      : `By the search alone it would stand at place ${from}, not ${to}.`),
    sum: (search, beside, both) => `Against the mean of these results: the search ${search}, all else ${beside}, together ${both}.`,
    forYou: "For you", beside: "Beside the search", features: { click_rate: "clicks", purchase_rate: "purchases",
      lift: "more clicks than others", brand_affinity: "your brands", category_affinity: "your categories",
      category_affinity_now: "what you look at now", colour_affinity: "your colours",
      pattern_affinity: "your patterns", click_rate_of_query: "clicks for this search",
      daypart: "clicks at this time of day", place: "clicks at this place", price_closeness: "your prices", similarity: "like what you looked at",
      co_clicks: "looked at together" },
    news: "New in the shop", show: "Show", closeNews: "No more news",
    newOne: "New or changed:", newMany: (count) => `${count} products are new or changed, such as`,
    newAfter: (seconds, count) => `searchable after ${seconds} s${count === 1 ? "" : " at most"}`,
    newFitting: (fitting, count) => (count === 1 ? "It fits your search." : `${number(fitting)} of them ${fitting === 1 ? "fits" : "fit"} your search.`),
    stock: { in_stock: "In stock", out_of_stock: "Out of stock", preorder: "Pre-order", backorder: "On back order",
      discontinued: "Discontinued" },
  },
  zh: {
    tag: "zh-Hans", other: "English",
    search: "搜索", placeholder: "您在找什么？", choose: "以图搜索", remove: "移除图片",
    welcome: "用文字或图片，找到好物", examples: "搜索示例",
    hint: "可用中文或英文输入，也可选择、拖入或粘贴图片；或试试下面的搜索。",
    shelf: "店内商品", trending: "正在流行",
    drop: "松开鼠标，以图搜索", busy: "正在搜索…", again: "重试",
    nothing: "没有找到商品", nothingHint: "请换个词或换张图片试试。",
    excluded: "没有商品同时符合这些筛选条件。", clear: "清除筛选", clearAll: "全部清除",
    nearest: (text, filtered) => `${filtered ? "在这些筛选条件下" : ""}没有找到${text ? `“${text}”` : "商品"}。以下商品最接近：`,
    problems: { "unusable-picture": ["无法读取这张图片", "请换一张图片，例如 JPEG 或 PNG 格式。"] },
    failed: "搜索失败", offline: "服务器没有响应，请确认它仍在运行。",
    results: "搜索结果", filters: "筛选", close: "关闭筛选", showResults: (total) => `查看（${total}）`,
    total: (count, exact) => `${exact ? "共" : "至少"} ${count} 个结果`,
    time: (time) => `用时 ${time} 毫秒`, shown: (count) => `已显示 ${count} 个`, more: "更多结果",
    sort: "排序",
    sorts: { relevance: "综合", cheapest: "价格从低到高", dearest: "价格从高到低", rated: "评分最高", newest: "最近更新" },
    fields: { brand: "品牌", categories: "分类", availability: "库存", price: "价格", kind: "种类",
      colour: "颜色", color: "颜色", pattern: "图案", size: "尺码", material: "材质" },
    yes: "是", no: "否", lowest: "最低价", highest: "最高价", apply: "应用",
    moreValues: (count) => `还有 ${count} 项`,
    from: (low) => `${low} 起`, upTo: (high) => `${high} 以内`, between: (low, high) => `${low} 至 ${high}`,
    chosen: "已选筛选", phrases: "理解为筛选：", takeOff: (label) => `移除筛选 ${label}`,
    takeAsWords: (text) => `改为搜索“${text}”这几个字`,
    similar: "相似商品", similarTo: (title) => `与“${title}”相似的商品`,
    why: "为什么排在这里？", rank: "排名", score: "得分", absent: "未找到", beyond: "未进入前列，按末位计", matched: "匹配词",
    behind: (availability) => `${availability}：无论得分如何，都排在其他商品之后。`,
    heat: "标出图中匹配之处", heatOff: "隐藏标记", heatBusy: "正在分析…",
    heatMap: (place) => `热力图：最匹配的部分${place}`, nowhere: "图中没有",
    place: (row, column) => [["在左上方", "在上方", "在右上方"], ["在左侧", "在中间", "在右侧"],
      ["在左下方", "在下方", "在右下方"]][row][column],
    legs: { text: "语义", keywords: "关键词", image: "图片", identifiers: "货号", brands: "品牌" }, rating: "评分",
    corrected: "已显示以下内容的结果：", asWritten: (text) => `仍然搜索“${text}”`,
    notes: { contradiction: () => "有些筛选条件互相矛盾，没有商品能同时符合。",
      keywords_left_out: () => "您的搜索中没有可查找的词，已按含义或图片显示相近的商品。",
      not_personal: () => "目前无法结合您的喜好，此排序对所有人相同。" },
    cart: "购物车", cartEmpty: "购物车是空的。", addToCart: "加入购物车", takeOut: "移出购物车",
    inCart: (title) => `已加入购物车：${title}`, buy: "购买", bought: "已购买。本店仅供演示，不会真的出售商品。",
    remembers: "本页会以随机名称告诉商店您看了什么，以便优先展示适合您的商品。",
    forget: "忘记我", forgotten: "商店将忘记与您有关的记录，本页也为您换了新的名称。",
    forgottenHere: (name) => `本页已为您换了新的名称，但商店没有接受忘记旧名称的请求。旧名称：${name}`,
    rename: "换一个新名称", renamed: (name) => `本页已为您换了新的名称。如需商店删除旧名称下的记录，请告知商店：${name}`,
    learning: "商店学到了什么",
    moved: (from, to) => (from === to ? "仅按搜索也排在这里。" : `仅按搜索会排在第 ${from} 位，而不是第 ${to} 位。`),
    sum: (search, beside, both) => `与这些结果的平均值相比：搜索 ${search}，其他 ${beside}，合计 ${both}。`,
    forYou: "为您推荐", beside: "搜索之外", features: { click_rate: "点击", purchase_rate: "购买", lift: "比同类点击更多",
      brand_affinity: "您喜欢的品牌", category_affinity: "您喜欢的分类", category_affinity_now: "您正在看的", colour_affinity: "您喜欢的颜色",
      pattern_affinity: "您喜欢的图案", click_rate_of_query: "此搜索的点击率", daypart: "此时段的点击", place: "此地的点击",
      price_closeness: "您的价位", similarity: "与您看过的相似", co_clicks: "常被一起看" },
    news: "店内新品", show: "查看", closeNews: "不再提示",
    newOne: "新上架或有更新：", newMany: (count) => `${count} 件商品新上架或有更新，例如`,
    newAfter: (seconds, count) => `${count === 1 ? "" : "最多 "}${seconds} 秒后即可搜到`,
    newFitting: (fitting, count) => (count === 1 ? "符合您的搜索。" : `其中 ${number(fitting)} 件符合您的搜索。`),
    stock: { in_stock: "有货", out_of_stock: "缺货", preorder: "预售", backorder: "可预订", discontinued: "已停售" },
  },
};

export let words = WORDS[stored() ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en")];

export function changeLanguage() {
  words = words === WORDS.zh ? WORDS.en : WORDS.zh;
  try {
    localStorage.setItem("language", words === WORDS.zh ? "zh" : "en");
  } catch { /* then it lasts as long as the page */ }
}

export const number = (value) => new Intl.NumberFormat(words.tag).format(value);

export const fieldName = (field) => {
  const name = field.replace(/^attributes\./, "");
  return words.fields[name] ?? `${name[0].toUpperCase()}${name.slice(1).replaceAll("_", " ")}`;
};

export const valueName = (field, value) => {
  if (field === "availability") return words.stock[value] ?? value;
  return { true: words.yes, false: words.no }[value] ?? String(value);
};

function stored() {
  try {
    const name = localStorage.getItem("language");
    return name in WORDS ? name : null;
  } catch { // storage may be switched off
    return null;
  }
}
