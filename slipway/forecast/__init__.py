"""What an environment will cost and how long it will take, from its recorded graph and the dated tables.

`usage` is what people will do with it, `prices` and `cost` are dollars, `duration` is minutes, `forecast` puts them
together and compares two of them.
"""
