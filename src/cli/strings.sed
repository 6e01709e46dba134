# Turns a text into strings of C, one a line, with a comma after each.
s/[\\"]/\\&/g
s/.*/"&",/
