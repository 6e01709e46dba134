"""What all figures share: colours and words, layout, axes, a figure's row and caption, and the programs' command line."""
