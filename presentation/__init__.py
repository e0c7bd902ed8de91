"""The commands of the user's documents."""
