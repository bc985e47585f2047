"""Where it is found: vectors, keywords and attributes to the nearest products. Milvus, and an exact twin in memory.

May import topics and monitoring. It is the one door to pymilvus and milvus_lite.
"""
