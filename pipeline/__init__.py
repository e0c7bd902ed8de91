"""Assembles the components and runs them."""
