"""Lists and clicks whose joined form is known beforehand."""
