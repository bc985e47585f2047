"""What people did: lists joined with their clicks, profiles and statistics, and where they are kept.

May import topics and monitoring.
"""
