"""The command ``spatial-prediction``: one file for each of its commands.

A command's module has ``add_to(commands)``, which declares its arguments and the function that runs it.
"""
