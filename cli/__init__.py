"""Where it meets: commands, settings assembled, everything wired once. May import every other package."""
