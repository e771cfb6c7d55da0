"""How figures and tables look and are written, whatever they show; no JAX, no reading of files.

- ``style``: sizes, settings of Matplotlib, ticks, writing a figure.
- ``colour``: linear intensity to sRGB.
- ``table_files``, ``formatting``: a table as CSV, HTML, Markdown and LaTeX, numbers as text.
- ``arguments``: the options of scripts that write a figure or a table.
"""

from spatial_prediction.plotting.style import save_figure as save_figure
from spatial_prediction.plotting.table_files import Table as Table
from spatial_prediction.plotting.table_files import write_table as write_table
