"""A page in the browser: what the bot does now, rules to try, and a playground. Start at `server.serve_console`.

`playground`, `rules` and `live` hold what the pages show, as values; `pages` draws them with NiceGUI and decides nothing.
"""
