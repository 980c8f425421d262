"""Rules over two Readings, with hysteresis and a log."""
