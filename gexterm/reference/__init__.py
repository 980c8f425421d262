"""Published tables to read today against, packaged with their source."""
