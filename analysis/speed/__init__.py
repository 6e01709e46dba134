"""How long runs took: the figures of cost, producers and scaling, and the table of scaling."""
