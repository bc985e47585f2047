"""What is said on Kafka: events, the table of topics, bytes to events and back, topic administration, publishing.

Imports no other package of Millrace. It is the one door to confluent_kafka for administration and publishing.
"""
