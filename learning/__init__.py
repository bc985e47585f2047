"""How it learns: trainers, the example log, metrics, replay and the gate.

May import ranking and what lies below it; never demo, serving or streams. Pictures, captions and clicks come as
arguments, so that the same trainer serves a drawn shop and a real one.
"""
