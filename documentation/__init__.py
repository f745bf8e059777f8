"""Makes the site of ``docs/``: ``python -m documentation``, or ``make docs``.

``commands`` writes the pages of the command line into ``docs/cli``, from the commands themselves. ``reference`` makes
those of the API, whose text comes from docstrings (``docstrings``); what belongs on them is what ``docs/api.md`` lists.
``sources`` puts all pages together for Zensical, and ``building`` runs it. ``links`` says which links of a built site
lead nowhere.
"""
