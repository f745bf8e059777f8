"""How fast the library is, as ratios to other libraries in the same run: ``python -m benchmarks``.

``events`` has the events, ``models`` and ``peers`` the other libraries' ways to do the job, ``scenarios`` what is
compared with what and by which bound, ``timing`` the loops, ``processes`` and ``catalogs`` what needs processes of
its own, ``results`` the values, ``report`` and ``plot`` what is shown of them.
"""
