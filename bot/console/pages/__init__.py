"""The pages, drawn with NiceGUI from the values of the other modules: one module a page. They decide nothing.

Start at `console.Console`, which registers all of them.
"""
