# Turns a text into strings of C, one per line, with a comma after each.
s/[\\"]/\\&/g
s/.*/"&",/
