"""A shop whose products are drawn, not photographed: pictures, captions, product events, and training with them.

Everything follows from numbers (a look and a seed), so no data file is needed and every run sees the same shop.
"""
