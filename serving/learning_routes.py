"""The page at `/learning`: what simulated shoppers say of what the shop has learnt, written by whoever sends them."""

from pathlib import Path

from fastapi import APIRouter, HTTPException, Response

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
# The page is a file that is read without the shop, too. Here it gets a way back, and a word on it in both languages.
_WAY_BACK = (
    "<body>",
    """<body>
<nav style="margin: 0 0 1rem"><a href="./">← Back to the shop</a> ·
<a lang="zh-Hans" href="./">返回商店</a></nav>""",
)
_IN_BOTH_LANGUAGES = (
    "</h1>",
    """</h1>
<p lang="zh-Hans">本页比较两种结果：为模拟顾客排序的，以及同一搜索不带名称的。模拟顾客的喜好不会告诉搜索。
分数是 NDCG@10，只看前十个位置：符合喜好的商品越靠前，分数越高；1 表示已是最佳顺序。</p>
<p>The figures are NDCG@10, of the first ten places of a list: what fits counts more, the higher it stands.</p>""",
)


def learning_router(page: Path) -> APIRouter:
    """`page` is read at each request: it changes."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/learning", methods=["GET", "HEAD"])
    def learning() -> Response:
        if not page.is_file():
            raise HTTPException(404, "nothing is known yet of what the shop has learnt: run `millrace shoppers --page`")
        content = page.read_text("utf-8").replace(*_WAY_BACK, 1).replace(*_IN_BOTH_LANGUAGES, 1)
        return Response(content, media_type="text/html; charset=utf-8", headers=_HEADERS)

    return router
