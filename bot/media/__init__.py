"""Match cards as HTML and pictures as PNG. Start at `renderer.PictureRenderer`."""
