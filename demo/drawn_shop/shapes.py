"""Which function draws which kind of product."""

from collections.abc import Callable

from demo.drawn_shop import footwear_and_bags, garments, household
from demo.drawn_shop.looks import Kind
from demo.drawn_shop.pen import Pen

SHAPES: dict[Kind, Callable[[Pen], None]] = {
    "dress": garments.draw_dress,
    "t-shirt": garments.draw_tshirt,
    "trousers": garments.draw_trousers,
    "skirt": garments.draw_skirt,
    "sneaker": footwear_and_bags.draw_sneaker,
    "boot": footwear_and_bags.draw_boot,
    "handbag": footwear_and_bags.draw_handbag,
    "backpack": footwear_and_bags.draw_backpack,
    "watch": footwear_and_bags.draw_watch,
    "mug": household.draw_mug,
    "lamp": household.draw_lamp,
    "chair": household.draw_chair,
    "phone case": household.draw_phone_case,
    "hat": garments.draw_hat,
    "umbrella": footwear_and_bags.draw_umbrella,
    "bottle": household.draw_bottle,
}
