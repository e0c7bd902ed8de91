"""Models as they are served: raw light curves in, embeddings out."""
