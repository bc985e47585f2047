"""Who asks: the HTTP API.

May import ranking and every package below it. It is the one door to fastapi and uvicorn.
"""
