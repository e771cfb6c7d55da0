"""The command ``spatial-prediction``: one file for each of its subcommands.

The module of a subcommand has ``add_to(commands)``, which declares its arguments and the function that runs
it.
"""
