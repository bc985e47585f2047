"""Which words of a product an encoder reads."""

from topics.events import Product


def text_to_encode(product: Product) -> str:
    """Title and description: what the measured baselines encode."""
    return f"{product.title} {product.description}".rstrip()
