"""HTML pages that need nothing but themselves: their frame, and figures as parts of them."""
