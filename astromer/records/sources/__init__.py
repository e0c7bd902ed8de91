"""The layouts in which surveys come; what each yields does not depend on where it came from."""
