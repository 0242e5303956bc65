"""The pages that gather: home, my page."""
