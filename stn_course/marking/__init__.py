"""Marking a class: which exercises do handed-in notebooks solve?

`submissions` reads the files, `isolation` gives each a kernel and a folder of its own, `running`
runs its cells, `attempts` carries what a check is given to the marker and judges it there,
`report` says what came of it, `formats` writes that down; the command is `stn-course check`.
"""
