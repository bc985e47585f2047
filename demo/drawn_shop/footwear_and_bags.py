"""How shoes, bags, watches and umbrellas are drawn. Numbers are shares of the picture's side."""

import math

from demo.drawn_shop.materials import DIALS, LEATHERS, METALS, RUBBER, SOLES, WEBBING, WOODS
from demo.drawn_shop.pen import HOLE, SOLID, Pen, Rgb, Rgba, opaque

_BRIGHT_SOLE = 200
_BRIGHT_DIAL = 100
_ROUND_WATCHES = 0.75
_HANDS = ((0.6, 0.02), (0.85, 0.012))  # length and width of the hour and of the minute hand
_TURN = 6.28
_SCALLOPS = 4


def draw_sneaker(pen: Pen) -> None:
    height = pen.about(0.36, 0.04)
    collar = [(0.10, height), (0.17, height - 0.03), (0.32, height)]
    toe = [(0.44, height + 0.10), (0.60, height + 0.17), (0.80, height + 0.21), (0.90, height + 0.28)]
    pen.body.polygon([*collar, *toe, (0.92, 0.70), (0.08, 0.70), (0.07, 0.52)], SOLID)
    sole = pen.rng.choice(SOLES)
    pen.over.rounded((0.06, 0.67, 0.935, pen.about(0.755, 0.015)), 0.035, opaque(sole))
    laces = (70, 70, 70, 255) if sole[0] >= _BRIGHT_SOLE else (245, 245, 245, 255)
    for row in range(3):
        x, y = 0.36 + row * 0.085, height + 0.045 + row * 0.045
        pen.over.line([(x - 0.01, y + 0.075), (x + 0.06, y)], laces, 0.017)
    pen.over.line([(0.10, height + 0.10), (0.20, height + 0.13), (0.33, height + 0.02)], pen.ink, 0.01)


def draw_boot(pen: Pen) -> None:
    top, back, front = pen.about(0.10, 0.05), pen.about(0.24, 0.02), pen.about(0.53, 0.03)
    foot = [(0.62, 0.62), (0.80, 0.68), (0.86, 0.76), (0.86, 0.82), (back - 0.01, 0.82)]
    pen.body.polygon([(back, top), (front, top), (front, 0.55), *foot], SOLID)
    pen.over.rectangle((back - 0.02, 0.81, 0.87, 0.855), opaque(RUBBER))
    pen.over.rectangle((back - 0.02, 0.81, back + 0.15, pen.about(0.91, 0.02)), opaque(RUBBER))
    pen.over.rectangle((back, top, front, top + 0.05), pen.ink)
    pen.over.line([(front - 0.01, 0.56), (back + 0.02, 0.60)], pen.ink, 0.009)


def draw_handbag(pen: Pen) -> None:
    top, bottom, width = pen.about(0.42, 0.04), pen.about(0.84, 0.03), pen.about(0.33, 0.04)
    mouth = pen.about(width - 0.06, 0.05)
    pen.body.polygon([(0.5 - mouth, top), (0.5 + mouth, top), (0.5 + width, bottom), (0.5 - width, bottom)], SOLID)
    rise, leather = pen.about(0.16, 0.05), pen.rng.choice(LEATHERS)
    handle = (0.5 - mouth * 0.65, top - rise * 1.4, 0.5 + mouth * 0.65, top + rise * 1.2)
    pen.under.arc(handle, (180, 360), opaque(leather), 0.035)
    if pen.either():
        flap = [(0.5 + mouth * 0.5, top + 0.16), (0.5 - mouth * 0.5, top + 0.16)]
        pen.over.polygon_outline([(0.5 - mouth, top), (0.5 + mouth, top), *flap], pen.ink, 0.012)
    else:
        pen.over.line([(0.5 - mouth, top + 0.05), (0.5 + mouth, top + 0.05)], pen.ink, 0.02)
    pen.over.rectangle((0.465, top + 0.13, 0.535, top + 0.19), opaque(pen.rng.choice(METALS)))


def draw_backpack(pen: Pen) -> None:
    width, top, bottom = pen.about(0.25, 0.03), pen.about(0.16, 0.02), pen.about(0.88, 0.02)
    for side in (-1, 1):
        strap = [
            (0.5 + side * (width - 0.03), 0.30),
            (0.5 + side * (width + 0.07), 0.48),
            (0.5 + side * (width - 0.01), 0.80),
        ]
        pen.under.line(strap, opaque(WEBBING), 0.045, rounded=True)
    pen.under.arc((0.42, top - 0.09, 0.58, top + 0.09), (180, 360), opaque(WEBBING), 0.03)
    pen.body.rounded((0.5 - width, top, 0.5 + width, bottom), 0.15, SOLID)
    pen.over.rounded_outline((0.5 - width * 0.75, 0.55, 0.5 + width * 0.75, bottom - 0.04), 0.05, pen.ink, 0.016)
    pen.over.arc((0.5 - width, top + 0.14, 0.5 + width, top + 0.36), (180, 360), pen.ink, 0.016)
    pen.over.line([(0.5 - width * 0.6, 0.63), (0.5 + width * 0.6, 0.63)], pen.ink, 0.012)


def draw_watch(pen: Pen) -> None:
    strap = pen.about(0.11, 0.02)
    pen.body.rounded((0.5 - strap, 0.05, 0.5 + strap, 0.95), 0.04, SOLID)
    radius, metal, dial = pen.about(0.205, 0.02), opaque(pen.rng.choice(METALS)), pen.rng.choice(DIALS)
    if pen.rng.random() < _ROUND_WATCHES:
        _draw_round_case(pen, radius, metal, dial)
    else:
        _draw_square_case(pen, radius, metal, dial)
    colour = (30, 30, 30, 255) if dial[0] > _BRIGHT_DIAL else (240, 240, 240, 255)
    for length, width in _HANDS:
        angle = pen.rng.uniform(0, _TURN)
        tip = (0.5 + math.sin(angle) * radius * length * 0.8, 0.5 - math.cos(angle) * radius * length * 0.8)
        pen.over.line([(0.5, 0.5), tip], colour, width)
    pen.over.rectangle((0.5 + radius, 0.48, 0.5 + radius + 0.03, 0.52), metal)


def _draw_round_case(pen: Pen, radius: float, metal: Rgba, dial: Rgb) -> None:
    inside = radius * 0.82
    pen.over.ellipse((0.5 - radius, 0.5 - radius, 0.5 + radius, 0.5 + radius), metal)
    pen.over.ellipse((0.5 - inside, 0.5 - inside, 0.5 + inside, 0.5 + inside), opaque(dial))


def _draw_square_case(pen: Pen, radius: float, metal: Rgba, dial: Rgb) -> None:
    inside = radius * 0.8
    pen.over.rounded((0.5 - radius * 0.9, 0.5 - radius, 0.5 + radius * 0.9, 0.5 + radius), 0.06, metal)
    pen.over.rounded((0.5 - inside * 0.9, 0.5 - inside, 0.5 + inside * 0.9, 0.5 + inside), 0.05, opaque(dial))


def draw_umbrella(pen: Pen) -> None:
    top, rim, width = pen.about(0.12, 0.02), pen.about(0.50, 0.03), pen.about(0.42, 0.03)
    stick = opaque(pen.rng.choice(WOODS + METALS))
    pen.under.rectangle((0.488, top - 0.05, 0.512, 0.86), stick)
    pen.under.arc((0.488, 0.80, 0.60, 0.93), (0, 180), stick, 0.026)
    pen.body.sector((0.5 - width, top, 0.5 + width, 2 * rim - top), (180, 360), SOLID)
    for scallop in range(_SCALLOPS):
        left = 0.5 - width + scallop * 2 * width / _SCALLOPS
        pen.body.ellipse((left, rim - 0.05, left + 2 * width / _SCALLOPS, rim + 0.05), HOLE)
    for rib in (-0.5, 0, 0.5):
        pen.over.line([(0.5, top), (0.5 + rib * width, rim - 0.02)], pen.ink, 0.008)
