"""Apache Kafka without Docker: its own jars from Maven Central, one node in KRaft mode, on 127.0.0.1."""
