"""What it means: texts and pictures to unit vectors, pictures from where they lie, and fusion of vectors.

May import topics and monitoring. It is the door to sentence_transformers and open_clip.
"""
