"""Pricing, pure: parity forward, implied volatility, smile, Black-76 greeks, variance index."""
