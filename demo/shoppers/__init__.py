"""Simulated shoppers of the drawn shop: hidden tastes, what they search for, what they look at, click and buy.

Everything but `simulation` is pure: it follows from a seed, and from what the search shows.
"""
