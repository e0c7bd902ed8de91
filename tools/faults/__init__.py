"""A campaign of faults: real runs are killed, starved and damaged, and what comes of it checked."""
