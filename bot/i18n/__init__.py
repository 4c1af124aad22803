"""Languages: translated texts, dates, lists and plurals, and the catalogues behind them. Start at `language.translate`."""
