"""The job of the agent `index-products` in Millrace and in other stream frameworks, each in a process of its own.

`python -m benchmarks.peers.MODULE ROLE SETTINGS` runs one; `benchmarks.streaming_cost` starts them. Those that do
not go together with Millrace's own pins run in the environment of `requirements.txt`, so `job.py` imports nothing but
what is there.
"""
