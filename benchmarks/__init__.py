"""Repeatable measurements, each beside a limit or a peer in the same run: the ratio is what counts.

`python -m benchmarks` runs them and writes `benchmarks/results/NAME.json` with commit and machine.
"""
