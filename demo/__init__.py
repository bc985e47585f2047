"""A shop to try Millrace on: drawn products, mappings for real data sets, simulated shoppers.

May import every package below it (learning and what learning may import), never cli. It reaches a running Millrace
through HTTP and Kafka only, as a real shop would.
"""
