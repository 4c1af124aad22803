"""A page in the browser: what the bot does now, rules to try, and a playground. Start at `server.serve_console`.

`now`, `alerts`, `chats`, `rules` and `playground` hold what the pages show, as values; the modules of `pages` draw them with
NiceGUI and decide nothing. `live.LiveConsole` ties those together that need a running bot.
"""
