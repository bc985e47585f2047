"""Who listens: the Faust app, its agents (thin shells), and the pure indexer they carry events to.

May import topics, monitoring, encoders, index. It is the one door to faust and aiokafka.
"""
