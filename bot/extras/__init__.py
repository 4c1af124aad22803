"""What shows how a match stands and not what happened: match cards, and pictures sent by themselves."""
