"""What ``on_a_gpu.py`` consists of.

- ``sizes``: how large everything is, in full and in the tiny form.
- ``timing``: the clock of a section, and seconds per call.
- ``published``: figures of others, with their sources.
- ``roofline``: what a device could do at most.
- ``networks``, ``peers``, ``rest``: the sections; each yields the rows of its table.
- ``worker``: the process that computes, and is ended where a section overruns.
- ``report``: JSON and Markdown.
"""
