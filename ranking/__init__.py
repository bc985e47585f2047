"""In which order: a query to ranked products, with the reason for each place.

May import encoders, index, topics and monitoring.
"""
