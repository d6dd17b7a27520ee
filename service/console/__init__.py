"""The console: pages for a browser, rendered here; their scripts then ask the service, as any client does.

catalog ─▶ cards, facts, report/, live ─▶ page.py ─▶ templates/ ─▶ assets/pages/ ─▶ api.js ─▶ /predict/<model>
           plain data                     rendered                 what a page's script does first

assets/pages/                        where to begin: a script for each page
       styles/                       how pages look: console.css for all of them, the others for some
       inputs/, outputs/             a control of the form for each kind of input, a drawing for each of output
       rows/ code/ compare/ why/ live/   what only that part of a page needs
       *.js                          what several of these share
"""
