"""What the drawn shop asks for each kind of product and under which names it sells it."""

from dataclasses import dataclass

from demo.drawn_shop.looks import Kind


@dataclass(frozen=True, slots=True)
class Merchandise:
    """Where a kind stands in the shop and what it usually costs, in the shop's currency."""

    department: str
    shelf: str
    usual_price: int
    brands: tuple[str, ...]


CURRENCY = "EUR"
_FASHION_BRANDS = ("Alderwick", "Norrelune", "Ovelline", "Mirabeck", "Solvessa", "Tarnholm")
_TRAVEL_BRANDS = ("Kestrane", "Tarnholm", "Dunloom", "Pellarow")
_HOME_BRANDS = ("Quillmere", "Halvetta", "Brisanne", "Dunloom")

MERCHANDISE: dict[Kind, Merchandise] = {
    "dress": Merchandise("Clothing", "Dresses", 69, _FASHION_BRANDS),
    "t-shirt": Merchandise("Clothing", "T-shirts", 19, _FASHION_BRANDS),
    "trousers": Merchandise("Clothing", "Trousers", 55, _FASHION_BRANDS),
    "skirt": Merchandise("Clothing", "Skirts", 45, _FASHION_BRANDS),
    "sneaker": Merchandise("Shoes", "Sneakers", 79, _FASHION_BRANDS),
    "boot": Merchandise("Shoes", "Boots", 119, _FASHION_BRANDS),
    "handbag": Merchandise("Bags", "Handbags", 89, _FASHION_BRANDS),
    "backpack": Merchandise("Bags", "Backpacks", 65, _TRAVEL_BRANDS),
    "watch": Merchandise("Accessories", "Watches", 139, _FASHION_BRANDS),
    "mug": Merchandise("Home", "Mugs", 12, _HOME_BRANDS),
    "lamp": Merchandise("Home", "Lamps", 49, _HOME_BRANDS),
    "chair": Merchandise("Home", "Chairs", 95, _HOME_BRANDS),
    "phone case": Merchandise("Accessories", "Phone cases", 15, _TRAVEL_BRANDS),
    "hat": Merchandise("Accessories", "Hats", 29, _FASHION_BRANDS),
    "umbrella": Merchandise("Accessories", "Umbrellas", 25, _TRAVEL_BRANDS),
    "bottle": Merchandise("Home", "Bottles", 18, _TRAVEL_BRANDS),
}
