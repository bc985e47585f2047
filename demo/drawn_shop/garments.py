"""How garments are drawn. Numbers are shares of the picture's side."""

from demo.drawn_shop.pen import HOLE, SOLID, Pen


def draw_dress(pen: Pen) -> None:
    neck = pen.about(0, 0.02)
    shoulder, waist = pen.about(0.12, 0.02), pen.about(0.40, 0.04)
    hem, flare = pen.about(0.90, 0.04), pen.about(0.30, 0.07)
    left, right = 0.40 - shoulder * 0.3, 0.60 + shoulder * 0.3
    bodice_left, bodice_right = [(0.415, waist), (left, 0.22)], [(right, 0.22), (0.585, waist)]
    skirt = [(0.5 + flare, hem), (0.5 - flare, hem)]
    pen.body.polygon([(0.39, 0.10), (0.61, 0.10), *bodice_right, *skirt, *bodice_left], SOLID)
    if pen.either():
        _draw_sleeves(pen)
    pen.body.ellipse((0.44 + neck, 0.05, 0.56 + neck, pen.about(0.155, 0.03)), HOLE)
    pen.over.line([(0.415, waist), (0.585, waist)], pen.ink, 0.014)


def _draw_sleeves(pen: Pen) -> None:
    length = pen.rng.uniform(0.08, 0.2)
    inside, outside = 0.23 + length * 0.3, 0.26 + length * 0.3
    for side in (-1, 1):
        shoulder = [(0.5 + side * 0.11, 0.10), (0.5 + side * 0.09, 0.24)]
        cuff = [(0.5 + side * inside, 0.17 + length), (0.5 + side * outside, 0.13 + length * 0.8)]
        pen.body.polygon([*shoulder, *cuff], SOLID)


def draw_tshirt(pen: Pen) -> None:
    sleeve, hem, width = pen.about(0.30, 0.05), pen.about(0.84, 0.05), pen.about(0.22, 0.025)
    shoulders = [(0.40, 0.15), (0.60, 0.15), (0.5 + width, 0.22)]
    pen.body.polygon([*shoulders, (0.5 + width, hem), (0.5 - width, hem), (0.5 - width, 0.22)], SOLID)
    for side in (-1, 1):
        top = [(0.5 + side * 0.10, 0.15), (0.5 + side * width, 0.20)]
        cuff = [(0.5 + side * 0.43, 0.20 + sleeve * 0.65), (0.5 + side * 0.33, 0.22 + sleeve)]
        pen.body.polygon([*top, *cuff, (0.5 + side * (width - 0.02), 0.38)], SOLID)
    pen.body.ellipse((0.42, 0.09, 0.58, pen.about(0.22, 0.03)), HOLE)
    pen.over.arc((0.41, 0.08, 0.59, 0.23), (10, 170), pen.ink, 0.012)


def draw_trousers(pen: Pen) -> None:
    waist, hem, spread = pen.about(0.17, 0.03), pen.about(0.09, 0.03), pen.about(0.10, 0.03)
    for side in (-1, 1):
        outer = [(0.5 + side * waist, 0.09), (0.5 + side * (waist + 0.035), 0.35), (0.5 + side * (spread + hem), 0.93)]
        inner = [(0.5 + side * max(0.015, spread - hem), 0.93), (0.5 + side * 0.004, 0.40)]
        pen.body.polygon([(0.5, 0.09), *outer, *inner], SOLID)
    pen.over.rectangle((0.5 - waist, 0.09, 0.5 + waist, 0.135), pen.ink)
    pen.over.line([(0.5, 0.13), (0.5, 0.40)], pen.ink, 0.012)


def draw_skirt(pen: Pen) -> None:
    flare, top, hem = pen.about(0.34, 0.05), pen.about(0.25, 0.04), pen.about(0.76, 0.06)
    right = [(0.5 + flare, hem), (0.5 + flare * 0.5, hem + 0.025)]
    left = [(0.5 - flare * 0.5, hem + 0.025), (0.5 - flare, hem)]
    pen.body.polygon([(0.35, top), (0.65, top), *right, (0.5, hem + 0.03), *left], SOLID)
    pen.over.rectangle((0.35, top - 0.01, 0.65, top + 0.045), pen.ink)
    for fold in (-0.5, 0, 0.5):
        pen.over.line([(0.5 + fold * 0.28, top + 0.06), (0.5 + fold * flare * 1.4, hem)], pen.ink, 0.006)


def draw_hat(pen: Pen) -> None:
    brim_height, brim = pen.about(0.64, 0.04), pen.about(0.42, 0.03)
    crown, top = pen.about(0.24, 0.03), pen.about(0.26, 0.04)
    pen.body.ellipse((0.5 - brim, brim_height - 0.085, 0.5 + brim, brim_height + 0.085), SOLID)
    if pen.either():
        pen.body.ellipse((0.5 - crown, top, 0.5 + crown, brim_height + (brim_height - top)), SOLID)
    else:
        pen.body.rounded((0.5 - crown, top, 0.5 + crown, brim_height + 0.06), 0.09, SOLID)
    pen.body.cut_below(brim_height + 0.09)
    pen.over.rectangle((0.5 - crown + 0.01, brim_height - 0.10, 0.5 + crown - 0.01, brim_height - 0.045), pen.ink)
