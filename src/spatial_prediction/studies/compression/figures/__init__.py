"""Figures and tables of the compression study: tidy tables and arrays in, figures out; no JAX.

Each figure has its own module with one function of the same name, which is also that of its file and, after
``plot_``, of its rule and script. ``looks`` gives codecs the same name and colour in all of them.
"""
