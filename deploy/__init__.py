"""Where Millrace runs: sample settings, and the services that it needs, for one machine. May import topics."""
