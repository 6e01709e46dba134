"""How long runs took: the figures of cost, producers, scaling and the roofline, and the table of scaling."""
