"""The monitor in a browser: a web server, a process for each viewer, one hub for a live venue."""
