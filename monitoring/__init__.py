"""How it feels: every metric in one catalogue, and the endpoint that shows them.

Imports no other package of Millrace. It is the one door to prometheus_client.
"""
