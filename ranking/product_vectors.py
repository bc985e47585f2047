"""Vectors of products: those that the process holds anyway, else those that the index has."""

from collections.abc import Mapping, Sequence

from index.base import Vector, VectorIndex
from ranking.product_table import ProductTable
from ranking.style_vectors import parts


class ProductVectors:
    """Safe to call from several threads, as its parts are."""

    def __init__(self, index: VectorIndex, table: ProductTable, dimensions: Mapping[str, int]) -> None:
        """`table` has style vectors out of those of these dimensions, by field."""
        self._index = index
        self._table = table
        self._dimensions = dimensions

    def of(self, product_ids: Sequence[str]) -> dict[str, dict[str, Vector]]:
        """By product its unit vectors, by field; without products that have none. Raises IndexUnavailable."""
        styles = self._table.vectors(self._table.rows(product_ids))
        known = {
            product_id: parts(style, self._dimensions)
            for product_id, style in zip(product_ids, styles, strict=True)
            if style.any()
        }
        unknown = [product_id for product_id in product_ids if product_id not in known]
        return known | (self._index.vectors(unknown) if unknown else {})
