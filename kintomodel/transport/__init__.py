"""Who carries it: one door to the network, and what stands in front of it."""
