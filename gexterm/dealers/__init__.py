"""What dealers hold: sign conventions and position views, pure."""
