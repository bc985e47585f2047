"""How things of the house are drawn. Numbers are shares of the picture's side."""

from demo.drawn_shop.materials import CAPS, GLASS, LENS, METALS, STEEL, WOODS
from demo.drawn_shop.pen import SOLID, Pen, opaque, shade


def draw_mug(pen: Pen) -> None:
    top, bottom, width, middle = pen.about(0.24, 0.04), pen.about(0.82, 0.03), pen.about(0.25, 0.03), 0.44
    glaze = opaque(pen.colour)
    left, right = middle - width, middle + width
    pen.under.arc((right - 0.12, top + 0.10, right + 0.22, bottom - 0.10), (0, 360), glaze, 0.06)
    pen.body.rounded((left, top, right, bottom), 0.05, SOLID)
    pen.over.rimmed_ellipse((left, top - 0.045, right, top + 0.06), shade(pen.colour, 0.55), glaze, 0.018)


def draw_lamp(pen: Pen) -> None:
    metal = opaque(pen.rng.choice(METALS + WOODS))
    upper, lower = pen.about(0.13, 0.04), pen.about(0.30, 0.04)
    top, bottom = pen.about(0.10, 0.02), pen.about(0.50, 0.04)
    pen.under.rectangle((0.48, bottom - 0.02, 0.52, 0.88), metal)
    if pen.either():
        pen.under.ellipse((0.40, bottom + 0.10, 0.60, 0.86), metal)
    pen.under.rounded((0.33, 0.86, 0.67, 0.91), 0.02, metal)
    pen.body.polygon([(0.5 - upper, top), (0.5 + upper, top), (0.5 + lower, bottom), (0.5 - lower, bottom)], SOLID)
    pen.over.line([(0.5 - lower, bottom), (0.5 + lower, bottom)], pen.ink, 0.012)


def draw_chair(pen: Pen) -> None:
    material = pen.rng.choice((*WOODS, STEEL))
    frame, far_frame = opaque(material), shade(material, 0.75)
    width, seat, top = pen.about(0.22, 0.03), pen.about(0.55, 0.02), pen.about(0.10, 0.03)
    for side in (-1, 1):
        pen.under.line([(0.5 + side * (width - 0.02), seat), (0.5 + side * (width + 0.03), 0.94)], frame, 0.045)
    for side in (-1, 1):
        pen.under.line([(0.5 + side * width * 0.6, seat), (0.5 + side * width * 0.68, 0.86)], far_frame, 0.045)
    for side in (-1, 1):
        post = 0.5 + side * (width - 0.05)
        pen.under.line([(post, top + 0.2), (post, seat)], frame, 0.045)
    pen.body.rounded((0.5 - width, top, 0.5 + width, pen.about(seat - 0.12, 0.05)), 0.05, SOLID)
    front = [(0.5 + width + 0.05, seat + 0.09), (0.5 - width - 0.05, seat + 0.09)]
    pen.body.polygon([(0.5 - width, seat - 0.03), (0.5 + width, seat - 0.03), *front], SOLID)
    pen.over.line(front[::-1], pen.ink, 0.014)


def draw_phone_case(pen: Pen) -> None:
    width, radius = pen.about(0.205, 0.02), pen.about(0.055, 0.02)
    outline = (0.5 - width, 0.08, 0.5 + width, 0.92)
    pen.body.rounded(outline, radius, SOLID)
    pen.over.rounded_outline(outline, radius, pen.ink, 0.012)
    left, top = 0.5 - width + 0.03, 0.115
    camera_width, camera_height = pen.rng.choice([0.12, 0.16, 0.22]), pen.rng.choice([0.16, 0.22])
    pen.over.rounded((left, top, left + camera_width, top + camera_height), 0.035, opaque(GLASS))
    for row in range(2):
        lens = (0.5 - width + 0.05, 0.135 + row * 0.07, 0.5 - width + 0.105, 0.19 + row * 0.07)
        pen.over.ellipse(lens, opaque(LENS))


def draw_bottle(pen: Pen) -> None:
    width, shoulder = pen.about(0.145, 0.025), pen.about(0.30, 0.03)
    cap = opaque(pen.rng.choice(CAPS))
    pen.body.rounded((0.5 - width, shoulder, 0.5 + width, 0.93), 0.05, SOLID)
    neck = [(0.5 - 0.075, shoulder - 0.08), (0.5 + 0.075, shoulder - 0.08)]
    pen.body.polygon([(0.5 - width, shoulder + 0.06), *neck, (0.5 + width, shoulder + 0.06)], SOLID)
    pen.over.rounded((0.5 - 0.085, shoulder - 0.19, 0.5 + 0.085, shoulder - 0.07), 0.015, cap)
    pen.over.line([(0.5 - width, 0.86), (0.5 + width, 0.86)], pen.ink, 0.010)
