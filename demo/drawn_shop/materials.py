"""Colours of what is not dyed: fittings, frames and soles."""

from demo.drawn_shop.pen import Rgb

METALS: tuple[Rgb, ...] = ((190, 190, 195), (210, 180, 110), (120, 120, 125))
WOODS: tuple[Rgb, ...] = ((150, 105, 65), (100, 68, 42), (190, 150, 105))
LEATHERS: tuple[Rgb, ...] = ((90, 60, 40), (40, 36, 34), (140, 95, 60))
SOLES: tuple[Rgb, ...] = ((240, 240, 240), (225, 220, 205), (60, 60, 60))
DIALS: tuple[Rgb, ...] = ((250, 250, 250), (245, 240, 225), (30, 32, 38))
CAPS: tuple[Rgb, ...] = (*METALS, (40, 40, 42), (235, 235, 235))
RUBBER: Rgb = (45, 38, 34)
WEBBING: Rgb = (60, 60, 60)
STEEL: Rgb = (50, 50, 52)
GLASS: Rgb = (35, 35, 38)
LENS: Rgb = (95, 100, 115)
